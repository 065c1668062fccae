"""The files of users and tokens that credentials are checked against, as they are now.

What comes in: the settings that name them. What goes out: users and tokens. It must never replace
one of the two files without the other: what a reload names holds for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from flightframe_server.access.file_watch import WatchedFile
from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.text_files import read_text
from flightframe_server.access.tokens import LastingToken
from flightframe_server.catalog.installation import AuthSettings

Key = TypeVar("Key")
Known = TypeVar("Known")


class CredentialFiles:
    """Both files, each followed as it changes.

    Args:
        settings: which files; one that is not named is empty.
        folder: what their paths are relative to.

    Raises:
        SetupError: a file is missing.
        CatalogError: a file is wrong.
    """

    def __init__(self, settings: AuthSettings, folder: Path) -> None:
        """Read both."""
        self._files = (
            _watched(folder, settings.users, read_users),
            _watched(folder, settings.tokens, read_tokens),
        )

    def users(self) -> Mapping[str, str]:
        """Return the stored hash of every user."""
        return self._files[0]()

    def tokens(self) -> Mapping[bytes, LastingToken]:
        """Return the lasting tokens by their hashes."""
        return self._files[1]()

    def replace(self, other: CredentialFiles) -> None:
        """Follow the files of another from now on."""
        self._files = other._files


def _watched(
    folder: Path, written: str | None, read: Callable[[str, str], Mapping[Key, Known]]
) -> Callable[[], Mapping[Key, Known]]:
    """Return the content of a file as it changes; an empty one where no file is named, or left."""
    if written is None:
        return dict
    path = folder / written
    empty: Mapping[Key, Known] = {}
    return WatchedFile(lambda: read(read_text(path), path.name), lambda: _stamp(path), empty)


def _stamp(path: Path) -> object:
    try:
        facts = path.stat()
    except OSError:
        return None
    return (facts.st_mtime_ns, facts.st_size, facts.st_ino) if facts.st_size else None
