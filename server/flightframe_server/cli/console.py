"""The output of all commands: two consoles, the colours of `served_from`, tables, progress.

What comes in: rows of values. What goes out: text on a terminal, or plain text where there is
none. It must never let a value act on the terminal, and never shorten or round a number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from flightframe.display import cell, printable
from flightframe_server.cli.streams import escaped, fits

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

STYLES = {
    "engine_cache": "bold green",
    "engine_mixed": "bold yellow",
    "engine_backend": "bold yellow",
    "backend": "bold bright_black",
}
MIN_TEXT_WIDTH = 8
UNBOUNDED = 1_000_000


@dataclass(slots=True)
class Rows:
    """The first rows of an answer and the number of all of them.

    Attributes:
        schema: the columns.
        limit: rows to keep; None for all.
        kept: these rows.
        count: rows seen.
    """

    schema: pa.Schema
    limit: int | None = None
    kept: list[tuple[Any, ...]] = field(default_factory=list)
    count: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take note of one batch."""
        room = batch.num_rows if self.limit is None else max(0, self.limit - self.count)
        head = batch.slice(0, room)
        self.kept.extend(zip(*(column.to_pylist() for column in head.columns), strict=True))
        self.count += batch.num_rows


def first_rows(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], limit: int | None = None
) -> Rows:
    """Return the first `limit` rows of all batches, and count the others."""
    rows = Rows(schema, limit)
    for batch in batches:
        rows.add(batch)
    return rows


def rows_table(rows: Rows) -> Table:
    """Return rows as a table, numbers flush right and in full."""
    table = new_table()
    cells = [[cell_text(value) for value in row] for row in rows.kept]
    for index, column in enumerate(rows.schema):
        name = printable(column.name)
        widest = max((cell_len(row[index]) for row in cells), default=0)
        if is_number(column.type):
            table.add_column(Text(name), justify="right", no_wrap=True, min_width=widest)
        else:
            # Without a least width, a narrow terminal would lose the whole column.
            min_width = min(widest, MIN_TEXT_WIDTH)
            table.add_column(Text(name), overflow="fold", min_width=min_width)
    for row in cells:
        table.add_row(*(Text(text) for text in row))
    return table


def new_table(*headings: str) -> Table:
    """Return an empty table in the one style of all commands."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", min_width=MIN_TEXT_WIDTH)
    return table


def show_table(table: Table, indent: int = 0) -> None:
    """Print a table: folded to the width of a terminal, or else in full.

    A terminal too narrow for every number in full gets the full table and breaks its lines: a
    cropped number would look like another number.
    """
    padded = Padding(table, (0, 0, 0, indent), expand=False)
    unbounded = out.options.update(max_width=UNBOUNDED)
    if out.is_terminal and Measurement.get(out, unbounded, padded).minimum <= out.width:
        out.print(padded, soft_wrap=False)
        return
    wide = Console(file=out.file, width=UNBOUNDED, force_terminal=out.is_terminal)
    with wide.capture() as captured:
        wide.print(padded)
    for line in captured.get().splitlines():
        print(line.rstrip(), file=out.file)


def footer(rows: Rows, served_from: str) -> Text:
    """Return such as `3 rows · served_from: engine_cache`."""
    kept = len(rows.kept)
    first = f" (the first {kept:,} shown)" if kept < rows.count else ""
    return Text.assemble(f"{counted(rows.count, 'row')}{first} · served_from: ", badge(served_from))


def badge(served_from: str) -> Text:
    """Return a label in its colour."""
    return Text(printable(served_from), STYLES.get(served_from, "bold"))


def counted(count: int, noun: str) -> str:
    """Return such as `2,231 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def cell_text(value: object) -> str:
    """Return a value as text: exact, on one line, in full, in characters that stdout can show."""
    return writable(printable(value) if isinstance(value, str) else cell(value))


def writable(text: str) -> str:
    """Return a text as it is, or escaped where stdout lacks one of its characters."""
    return text if fits(text, out.encoding) else escaped(text)


def is_number(kind: pa.DataType) -> bool:
    """Return whether values of the type are set flush right."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Bar]:
    """Draw a bar on stderr while something takes its time; nothing where there is no terminal."""
    columns: Sequence[Any] = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as bars:
        yield Bar(bars, label, total)


class Bar:
    """One bar of progress."""

    def __init__(self, bars: Progress, label: str, total: int | None) -> None:
        """Begin at nothing."""
        self._bars = bars
        self._task = bars.add_task(label, total=total)

    def at(self, label: str, done: int, total: int | None = None) -> None:
        """Say what is being done, and how much of it is."""
        self._bars.update(self._task, description=label, completed=done, total=total)
