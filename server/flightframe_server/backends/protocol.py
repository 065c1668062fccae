"""The protocol of a back-end: what the engine may ask of a database.

What comes in: `SourceQuery` and `FrameQuery` values of the planner. What goes out: record batches
of exactly the schema that the plan declared, and cheap facts about the source. It must never cache,
plan, or give a number another meaning than the plan's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from flightframe_server.algebra.types import DataType
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery

BATCH_ROWS = 65_536

Fingerprints = Mapping[str, str | None]
"""The fingerprint of each of some tables; None where it cannot be told."""


class SourceMoved(Exception):
    """The data are, or became, of another version than the reader was told to read.

    A signal between a back-end and the engine, never an error of a user's: the engine takes a new
    snapshot of the data and begins anew, or says that it cannot.
    """


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """Sizes of one table: its rows, and about how many members each asked column has."""

    rows: int
    members: Mapping[str, int] = field(default_factory=dict)


class RunningQuery(Protocol):
    """One statement under way. Iterate to the end, or close.

    Iteration that ends has yielded rows of one version of the data alone, which is the version that
    the statement was told to read; a change that could have touched the rows raises `SourceMoved`
    before the batch that holds them is handed out, and before the end.
    """

    schema: pa.Schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most `BATCH_ROWS` rows, each of exactly `schema`."""
        ...

    def cancel(self) -> None:
        """Stop the statement from any thread; iteration then raises `BackendCancelled`."""
        ...

    def close(self) -> None:
        """Give the statement's resources back; idempotent."""
        ...

    def add_done_callback(self, then: Callable[[], None]) -> None:
        """Call `then` once the database works on the statement no more; at once if it is so."""
        ...


class Backend(Protocol):
    """One database. Every method may be called from any thread.

    Every method that reads takes the fingerprints of the version it must read, `at`: what it
    returns is of exactly that version of the tables it reads, or it raises `SourceMoved`. A table
    that is not in `at`, or whose fingerprint is None there, may be read at any one version. Every
    method that may take long takes a `stop`, attached before the first step that may.

    Attributes:
        id: part of every entry's identity: two back-ends with one id hold the same numbers.
    """

    id: str

    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        ...

    def tables(self, at: Fingerprints | None = None) -> Mapping[str, Mapping[str, DataType]]:
        """Return each table's columns with their declared types; unusable columns are left out.

        Raises:
            SourceMoved: the tables of `at` are of another version now.
            BackendError: the database failed.
        """
        ...

    def unanswered(self, tables: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return what `tables` leaves out of some tables: columns, with the database's type.

        Args:
            tables: those asked about; one that does not exist is left out of the answer.

        Raises:
            BackendError: the database failed.
        """
        ...

    def fingerprints(self, tables: Collection[str]) -> Fingerprints:
        """Return a cheap sign of each table's content that moves when it does; None: unknown.

        The sign is of what the path names now, not of what an open connection still reads. Asked
        once for every answer: it costs no more than a few calls of `stat` while nothing moves.

        Raises:
            BackendError: the data are gone, or are no database.
        """
        ...

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> RunningQuery:
        """Start a query; its columns are the anchor's levels, then each metric's states.

        Args:
            query: what to read.
            at: the version to read.
            token: its cancellation; it is attached before anything that may take long.

        Raises:
            SourceMoved: the data are of another version.
            BackendError: it could not be started; `BackendCancelled` where it was cancelled
                meanwhile.
        """
        ...

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return what `run` would ask the database, for EXPLAIN; runs nothing."""
        ...

    def edge_map(
        self, hop: TableHop, *, at: Fingerprints | None = None, token: CancelToken | None = None
    ) -> pa.Table:
        """Return the map of an edge: distinct `source`, `target`, `source` never NULL."""
        ...

    def duplicate(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> tuple[object, ...] | None:
        """Return one key that stands on several rows (null-safe), or None where all are unique.

        Where the database itself keeps the key unique, nothing is read.
        """
        ...

    def statistics(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> TableStatistics:
        """Return the sizes of a table, estimates welcome, cheaply."""
        ...

    def close(self) -> None:
        """Stop what runs and give everything back; idempotent."""
        ...
