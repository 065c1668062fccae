"""Opening a manifest: find it, check it, set a damaged one aside, or create a new one.

What comes in: a folder. What goes out: an open manifest with our schema. It must never give a
database name out twice: SQLite removes `<name>-wal` when it closes, and a process that still holds
a database set aside would take the log away from under its successor. It must never open a
manifest except through SQLite: closing any other handle drops the process's POSIX locks on it.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

import structlog

from flightframe_server.cache.manifest import MIGRATIONS, SCHEMA, SCHEMA_VERSION, Manifest
from flightframe_server.errors import SetupError

LOCK_NAME = "manifest.lock"
MANIFEST_NAME = re.compile(r"manifest-(\d+)\.sqlite(.*)")
ASIDE = ".aside"
SUFFIXES = ("", "-wal", "-shm", "-journal")
DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_log = structlog.get_logger(__name__)


class _Unusable(Exception):
    """A manifest that cannot be gone on with; its text says why."""


class _Older(Exception):
    """A manifest of an older format, which nothing is taken over from."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def is_damage(error: BaseException) -> bool:
    """Return whether an error of SQLite means that the file is not a sound database."""
    return _code(error) in DAMAGE_CODES


def _code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time open or set aside a manifest; a kill releases the lock.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / LOCK_NAME
    if not _is_regular(path):
        # A pipe would be waited at for ever, and a link may lead anywhere.
        path.unlink()
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def open_manifest(folder: Path, busy_seconds: float) -> tuple[Manifest, int | None]:
    """Open the folder's newest manifest, or a new empty one; the caller holds `folder_lock`.

    Args:
        folder: an existing folder.
        busy_seconds: how long a statement waits for another process's write.

    Returns:
        The manifest, and the format of an older one that it replaces, whose entries are to be
        discarded; else None.

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
    older: int | None = None
    if newest is not None:
        try:
            return _open(folder, newest, busy_seconds), None
        except _Unusable as reason:
            _log.warning("cache_manifest_set_aside", reason=str(reason))
        except _Older as error:
            older = error.version
        _set_aside(folder, newest)
    following = 1 + max((number for number, _ in generations), default=0)
    manifest = _open(folder, following, busy_seconds)
    if older is not None:
        # Nothing of it is damaged, so there is nothing to look into. Its successor stands: the
        # name is not given out again.
        _remove_aside(folder)
    return manifest, older


def _open(folder: Path, number: int, busy_seconds: float) -> Manifest:
    path = folder / f"manifest-{number}.sqlite"
    if not all(_is_regular(path.with_name(path.name + suffix)) for suffix in SUFFIXES):
        raise _Unusable("not a regular file")
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
        return Manifest(connection, path)
    except BaseException as error:
        connection.close()
        if is_damage(error):
            raise _Unusable("damaged") from error
        if _code(error) == sqlite3.SQLITE_READONLY:
            raise _Unusable("read-only") from error
        raise


def _prepare(connection: sqlite3.Connection) -> None:
    """Bring a database to our schema.

    Raises:
        _Older: it holds an older schema.
        _Unusable: it is damaged, or its tables are not those of its number.
        SetupError: it holds a newer schema, or its disk cannot hold a write-ahead log.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise SetupError(
            "the cache folder was written by a newer version of flightframe",
            hint="run that version, or give this one a folder of its own",
        )
    is_new = version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    if version not in MIGRATIONS and version < SCHEMA_VERSION and not is_new:
        raise _Older(version)
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _Unusable("damaged")
    if version in MIGRATIONS:
        _migrate(connection, version)
    if not is_new and _tables(connection) != _our_tables():
        raise _Unusable("other tables than its format has")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise SetupError("the cache folder must be on a local disk", hint="give it another folder")
    # A power cut may take the last commits back, never tear the file; what they named is rebuilt.
    connection.execute("PRAGMA synchronous = NORMAL")
    if is_new:
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    else:
        # Learned here, not at the first entry: whether the file may be written.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an older schema to ours in one transaction; its entries stay.

    A process of the older version that has it open goes on: it names the columns that it writes.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for older in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[older]:
                connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        connection.execute("ROLLBACK")
        if _code(error) == sqlite3.SQLITE_ERROR:
            raise _Unusable("other tables than its format has") from error
        raise


def _tables(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    statement = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    return connection.execute(statement).fetchall()


@cache
def _our_tables() -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        return _tables(connection)


def _is_regular(path: Path) -> bool:
    """Whether a path names a regular file, or nothing yet."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def _set_aside(folder: Path, number: int) -> None:
    """Rename a manifest and its log for inspection; earlier ones aside are removed."""
    _remove_aside(folder)
    for path in list(folder.iterdir()):
        match = MANIFEST_NAME.fullmatch(path.name)
        if match is not None and int(match[1]) == number and not match[2].endswith(ASIDE):
            path.rename(path.with_name(path.name + ASIDE))


def _remove_aside(folder: Path) -> None:
    for path in list(folder.iterdir()):
        match = MANIFEST_NAME.fullmatch(path.name)
        if match is not None and match[2].endswith(ASIDE):
            with suppress(OSError):
                path.unlink()
