"""A back-end that is not there: what one once said of its tables, so that a store serves alone.

What comes in: the folder of a store. What goes out: the tables' types and fingerprints as they were
recorded, and a refusal of everything that would need the database. It must never invent a number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.protocol import (
    Fingerprints,
    RunningQuery,
    TableStatistics,
)
from flightframe_server.errors import BackendError, SetupError
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery

RECORD = "source.json"


def record(
    root: Path,
    backend_id: str,
    types: Mapping[str, Mapping[str, DataType]],
    fingerprints: Fingerprints,
) -> None:
    """Write down what a back-end says of some tables, beside the entries made from it.

    Args:
        root: the folder of the store.
        backend_id: the back-end's id.
        types: for each table, the declared type of each column.
        fingerprints: the version of the tables that the types are of.
    """
    written = {
        table: {
            column: [declared.kind.value, declared.precision, declared.scale, declared.zone]
            for column, declared in columns.items()
        }
        for table, columns in types.items()
    }
    body = {"backend": backend_id, "tables": written, "fingerprints": dict(fingerprints)}
    unfinished = root / f"{RECORD}.{os.getpid()}.tmp"
    unfinished.write_text(json.dumps(body, indent=1, sort_keys=True))
    unfinished.replace(root / RECORD)


class RecordedBackend:
    """The record of a back-end, in the folder of a store.

    Raises:
        SetupError: nothing was recorded there.
    """

    def __init__(self, root: Path) -> None:
        """Read the record."""
        try:
            body = json.loads((root / RECORD).read_text())
        except (OSError, ValueError) as error:
            raise SetupError(
                "this store was never filled from a back-end", hint="give the engine a back-end"
            ) from error
        self.id: str = body["backend"]
        self._fingerprints: dict[str, str | None] = body["fingerprints"]
        self._tables = {
            table: {
                column: DataType(Kind(kind), precision, scale, zone)
                for column, (kind, precision, scale, zone) in columns.items()
            }
            for table, columns in body["tables"].items()
        }

    def capabilities(self) -> Capabilities:
        """Return that it can do nothing."""
        return Capabilities(frozenset(), frozenset(), answers=False)

    def tables(self, at: Fingerprints | None = None) -> Mapping[str, Mapping[str, DataType]]:
        """Return the recorded types."""
        return self._tables

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return nothing: only usable columns are recorded."""
        return {}

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return the recorded fingerprints: the entries are as fresh as the record."""
        return {table: self._fingerprints.get(table) for table in tables}

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> RunningQuery:
        """Refuse."""
        raise _absent()

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return that there is nothing to ask."""
        return "no back-end"

    def edge_map(
        self, hop: TableHop, *, at: Fingerprints | None = None, token: CancelToken | None = None
    ) -> pa.Table:
        """Refuse."""
        raise _absent()

    def duplicate(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> tuple[object, ...] | None:
        """Refuse."""
        raise _absent()

    def statistics(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> TableStatistics:
        """Refuse."""
        raise _absent()

    def close(self) -> None:
        """Do nothing."""


def _absent() -> BackendError:
    return BackendError("there is no back-end here, and no entry answers this")
