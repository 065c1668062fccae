"""One version of the data, read by bounded statements.

What comes in: what is to be read, and for whom. What goes out: tables and facts of exactly one
version. It must never read outside the limits of the installation, nor hand out what was read of
another version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import Backend, Fingerprints
from flightframe_server.call_context import CallContext
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.statements.runner import Statements


@dataclass(frozen=True, slots=True)
class VersionReader:
    """Reads a back-end at one version, for one question.

    Attributes:
        backend: the database.
        statements: what runs its statements.
        at: the fingerprints of the version.
        token: cancels what runs.
        context: the call that it reads for, whose share of the places its statements take.
    """

    backend: Backend
    statements: Statements
    at: Fingerprints
    token: CancelToken
    context: CallContext

    def collect(
        self,
        query: SourceQuery | FrameQuery,
        *,
        max_rows: int | None = None,
        spent: Callable[[float], object] | None = None,
    ) -> pa.Table:
        """Return all that a query says; see `Statements.collect`."""
        return self.statements.collect(
            self.backend,
            query,
            self.at,
            self.token,
            self.context,
            max_rows=max_rows,
            spent=spent,
        )

    def edge_map(self, hop: TableHop) -> pa.Table:
        """Return the map of an edge; see `Backend.edge_map`."""
        table = self.statements.inspect(
            lambda: self.backend.edge_map(hop, at=self.at, token=self.token),
            self.token,
            self.context,
        )
        return table.combine_chunks()

    def duplicate(self, table: str, columns: tuple[str, ...]) -> tuple[object, ...] | None:
        """Return one key that stands on several rows; see `Backend.duplicate`."""
        return self.statements.inspect(
            lambda: self.backend.duplicate(table, columns, at=self.at, token=self.token),
            self.token,
            self.context,
        )

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        return self.statements.inspect(
            lambda: self.backend.statistics(table, (), at=self.at, token=self.token).rows,
            self.token,
            self.context,
        )
