"""Opening a manifest: find it, judge it, set a damaged one aside, or make a new one.

What comes in: a folder. What goes out: an open manifest with our schema. It must never give a
database name out twice: SQLite removes `<name>-wal` when it closes, and a process that still holds
a database set aside would take the log away from under its successor. It must never open a
manifest except through SQLite: closing any other handle drops the process's POSIX locks on it.
"""

from __future__ import annotations

import fcntl
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from flightframe_server.cache.manifest import SCHEMA, SCHEMA_VERSION, Manifest
from flightframe_server.errors import SetupError

LOCK_NAME = "manifest.lock"
MANIFEST_NAME = re.compile(r"manifest-(\d+)\.sqlite(.*)")
ASIDE = ".aside"
DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_log = structlog.get_logger(__name__)


class _Unusable(Exception):
    """A manifest that cannot be gone on with; its text says why."""


def is_damage(error: BaseException) -> bool:
    """Return whether an error of SQLite means that the file is not a sound database."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and (code & 0xFF) in DAMAGE_CODES


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time open or set aside a manifest; a kill releases the lock.

    Raises:
        OSError: the folder cannot be written.
    """
    with (folder / LOCK_NAME).open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def open_manifest(folder: Path, busy_seconds: float) -> Manifest:
    """Open the folder's newest manifest, or a new empty one; the caller holds `folder_lock`.

    Args:
        folder: an existing folder.
        busy_seconds: how long a statement waits for another process's write.

    Raises:
        SetupError: the manifest was written by a newer version.
        OSError, sqlite3.Error: the disk refused.
    """
    generations = [
        (int(match[1]), match[2])
        for match in map(MANIFEST_NAME.fullmatch, (path.name for path in folder.iterdir()))
        if match
    ]
    newest = max((number for number, suffix in generations if not suffix), default=None)
    if newest is not None:
        try:
            return _opened(folder, newest, busy_seconds)
        except _Unusable as reason:
            _log.warning("cache_manifest_set_aside", reason=str(reason))
            _set_aside(folder, newest)
    return _opened(folder, 1 + max((number for number, _ in generations), default=0), busy_seconds)


def _opened(folder: Path, number: int, busy_seconds: float) -> Manifest:
    path = folder / f"manifest-{number}.sqlite"
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
    except BaseException as error:
        connection.close()
        if is_damage(error):
            raise _Unusable("damaged") from error
        raise
    return Manifest(connection, path)


def _prepare(connection: sqlite3.Connection) -> None:
    """Bring a database to our schema.

    Raises:
        _Unusable: it holds an older schema, or is damaged.
        SetupError: it holds a newer schema, or its disk cannot hold a write-ahead log.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise SetupError(
            "the cache folder was written by a newer version of flightframe",
            hint="run that version, or give this one a folder of its own",
        )
    blank = version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    if version < SCHEMA_VERSION and not blank:
        raise _Unusable("older schema")
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _Unusable("damaged")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise SetupError("the cache folder must be on a local disk", hint="give it another folder")
    # A power cut may take the last commits back, never tear the file; what they named is rebuilt.
    connection.execute("PRAGMA synchronous = NORMAL")
    if blank:
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")


def _set_aside(folder: Path, number: int) -> None:
    """Rename a manifest and its log for whoever wants to look; earlier ones aside are removed."""
    for path in list(folder.iterdir()):
        match = MANIFEST_NAME.fullmatch(path.name)
        if match is None:
            continue
        if match[2].endswith(ASIDE):
            with suppress(OSError):
                path.unlink()
        elif int(match[1]) == number:
            path.rename(path.with_name(path.name + ASIDE))
