"""The Polars back-end: a folder of Parquet files, read by native lazy frames.

What comes in: the planner's queries. What goes out: Arrow batches. It must never see SQL: every
plan becomes Polars expressions, so that where it agrees with an SQL database two independent
readings of the plan agree.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import polars as pl
import pyarrow as pa
import structlog

from flightframe_server.algebra.functions import CHOOSING
from flightframe_server.algebra.primitives import Primitive
from flightframe_server.algebra.types import DataType
from flightframe_server.backends.cancellation import CancelToken
from flightframe_server.backends.polars.files import OpenTables, ParquetFolder
from flightframe_server.backends.polars.frames import LazyQuery, lazy_query
from flightframe_server.backends.polars.functions import FUNCTIONS
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.polars.rows import edge_map
from flightframe_server.backends.polars.running import Computation, PolarsRunning, translated
from flightframe_server.backends.protocol import Fingerprints, SourceMoved, TableStatistics
from flightframe_server.backends.unbounded import refuse_bounds
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import BackendError, SetupError, shown
from flightframe_server.planner.capabilities import Capabilities
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import FrameQuery, SourceQuery

log = structlog.get_logger(__name__)

Begun = TypeVar("Begun", bound=Computation[Any])


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
        self._running: weakref.WeakSet[Computation[Any]] = weakref.WeakSet()
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

    CAPABILITIES: ClassVar[Capabilities] = Capabilities(
        frozenset(Primitive), frozenset({*FUNCTIONS, *CHOOSING})
    )

    def capabilities(self) -> Capabilities:
        """Return what it can do: every reducer."""
        return self.CAPABILITIES

    def tables(self, at: Fingerprints | None = None) -> dict[str, dict[str, DataType]]:
        """Return each file with its usable columns; see `Backend.tables`.

        With `at`, a file that is not named there and cannot be read is left out.
        """
        names = self._folder.names()
        known = at if at is not None else {}
        if any(sign is not None and table not in names for table, sign in known.items()):
            raise SourceMoved
        tables: dict[str, dict[str, DataType]] = {}
        for name in names:
            try:
                with OpenTables(self._folder, at) as opened:
                    tables[name] = dict(opened.types(name))
            except (BackendError, SourceMoved):
                if at is None or name in known:
                    raise
                log.warning("table.unusable", table=name)
        return tables

    def unanswered(self, tables: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the columns that are left out of `tables`; see `Backend.unanswered`."""
        names = set(self._folder.names())
        with OpenTables(self._folder) as opened:
            columns_of = {name: dict(opened.unanswered(name)) for name in tables if name in names}
        return {name: columns for name, columns in columns_of.items() if columns}

    def fingerprints(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return a sign of each table's file that moves with every write to it.

        None stands for a file that is not there, or that is being written.
        """
        return self._folder.signs(tables)

    def run(
        self,
        query: SourceQuery | FrameQuery,
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> PolarsRunning:
        """Start a query; see `Backend.run`."""
        return self._started(lambda tables: lazy_query(query, tables), at, token)

    def text(self, query: SourceQuery | FrameQuery) -> str:
        """Return the optimised plan of a query, without the folder's path."""
        with OpenTables(self._folder) as tables, _translating(tables):
            plan = lazy_query(query, tables).frame.explain(engine="streaming")
        return self._folder.hide(plan)

    def edge_map(
        self, hop: TableHop, *, at: Fingerprints | None = None, token: CancelToken | None = None
    ) -> pa.Table:
        """Return the distinct map of an edge as `source`, `target`; see `Backend.edge_map`."""
        columns = (("source", hop.source_type), ("target", hop.type))
        running = self._started(lambda tables: LazyQuery(edge_map(hop, tables), columns), at, token)
        return pa.Table.from_batches(list(running), schema=running.schema)

    def duplicate(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> tuple[object, ...] | None:
        """Return one key that stands on several rows, or None; see `Backend.duplicate`."""
        if not columns:
            return () if self._rows(table, at) > 1 else None
        keys = [str(number) for number in range(len(columns))]

        def several(tables: OpenTables) -> pl.LazyFrame:
            counted = tables.raw(table, columns).group_by(keys).agg(pl.len().alias("rows"))
            return counted.filter(pl.col("rows") > 1).head(1).select(keys)

        rows = self._collected(several, at, token)
        return rows.row(0) if rows.height else None

    def statistics(
        self,
        table: str,
        columns: tuple[str, ...],
        *,
        at: Fingerprints | None = None,
        token: CancelToken | None = None,
    ) -> TableStatistics:
        """Return the rows of a table and about how many members each column has."""
        if not columns:
            return TableStatistics(self._rows(table, at))

        def counted(tables: OpenTables) -> pl.LazyFrame:
            members = pl.all().to_physical().approx_n_unique()
            return tables.raw(table, columns).select(pl.len().alias("rows"), members)

        rows, *members = self._collected(counted, at, token).row(0)
        return TableStatistics(int(rows), dict(zip(columns, map(int, members), strict=True)))

    def close(self) -> None:
        """Give up what runs."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for query in running:
            query.cancel()

    def _rows(self, table: str, at: Fingerprints | None) -> int:
        with OpenTables(self._folder, at) as tables:
            return tables.rows(table)

    def _started(
        self,
        compiled: Callable[[OpenTables], LazyQuery],
        at: Fingerprints | None,
        token: CancelToken | None,
    ) -> PolarsRunning:
        def start(tables: OpenTables, gate: Gate) -> PolarsRunning:
            return PolarsRunning(compiled(tables), gate, tables)

        return self._begun(start, at, token)

    def _collected(
        self,
        compiled: Callable[[OpenTables], pl.LazyFrame],
        at: Fingerprints | None,
        token: CancelToken | None,
    ) -> pl.DataFrame:
        def start(tables: OpenTables, gate: Gate) -> Computation[pl.DataFrame]:
            frame = compiled(tables)
            return Computation(lambda: iter([frame.collect(engine="streaming")]), tables, gate)

        [collected] = self._begun(start, at, token)
        return collected

    def _begun(
        self,
        start: Callable[[OpenTables, Gate], Begun],
        at: Fingerprints | None,
        token: CancelToken | None,
    ) -> Begun:
        """Start a computation over tables of the version wanted, and attach it to its token."""
        if token is not None:
            token.check()
        gate = Gate()
        tables = OpenTables(self._folder, at, gate)
        try:
            with self._lock:
                if self._closed:
                    raise BackendError("the database is closed")
            with _translating(tables):
                running = start(tables, gate)
        except BaseException:
            tables.close()
            raise
        with self._lock:
            self._running.add(running)
            closed = self._closed
        if closed:
            running.cancel()
        if token is not None:
            token.attach(running)
        return running


@contextmanager
def _translating(tables: OpenTables) -> Iterator[None]:
    """Turn what goes wrong while a query is made into an error of ours, or `SourceMoved`."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        tables.check()
        raise translated(error) from error
