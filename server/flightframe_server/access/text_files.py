"""The text files that an operator writes.

What comes in: a path. What goes out: its text, or why there is none. It must never put a folder
into an error.
"""

from __future__ import annotations

from pathlib import Path

from flightframe_server.errors import SetupError


def read_text(path: Path) -> str:
    """Return a text file of the user's.

    Raises:
        SetupError: it is not there, or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"there is no file {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the file {path.name} cannot be read") from error
