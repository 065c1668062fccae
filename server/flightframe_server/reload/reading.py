"""Files read while others may write them, and the stamps by which a change is seen.

What comes in: paths. What goes out: texts, and which of the files were not at rest. It must never
take what a writer has not finished for a file: a half of one may be as valid as the whole.
"""

from __future__ import annotations

import os
from pathlib import Path

from flightframe_server.backends.file_writers import open_for_writing
from flightframe_server.errors import SetupError

Stamp = tuple[int, ...] | None
"""What changes with the content of a file; None where there is no file."""


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file, of what a link leads to where it is one."""
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def _stamp(facts: os.stat_result) -> Stamp:
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def is_being_written(path: Path) -> bool:
    """Return whether any process has a file open for writing, where the system can tell."""
    try:
        with path.open("rb") as file:
            return open_for_writing(file.fileno())
    except OSError:
        return False


class FileReader:
    """Reads files, each once, and notes which of them were not at rest.

    Attributes:
        texts: what was read.
        stamps: those of the files as they were read, of missing ones as well.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.texts: dict[Path, str] = {}
        self.stamps: dict[Path, Stamp] = {}
        self._restless: set[Path] = set()

    def read(self, path: Path) -> str:
        """Return a file's text.

        Raises:
            SetupError: it is not there, or no text.
        """
        self.stamps[path] = None
        try:
            with path.open("rb") as file:
                before = self.stamps[path] = _stamp(os.fstat(file.fileno()))
                content = file.read()
                if open_for_writing(file.fileno()) or _stamp(os.fstat(file.fileno())) != before:
                    self._restless.add(path)
            text = content.decode()
        except FileNotFoundError as error:
            raise SetupError(f"there is no file {path.name}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"the file {path.name} cannot be read") from error
        self.texts[path] = text
        return text

    def restless(self) -> tuple[Path, ...]:
        """Return the files that were written while they were read, or since."""
        moved = {path for path, stamp in self.stamps.items() if stamp_of(path) != stamp}
        return tuple(sorted(moved | self._restless))
