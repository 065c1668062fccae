"""One answer: its rows, its columns, and where it came from.

What comes in: a stream of record batches. Its first is read at once, so that a failing query fails
in `query` and `served_from` is known. What goes out: the rows, in one of two ways.

- *Streamed*: `for batch in result` hands out each batch once and keeps none, so that memory does
  not grow with the answer.
- *Kept*: `to_arrow` and everything else that needs all rows reads the rest and keeps it; afterwards
  the result can be used as often as one likes, iteration included.

It must never mix the two: asking for all rows after some have been streamed away is an error, not a
shorter answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flightframe import display
from flightframe.errors import FlightframeError, MissingPackage, ProtocolError, ResultConsumed
from flightframe.provenance import Provenance
from flightframe.stream import Batches

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Result:
    """The answer to one query; `Connection.query` makes it. Not for several threads at once."""

    def __init__(self, batches: Batches) -> None:
        """Read the first batch.

        Raises:
            FlightframeError: the answer failed before its first batch, or does not say where it
                came from.
        """
        self._source = batches
        self._ahead: deque[pa.RecordBatch] = deque()
        self._batches: tuple[pa.RecordBatch, ...] | None = None
        self._rows: list[tuple[Any, ...]] | None = None
        self._streamed = False
        self._look_ahead()
        try:
            self._served_from = batches.served_from
        except FlightframeError:
            batches.cancel()
            raise

    @property
    def schema(self) -> pa.Schema:
        """The columns with their Arrow types."""
        return self._source.schema

    @property
    def served_from(self) -> str:
        """Who answered: `engine_cache`, `engine_mixed`, `engine_backend` or `backend`."""
        return self._served_from

    @property
    def provenance(self) -> Provenance:
        """Where each column came from.

        Raises:
            ProtocolError: the server says it in a shape that this version does not know.
        """
        return self._source.provenance

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.schema.names)

    @property
    def row_count(self) -> int:
        """How many rows there are; keeps the result."""
        return sum(batch.num_rows for batch in self._keep())

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as tuples of Python values, decimals exact; keeps the result."""
        if self._rows is None:
            columns = [column.to_pylist() for column in self.to_arrow().columns]
            self._rows = list(zip(*columns, strict=True))
        return self._rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches: those kept, or else each as it arrives, once.

        Leaving the loop early tells the server to stop.

        Raises:
            ResultConsumed: the batches have been streamed before.
            FlightframeError: the server failed on the way.
        """
        if self._batches is not None:
            yield from self._batches
            return
        self._refuse_streamed()
        self._streamed = True
        try:
            while self._ahead or self._look_ahead():
                yield self._ahead.popleft()
        finally:
            self._source.cancel()

    def __len__(self) -> int:
        """Return the number of rows; keeps the result."""
        return self.row_count

    def to_arrow(self) -> pa.Table:
        """Return all rows as an Arrow table; keeps the result.

        Raises:
            ResultConsumed: the batches have been streamed before, or the result is closed.
            FlightframeError: the server failed on the way.
        """
        return pa.Table.from_batches(self._keep(), schema=self.schema)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return all rows as dictionaries from column name to Python value; keeps the result."""
        rows: list[dict[str, Any]] = self.to_arrow().to_pylist()
        return rows

    def to_polars(self) -> pl.DataFrame:
        """Return all rows as a Polars data frame; keeps the result.

        Raises:
            MissingPackage: Polars is not installed.
        """
        try:
            # Optional: a caller that does not ask for Polars neither needs it nor waits for it.
            import polars as pl  # noqa: PLC0415
        except ImportError:
            raise _missing("polars") from None
        return pl.DataFrame(self.to_arrow())

    def to_pandas(self) -> pd.DataFrame:
        """Return all rows as a pandas data frame, decimals as `Decimal`; keeps the result.

        Raises:
            MissingPackage: pandas is not installed.
        """
        try:
            # Optional, as Polars is; pyarrow itself would fail with a less helpful text.
            import pandas  # noqa: F401, PLC0415
        except ImportError:
            raise _missing("pandas") from None
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def close(self) -> None:
        """Let go of the answer; a half-read one tells the server to stop. Kept rows stay."""
        self._source.cancel()
        if self._batches is None:
            self._ahead.clear()
            self._streamed = True

    def __enter__(self) -> Result:
        """Return the result itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the first rows as a table; reads ahead a little, loses nothing."""
        head = self._preview()
        return f"<Result, rows gone · {self._label()}>" if head is None else display.as_text(head)

    def _repr_html_(self) -> str:
        """Return the first rows as an HTML table, for notebooks."""
        head = self._preview()
        return escape(repr(self)) if head is None else display.as_html(head)

    def _preview(self) -> display.Preview | None:
        """Return the first rows, or None where they are gone."""
        if self._batches is not None:
            return self._previewed(self._batches, True)
        if self._streamed:
            return None
        complete = False
        try:
            while sum(batch.num_rows for batch in self._ahead) <= display.MAX_ROWS or (
                len(self._ahead) < 2
            ):
                if not self._look_ahead():
                    complete = True
                    break
        except FlightframeError:
            # Showing a result is no place to fail: a caller that reads on gets the same error.
            complete = False
        return self._previewed(tuple(self._ahead), complete)

    def _previewed(self, batches: Sequence[pa.RecordBatch], complete: bool) -> display.Preview:
        try:
            notes = self.provenance.notes
        except ProtocolError:
            # What a newer server says otherwise is asked for by name, not by showing rows.
            notes = ()
        return display.preview(self.schema, batches, complete, self.served_from, notes)

    def _label(self) -> str:
        """Return the label as it is shown."""
        return f"served_from: {display.printable(self.served_from)}"

    def _look_ahead(self) -> bool:
        """Fetch one more batch; return whether there was one."""
        try:
            batch = self._source.pull()
            if batch is None:
                return False
            self._ahead.append(batch)
        except BaseException:
            # An interrupt may lose a batch on its way here: nothing may be read after the gap.
            self._source.cancel()
            raise
        return True

    def _keep(self) -> tuple[pa.RecordBatch, ...]:
        """Read the rest and return every batch."""
        if self._batches is None:
            self._refuse_streamed()
            while self._look_ahead():
                pass
            self._batches = tuple(self._ahead)
            self._ahead.clear()
        return self._batches

    def _refuse_streamed(self) -> None:
        """Refuse where rows have been handed out and not kept."""
        if self._streamed:
            raise ResultConsumed(
                "RESULT_CONSUMED",
                "the rows of this result have been streamed or closed, and were not kept",
                "call to_arrow() before iterating, or ask again",
            )


def _missing(package: str) -> MissingPackage:
    """Return the error for an optional package that is not there."""
    return MissingPackage(
        "MISSING_PACKAGE", f"to_{package}() needs {package}", f"pip install {package}"
    )
