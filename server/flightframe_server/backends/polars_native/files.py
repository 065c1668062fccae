"""A folder of Parquet files as tables: `NAME.parquet` is the table NAME.

What comes in: a folder. What goes out: declared types, signs of change, and lazy scans whose
columns are held as `values` says. It must never write, nor read a file that is not in the folder.
Files are to be replaced as a whole (written beside, then renamed): a file rewritten in place under
a running scan is damaged data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from flightframe_server.backends.polars_native import exact
from flightframe_server.backends.polars_native.gate import Gate
from flightframe_server.backends.polars_native.values import Value, held
from flightframe_server.catalog.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    TEXT,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.errors import BackendError, SetupError, shown

_SUFFIX = ".parquet"
_ROW = " row"

Types = dict[str, DataType]


class ParquetFolder:
    """The tables of a folder.

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
        self._gate: Gate | None = None
        self._types: dict[str, tuple[str, Types]] = {}

    def names(self) -> tuple[str, ...]:
        """Return the tables that are there now, sorted."""
        found = (path for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        return tuple(sorted(path.stem for path in found if path.is_file()))

    def sign(self, table: str) -> str | None:
        """Return a sign that moves when a table's file does; None where there is none."""
        try:
            found = self._path(table).stat()
        except (OSError, BackendError):
            return None
        sign = f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
        return hashlib.blake2b(sign.encode(), digest_size=8).hexdigest()

    def types(self, table: str) -> Types:
        """Return the declared types of a table's usable columns.

        Raises:
            BackendError: the file is gone or no Parquet file.
        """
        sign = self.sign(table)
        known = self._types.get(table)
        if sign is not None and known is not None and known[0] == sign:
            return known[1]
        types = {field.name: declared_type(field.type) for field in self._schema(table)}
        usable = {name: declared for name, declared in types.items() if declared is not None}
        if sign is not None:
            self._types[table] = sign, usable
        return usable

    def unanswered(self, table: str) -> Mapping[str, str]:
        """Return the columns of a table that `types` leaves out, with Arrow's word for their type.

        Raises:
            BackendError: the file is gone or no Parquet file.
        """
        return {
            field.name: str(field.type)
            for field in self._schema(table)
            if declared_type(field.type) is None
        }

    def _schema(self, table: str) -> pa.Schema:
        try:
            return pq.read_schema(self._path(table))
        except (OSError, pa.ArrowException) as error:
            raise BackendError(f"table {shown(table)} cannot be read") from error

    def rows(self, table: str) -> int:
        """Return how many rows a table has, from its footer; raises as `types`."""
        try:
            return int(pq.read_metadata(self._path(table)).num_rows)
        except (OSError, pa.ArrowException) as error:
            raise BackendError(f"table {shown(table)} cannot be read") from error

    def scan(self, table: str, columns: Iterable[tuple[str, str]]) -> pl.LazyFrame:
        """Return a table's rows with some columns held as declared.

        Args:
            table: the table.
            columns: pairs of a column and the name it is given.

        Raises:
            BackendError: the file is gone, or has no such column.
        """
        types = self.types(table)
        frame = pl.scan_parquet(self._path(table), glob=False, hive_partitioning=False)
        chosen = []
        for column, name in columns:
            if column not in types:
                raise BackendError(f"table {shown(table)} has no column {shown(column)}")
            chosen.append(_held(frame, column, types[column]).alias(name))
        if not chosen:
            # Rows without a column cannot be counted.
            return self._gated(frame.with_row_index(_ROW).select(_ROW))
        return self._gated(frame.select(chosen))

    def through(self, gate: Gate) -> ParquetFolder:
        """Return the same folder, whose scans pass a gate."""
        gated = copy(self)
        gated._gate = gate
        return gated

    def _gated(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame if self._gate is None else self._gate.over(frame)

    def raw(self, table: str, columns: Iterable[str]) -> pl.LazyFrame:
        """Return some columns of a table as they are stored, named `0`, `1`, ...; see `scan`."""
        frame = pl.scan_parquet(self._path(table), glob=False, hive_partitioning=False)
        chosen = [cs.by_name(name).as_expr().alias(str(at)) for at, name in enumerate(columns)]
        return frame.select(chosen)

    def value(self, table: str, column: str, name: str) -> Value:
        """Return a column of `scan` that was given `name`, with its type."""
        return Value(pl.col(name), self.types(table)[column])

    def hide(self, text: str) -> str:
        """Return a text without the folder's path."""
        return text.replace(f"{self._folder}/", "")

    def _path(self, table: str) -> Path:
        file = f"{table}{_SUFFIX}"
        if Path(file).name != file:
            raise BackendError(f"there is no table {shown(table)}")
        return self._folder / file


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
        return DataType(Kind.TIMESTAMP, zone=stored.tz)
    return next((declared for test, declared in _PLAIN if test(stored)), None)


_PLAIN: tuple[tuple[Callable[[pa.DataType], bool], DataType], ...] = (
    (pa.types.is_integer, INTEGER),
    (pa.types.is_floating, DOUBLE),
    (pa.types.is_string, TEXT),
    (pa.types.is_large_string, TEXT),
    (pa.types.is_string_view, TEXT),
    (pa.types.is_date, DATE),
    (pa.types.is_boolean, BOOLEAN),
)


def _held(frame: pl.LazyFrame, column: str, declared: DataType) -> pl.Expr:
    stored = cs.by_name(column).as_expr()
    match declared.kind:
        case Kind.DECIMAL:
            of = frame.collect_schema()[column]
            return stored.to_physical() if isinstance(of, pl.Decimal) else stored.cast(exact.DIGITS)
        case Kind.TIMESTAMP:
            of = frame.collect_schema()[column]
            assert isinstance(of, pl.Datetime)
            return _micros(stored, of).cast(held(declared))
    return stored.cast(held(declared))


def _micros(stored: pl.Expr, of: pl.Datetime) -> pl.Expr:
    """Return moments as microseconds; a finer or farther one makes the query fail."""
    ticks = stored.to_physical().cast(exact.DIGITS)
    match of.time_unit:
        case "ns":
            return exact.integer(exact.rescale(ticks, 3, 0))
        case "ms":
            return exact.integer(ticks * exact.whole(1_000))
    return stored.to_physical()
