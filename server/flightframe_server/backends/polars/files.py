"""A folder of Parquet files as tables: `NAME.parquet` is the table NAME.

What comes in: a folder. What goes out: signs of change, and the tables of one query, open: declared
types, and lazy scans whose columns are held as `values` says. It must never write, nor read a file
that is not in the folder, nor mix two versions of a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    TEXT,
    DataType,
    Kind,
    decimal,
    fine_timestamp,
)
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.polars.parquet_file import ParquetFile, column_type
from flightframe_server.backends.polars.signs import PATIENCE, SettledSigns
from flightframe_server.backends.polars.values import Value, dtype_of
from flightframe_server.backends.protocol import Fingerprints, SourceMoved
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import BackendError, SetupError, shown

_SUFFIX = ".parquet"
_ROW = " row"

Types = Mapping[str, DataType]


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What the footer of one version of a file says.

    Attributes:
        footer: the footer itself.
        types: the declared types of the usable columns.
        columns: what Polars holds each of them in as it is read.
        unanswered: the other columns, with Arrow's word for their type.
    """

    footer: pq.FileMetaData
    types: Types
    columns: Mapping[str, pl.DataType]
    unanswered: Mapping[str, str]


class ParquetFolder:
    """The files of a folder.

    Args:
        folder: where the files are.

    Raises:
        SetupError: it is no folder.
    """

    def __init__(self, folder: Path) -> None:
        """Look at the folder; see the class."""
        if not folder.is_dir():
            raise SetupError(
                f"there is no folder {folder.name}",
                hint="check backend.source in the installation; it is relative to that file",
            )
        self._folder = folder.resolve()
        self._signs = SettledSigns()
        self._known: dict[str, tuple[str, Contents]] = {}

    def names(self) -> tuple[str, ...]:
        """Return the tables that are there now, sorted.

        Raises:
            BackendError: the folder is gone.
        """
        try:
            paths = [path for path in self._folder.iterdir() if path.suffix == _SUFFIX]
        except OSError as error:
            raise BackendError("the folder of the tables cannot be read") from error
        return tuple(sorted(path.stem for path in paths if path.is_file()))

    def signs(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return the sign of each table's file; None where there is none, or it is being written.

        Takes at most `PATIENCE` seconds, and no time at all where nothing was written just now.
        """
        deadline = time.monotonic() + PATIENCE
        return {table: self._sign(table, deadline) for table in tables}

    def _sign(self, table: str, deadline: float) -> str | None:
        try:
            return self._signs.settled(table, self._path(table).stat, deadline)
        except (OSError, BackendError):
            return None

    def open(self, table: str, version: str | None) -> ParquetFile:
        """Open the file of a table.

        Args:
            table: the table.
            version: the sign that it must have; None: it is of any one version.

        Raises:
            SourceMoved: it is of another version, or being written.
            BackendError: it is gone, or cannot be read.
        """
        try:
            file = ParquetFile(self._path(table))
        except OSError as error:
            if version is not None and isinstance(error, FileNotFoundError):
                raise SourceMoved from error
            raise _unreadable(table) from error
        sign: str | None = file.sign
        if version is None:
            deadline = time.monotonic() + PATIENCE
            version = sign = self._signs.settled(table, file.stat, deadline)
        if sign is None or sign != version or sign != file.sign or file.being_written:
            file.close()
            raise SourceMoved
        return file

    def contents(self, table: str, file: ParquetFile) -> Contents:
        """Return what an open file of a table holds.

        Raises:
            SourceMoved: it was written to meanwhile.
            BackendError: it is no Parquet file, or damaged.
        """
        known = self._known.get(table)
        if known is not None and known[0] == file.sign:
            return known[1]
        try:
            contents = _contents(file.footer())
        except (OSError, ValueError, LookupError, pa.ArrowException) as error:
            file.check()
            raise _unreadable(table) from error
        file.check()
        self._known[table] = file.sign, contents
        return contents

    def hide(self, text: str) -> str:
        """Return a text without the folder's path."""
        return text.replace(f"{self._folder}/", "")

    def _path(self, table: str) -> Path:
        file = f"{table}{_SUFFIX}"
        if Path(file).name != file:
            raise BackendError(f"there is no table {shown(table)}")
        return self._folder / file


class OpenTables:
    """The tables that one query reads, each opened once and of one version.

    Args:
        folder: where they are.
        at: the sign that each must have; None, or no sign, for any one version.
        gate: what every batch passes.
    """

    def __init__(
        self, folder: ParquetFolder, at: Fingerprints | None = None, gate: Gate | None = None
    ) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._at = at if at is not None else {}
        self._gate = gate if gate is not None else Gate()
        self._files: dict[str, ParquetFile] = {}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()

    def check(self) -> None:
        """Raise `SourceMoved` where a file was written to since it was opened."""
        for file in self._files.values():
            file.check()

    def close(self) -> None:
        """Close the files; idempotent."""
        for file in self._files.values():
            file.close()

    def types(self, table: str) -> Types:
        """Return the declared types of a table's usable columns.

        Raises:
            SourceMoved: the file is of another version, or being written.
            BackendError: it is gone, or no Parquet file.
        """
        return self._opened(table)[1].types

    def unanswered(self, table: str) -> Mapping[str, str]:
        """Return the columns that `types` leaves out, with Arrow's word for their type."""
        return self._opened(table)[1].unanswered

    def rows(self, table: str) -> int:
        """Return how many rows a table has, from its footer; raises as `types`."""
        return int(self._opened(table)[1].footer.num_rows)

    def scan(self, table: str, columns: Iterable[tuple[str, str]]) -> pl.LazyFrame:
        """Return a table's rows with some columns held as declared.

        Args:
            table: the table.
            columns: pairs of a column and the name it is given.

        Raises:
            SourceMoved: as `types`.
            BackendError: the file is gone, or has no such column.
        """
        types, frame = self.types(table), self._frame(table)
        chosen = []
        for column, name in columns:
            if column not in types:
                raise BackendError(f"table {shown(table)} has no column {shown(column)}")
            chosen.append(_physical(frame, column, types[column]).alias(name))
        if not chosen:
            # Rows without a column cannot be counted.
            return frame.with_row_index(_ROW).select(_ROW)
        return frame.select(chosen)

    def raw(self, table: str, columns: Iterable[str]) -> pl.LazyFrame:
        """Return some columns of a table as they are stored, named `0`, `1`, ...; see `scan`."""
        chosen = [cs.by_name(name).as_expr().alias(str(at)) for at, name in enumerate(columns)]
        return self._frame(table).select(chosen)

    def value(self, table: str, column: str, name: str) -> Value:
        """Return a column of `scan` that was given `name`, with its type."""
        return Value(pl.col(name), self.types(table)[column])

    def _frame(self, table: str) -> pl.LazyFrame:
        file, contents = self._opened(table)
        return file.frame(contents.footer, contents.columns, self._gate)

    def _opened(self, table: str) -> tuple[ParquetFile, Contents]:
        file = self._files.get(table)
        if file is None:
            file = self._files[table] = self._folder.open(table, self._at.get(table))
        return file, self._folder.contents(table, file)


def _unreadable(table: str) -> BackendError:
    return BackendError(f"table {shown(table)} cannot be read")


def _contents(footer: pq.FileMetaData) -> Contents:
    stored = {field.name: field.type for field in footer.schema.to_arrow_schema()}
    declared = {name: declared_type(type_) for name, type_ in stored.items()}
    types = {name: type_ for name, type_ in declared.items() if type_ is not None}
    columns = {name: column_type(stored[name]) for name in types}
    unanswered = {name: str(stored[name]) for name in stored if name not in types}
    return Contents(footer, types, columns, unanswered)


def declared_type(stored: pa.DataType) -> DataType | None:
    """Return the declared type of a Parquet column, or None where we hold no such values.

    >>> str(declared_type(pa.decimal128(12, 2))), declared_type(pa.binary())
    ('decimal(12,2)', None)
    """
    if pa.types.is_dictionary(stored):
        return declared_type(stored.value_type)
    if stored == pa.uint64():
        return decimal(MAX_PRECISION, 0)
    if pa.types.is_decimal(stored):
        fits = stored.precision <= MAX_PRECISION and stored.scale >= 0
        return decimal(stored.precision, stored.scale) if fits else None
    if pa.types.is_timestamp(stored):
        zone = UTC if stored.tz else None
        return fine_timestamp(zone) if stored.unit == "ns" else DataType(Kind.TIMESTAMP, zone=zone)
    return next((declared for test, declared in _DECLARED if test(stored)), None)


_DECLARED: tuple[tuple[Callable[[pa.DataType], bool], DataType], ...] = (
    (pa.types.is_integer, INTEGER),
    (pa.types.is_floating, DOUBLE),
    (pa.types.is_string, TEXT),
    (pa.types.is_large_string, TEXT),
    (pa.types.is_string_view, TEXT),
    (pa.types.is_date, DATE),
    (pa.types.is_boolean, BOOLEAN),
)


def _physical(frame: pl.LazyFrame, column: str, declared: DataType) -> pl.Expr:
    stored = cs.by_name(column).as_expr()
    match declared.kind:
        case Kind.DECIMAL:
            of = frame.collect_schema()[column]
            return stored.to_physical() if isinstance(of, pl.Decimal) else stored.cast(exact.DIGITS)
        case Kind.TIMESTAMP:
            of = frame.collect_schema()[column]
            assert isinstance(of, pl.Datetime)
            return _ticks(stored, of).cast(dtype_of(declared))
    return stored.cast(dtype_of(declared))


def _ticks(stored: pl.Expr, of: pl.Datetime) -> pl.Expr:
    """Return moments as nanoseconds or microseconds; a farther one makes the query fail."""
    if of.time_unit == "ms":
        ticks = stored.to_physical().cast(exact.DIGITS)
        return exact.integer(ticks * exact.int128(1_000))
    return stored.to_physical()
