"""The Polars back-end: a folder of Parquet files, read by native lazy frames.

What comes in: the planner's queries. What goes out: Arrow batches. It must never see SQL: every
plan becomes Polars expressions, so that where it agrees with an SQL database two independent
readings of the plan agree.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar, Self

import polars as pl
import pyarrow as pa

from flightframe_server.backends.ending import Stop
from flightframe_server.backends.polars_native.files import ParquetFolder
from flightframe_server.backends.polars_native.frames import LazyQuery, lazy_query
from flightframe_server.backends.polars_native.gate import Gate
from flightframe_server.backends.polars_native.rows import edge_map
from flightframe_server.backends.polars_native.running import PolarsRunning, translated
from flightframe_server.backends.protocol import Capabilities, TableStatistics
from flightframe_server.backends.unbounded import refuse_bounds
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.catalog.types import DataType
from flightframe_server.errors import BackendError, SetupError, shown
from flightframe_server.planner.source import FrameQuery, SourceQuery, TableHop
from flightframe_server.resolver.operators import REDUCERS


class PolarsBackend:
    """A folder of Parquet files; `NAME.parquet` is the table NAME.

    Args:
        folder: the folder.
        backend_id: part of every entry's identity.

    Raises:
        SetupError: there is no such folder.
    """

    def __init__(self, folder: str | Path, *, backend_id: str = "polars") -> None:
        """Look at the folder; see the class."""
        self.id = backend_id
        self._folder = ParquetFolder(Path(folder))
        self._lock = threading.Lock()
        self._running: weakref.WeakSet[PolarsRunning] = weakref.WeakSet()
        self._closed = False

    @classmethod
    def open(cls, settings: BackendSettings, folder: Path) -> Self:
        """Open the files of an installation whose manifest is in `folder`.

        Raises:
            SetupError: there is no such folder, or an option is given.
        """
        if settings.options:
            raise SetupError(
                f"the polars back-end has no option {shown(next(iter(settings.options)))}"
            )
        refuse_bounds(settings)
        source = folder / settings.source
        return cls(source, backend_id=f"polars:{source.name}")

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(frozenset(REDUCERS))

    def capabilities(self) -> Capabilities:
        """Return what it can do: every reducer."""
        return self.CAPABILITIES

    def tables(self) -> dict[str, dict[str, DataType]]:
        """Return each file with its usable columns."""
        return {name: dict(self._folder.types(name)) for name in self._folder.names()}

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the columns that are left out of `tables`; see `Backend.unanswered`."""
        names = set(self._folder.names())
        found = {name: dict(self._folder.unanswered(name)) for name in tables if name in names}
        return {name: columns for name, columns in found.items() if columns}

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return a sign for each table: modification time, size and inode of its file."""
        return {table: self._folder.sign(table) for table in tables}

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> PolarsRunning:
        """Start a query; see `Backend.run`."""
        gate = Gate()
        running = self._start(self._compiled(query, gate), timeout, gate)
        if stop is not None:
            stop.attach(running)
        return running

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the optimised plan of a query, without the folder's path."""
        try:
            return self._folder.hide(self._compiled(query).frame.explain(engine="streaming"))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise translated(error) from error

    def edge_map(self, hop: TableHop) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`."""
        columns = (("source", hop.source_type), ("target", hop.type))
        try:
            query = LazyQuery(edge_map(hop, self._folder), columns)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise translated(error) from error
        running = self._start(query, None, Gate())
        return pa.Table.from_batches(list(running), schema=running.schema)

    def duplicate(self, table: str, columns: tuple[str, ...]) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None."""
        if not columns:
            return () if self._folder.rows(table) > 1 else None
        keys = [str(at) for at in range(len(columns))]
        counted = self._folder.raw(table, columns).group_by(keys).agg(pl.len().alias("rows"))
        several = self._collected(counted.filter(pl.col("rows") > 1).head(1).select(keys))
        return several.row(0) if several.height else None

    def statistics(self, table: str, columns: tuple[str, ...]) -> TableStatistics:
        """Return the rows of a table and about how many members each column has."""
        rows = self._folder.rows(table)
        if not columns:
            return TableStatistics(rows)
        counted = self._folder.raw(table, columns).select(pl.all().to_physical().approx_n_unique())
        members = self._collected(counted).row(0)
        return TableStatistics(rows, dict(zip(columns, map(int, members), strict=True)))

    def close(self) -> None:
        """Give up what runs."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for query in running:
            query.cancel()

    def _compiled(self, query: SourceQuery | FrameQuery, gate: Gate | None = None) -> LazyQuery:
        try:
            return lazy_query(query, self._folder if gate is None else self._folder.through(gate))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise translated(error) from error

    def _start(self, query: LazyQuery, timeout: float | None, gate: Gate) -> PolarsRunning:
        with self._lock:
            if self._closed:
                raise BackendError("the database is closed")
            running = PolarsRunning(query, timeout, gate)
            self._running.add(running)
        return running

    def _collected(self, frame: pl.LazyFrame) -> pl.DataFrame:
        try:
            return frame.collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise translated(error) from error
