"""One Parquet file, open: whatever is read from it is of the version that was opened, or refused.

What comes in: a path. What goes out: the file's sign, its footer, and lazy frames of its columns.
It must never map the file into memory, nor let Polars decode its pages: a mapped file that shrinks
ends the process, and so does a length of 2^61 that Polars' decoder finds in damaged pages. Arrow's
decoder reads by `pread`, refuses what is damaged, and checks the text that it hands over.

The file stays open while it is read: what is read does not depend on what stands under its name
meanwhile, and whether the file was written to is asked of the open file itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source

from flightframe_server.backends.file_writers import open_for_writing
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.polars.signs import sign_of
from flightframe_server.backends.protocol import SourceMoved

READ_ROWS = 131_072
"""Rows decoded at a time: handing over many small batches costs more than decoding them."""

WRITING_SECONDS = 5.0
"""How long a writer may rest and is waited for."""


class ParquetFile:
    """An open file.

    Args:
        path: of the file.

    Raises:
        OSError: there is no such file, or it may not be read.

    Attributes:
        name: of the file, without its folder.
        sign: of the version that was opened.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; see the class."""
        if not path.is_file():
            # To open a pipe would wait for its writer.
            raise FileNotFoundError(path.name)
        self.name = path.name
        self._source = pa.OSFile(str(path))
        self._lock = threading.Lock()
        self._scans = 0
        self._closed = False
        self.sign = sign_of(self.stat())

    def stat(self) -> os.stat_result:
        """Return what the operating system says of the open file."""
        return os.fstat(self._source.fileno())

    def check(self) -> None:
        """Raise `SourceMoved` where the file was written to since it was opened."""
        if sign_of(self.stat()) != self.sign:
            raise SourceMoved

    @property
    def being_written(self) -> bool:
        """Whether a process wrote to the file a moment ago and has it open for more.

        What stands there may then be half of one version and half of another, both of them whole
        Parquet files. A writer that rests for `WRITING_SECONDS` is taken for one that is done:
        there are file systems that say of every file that it is open for writing.
        """
        changed = time.time() - self.stat().st_ctime
        return changed < WRITING_SECONDS and open_for_writing(self._source.fileno())

    def close(self) -> None:
        """Close the file with the last scan of it that is under way; idempotent."""
        with self._lock:
            self._closed = True
            if not self._scans:
                self._source.close()

    def footer(self) -> pq.FileMetaData:
        """Return the footer.

        Raises:
            OSError: it is damaged, or the file is none of Parquet.
            pa.ArrowException: likewise.
        """
        return pq.ParquetFile(self._source, memory_map=False).metadata

    def frame(
        self, footer: pq.FileMetaData, schema: Mapping[str, pl.DataType], gate: Gate
    ) -> pl.LazyFrame:
        """Return the rows of the file, lazily.

        Args:
            footer: the file's own.
            schema: the columns that may be asked for, with the types that `column_type` gives.
            gate: what every batch passes.
        """
        return register_io_source(
            partial(self._scan, footer, schema, gate),
            schema=dict(schema),
            explain_name="Parquet",
            explain_detail=self.name,
        )

    def _scan(
        self,
        footer: pq.FileMetaData,
        schema: Mapping[str, pl.DataType],
        gate: Gate,
        columns: list[str] | None,
        predicate: pl.Expr | None,
        limit: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Yield what Polars asks for: columns of rows that satisfy a test, at most so many."""
        with self._lock:
            if self._closed:
                raise SourceMoved
            self._scans += 1
        try:
            read = tuple(schema if columns is None else columns)
            text = [name for name in schema if schema[name] == pl.String]
            left = footer.num_rows if limit is None else limit
            for frame in _Reader(self._source, footer, text).frames(read, predicate):
                self.check()
                yield gate.passed(frame.head(left))
                left -= frame.height
                if left <= 0:
                    return
        finally:
            with self._lock:
                self._scans -= 1
                if self._closed and not self._scans:
                    self._source.close()


class _Reader:
    """The pages of a file, decoded to frames."""

    def __init__(self, source: pa.NativeFile, footer: pq.FileMetaData, text: Sequence[str]) -> None:
        # Text is kept in its dictionary, since most of it repeats.
        self._file = pq.ParquetFile(
            source, metadata=footer, read_dictionary=text, memory_map=False, pre_buffer=False
        )
        self._groups = range(footer.num_row_groups)

    def frames(self, columns: Sequence[str], predicate: pl.Expr | None) -> Iterator[pl.DataFrame]:
        """Yield frames of some columns, of the rows that satisfy a test."""
        tested = [] if predicate is None else list(dict.fromkeys(predicate.meta.root_names()))
        if predicate is None or not tested:
            for frame in self._read(self._groups, columns):
                yield frame if predicate is None else frame.filter(predicate)
            return
        others = [column for column in columns if column not in tested]
        for group in self._groups:
            # Where no row of a group satisfies it, the group's other columns are not even read.
            parts = list(self._read([group], tested))
            masks = [frame.select(predicate).to_series() for frame in parts]
            if any(rows.any() for rows in masks):
                more = self._read([group], others)
                for frame, other, rows in zip(parts, more, masks, strict=True):
                    yield frame.hstack(other).filter(rows).select(columns)

    def _read(self, groups: Sequence[int], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        batches = self._file.iter_batches(READ_ROWS, row_groups=list(groups), columns=columns)
        for batch in batches:
            # Arrow reads text and indices as they stand; Polars takes them for good.
            batch.validate(full=True)
            yield _frame(batch, columns)


def _frame(batch: pa.RecordBatch, columns: Sequence[str]) -> pl.DataFrame:
    if not columns:
        return pl.DataFrame(height=batch.num_rows)
    return pl.DataFrame([_series(name, batch.column(name)) for name in columns])


def _series(name: str, column: pa.Array) -> pl.Series:
    if pa.types.is_dictionary(column.type):
        members = pl.Series(name, column.dictionary)
        return members.gather(pl.Series(column.indices))
    return pl.Series(name, column)


def column_type(stored: pa.DataType) -> pl.DataType:
    """Return the type of Polars that a column comes in.

    >>> column_type(pa.dictionary(pa.int32(), pa.string()))
    String
    """
    if pa.types.is_dictionary(stored):
        stored = stored.value_type
    return pl.Series(pa.array([], stored)).dtype
