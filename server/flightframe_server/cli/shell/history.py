"""What was typed before, kept for its owner alone.

What comes in: texts as they are typed. What goes out: the same, at the next start. It must never
let another user of the machine read them: values stand in them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

BYTES_MAX = 1 << 20
FILE_MODE, FOLDER_MODE = 0o600, 0o700


def history_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the history is: in the state folder of the user."""
    state = environment.get("XDG_STATE_HOME", "")
    # As the XDG specification says: a path that is not absolute is none.
    folder = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return folder / "flightframe" / "history"


def open_history(path: Path) -> History:
    """Return the history of a file; where it cannot be written, one that ends with the session."""
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE))
        path.chmod(FILE_MODE)
        _shorten(path)
    except OSError:
        return InMemoryHistory()
    return _LastingHistory(str(path))


class _LastingHistory(FileHistory):
    def store_string(self, string: str) -> None:
        """Write a text down; on a full disk it is forgotten, and the prompt goes on."""
        with suppress(OSError):
            super().store_string(string)


def _shorten(path: Path) -> None:
    """Let go of the older half of a file that has grown too long."""
    content = path.read_bytes()
    if len(content) > BYTES_MAX:
        # Each text begins behind an empty line with the time.
        _, mark, rest = content[-BYTES_MAX // 2 :].partition(b"\n\n# ")
        path.write_bytes(mark + rest)
