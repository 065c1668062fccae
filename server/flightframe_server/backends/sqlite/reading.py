"""One read transaction on a SQLite file, and whether what it reads is still of one version.

What comes in: a connection inside a transaction, and the version at which that began. What goes
out: `SourceMoved` where anybody but SQLite itself may have written to the file since. It must never
let a row pass that a foreign write could have touched.

Without a write-ahead log the transaction's lock keeps lawful writers out, so that every change of
the file is foreign. With one, a checkpoint may write to the file, but only frames that were
committed before the transaction began and not yet brought back; this transaction reads those from
the log. So a change is a checkpoint's where all of this holds: such frames were left, the log's
index says that a checkpoint was at work since the last look, that look is not long ago, and the
times of the file are those of a write. A file that another was renamed over stays as it was, and
is read to the end.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.backends.protocol import SourceMoved
from flightframe_server.backends.sqlite.files import Identity, OpenFile, identity_at
from flightframe_server.backends.sqlite.functions import Fault
from flightframe_server.backends.sqlite.log import Log, log_of
from flightframe_server.backends.sqlite.watch import Look, Version

CLOSE_LOOKS_SECONDS = 0.2
"""Looks further apart than this cannot tell a checkpoint from a foreign write beside it."""

SchemaRow = tuple[str, str, str | None]


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, what it may read again, and the files that it keeps held.

    Attributes:
        handle: SQLite's connection.
        fault: the error of a function of ours.
        main: the file that it reads.
        index: the index of that file's log, where it has one.
        holds: the version of which its cached pages are; None: it is not to be used again.
        give_up: ends the statement that reads through it as one whose file has moved.
    """

    handle: sqlite3.Connection
    fault: Fault
    main: OpenFile
    index: OpenFile | None = None
    holds: Version | None = None
    give_up: Callable[[], None] | None = None

    def fits(self, version: Version) -> bool:
        """Return whether its cached pages may be of this version: the file has not changed."""
        cached = self.holds
        return cached is not None and (cached.main, cached.beside) == (version.main, version.beside)


class Reading:
    """A read transaction.

    Args:
        path: the name under which the file was found.
        connection: inside the transaction.
        look: what was found at its begin.
        schema: type, name and declaration of everything in the database.
    """

    def __init__(
        self, path: Path, connection: Connection, look: Look, schema: tuple[SchemaRow, ...]
    ) -> None:
        """Begin to watch; see the class."""
        self.connection, self.schema = connection, schema
        self.handle = connection.handle
        self._path = path
        self._main: Identity = look.version.main
        self._begun: Log | None = look.log
        self._log: Log | None = look.log
        self._looked = time.monotonic()
        self._renamed: Identity | None = None
        self._moved = False

    def moved(self) -> bool:
        """Return whether the file was written to by anybody but SQLite since the begin.

        Asked by the thread that reads, between any two rows it hands on.
        """
        if not self._moved:
            self._moved = not self._unmoved()
        return self._moved

    def check(self) -> None:
        """Raise `SourceMoved` where the file has moved."""
        if self.moved():
            raise SourceMoved

    def _unmoved(self) -> bool:
        now, moment = identity_at(self._path), time.monotonic()
        log = self._log_now()
        if self._begun is not None and (log is None or not self._same_log(log)):
            return False
        if now is None or now.file != self._main.file:
            unmoved = self._only_unlinked()
        else:
            unmoved = now == self._main or self._checkpoint(now, log, moment)
            self._main = now
        self._log, self._looked = log, moment
        return unmoved

    def _log_now(self) -> Log | None:
        index = self.connection.index
        return None if self._begun is None or index is None else log_of(index)

    def _same_log(self, log: Log) -> bool:
        """Return whether the log was not begun anew under a transaction that reads frames of it."""
        begun = self._begun
        assert begun is not None
        return log.salts == begun.salts or not begun.pending

    def _only_unlinked(self) -> bool:
        identity = self.connection.main.identity
        if self._renamed is None and identity.same_content(self._main):
            self._renamed = identity
        return identity == self._renamed

    def _checkpoint(self, now: Identity, log: Log | None, moment: float) -> bool:
        begun, last = self._begun, self._log
        if begun is None or log is None or last is None or not begun.pending:
            return False
        if last.backfilled >= begun.frames or moment - self._looked > CLOSE_LOOKS_SECONDS:
            return False
        under_way = last.attempted > begun.attempted and last.attempted > last.backfilled
        worked = log.checkpointed_since(last) or under_way
        return worked and now.modified == now.changed
