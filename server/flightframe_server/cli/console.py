"""The output of all commands: two consoles, the colours of `served_from`, tables.

What comes in: rows of values. What goes out: text on a terminal, or plain text where there is
none. It must never let a value act on the terminal, and never shorten or round a number, but for
doubles on a screen, which the line under the table tells of.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from flightframe.display import cell, printable
from flightframe_server.cli.layout import ASCII_RULE, RULE, Column, Table, folded, laid_out
from flightframe_server.cli.streams import escaped, fits

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

STYLES = {
    "engine_cache": "bold green",
    "engine_mixed": "bold yellow",
    "engine_backend": "bold yellow",
    "backend": "bold bright_black",
}
DOUBLE_WIDTH = 12
DOUBLE_DIGITS = 9
"""A double that takes more places than the first is shown on a screen with this many digits."""


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
    """Return rows as a table, numbers flush right and in full; doubles as `cell_text` says."""
    columns = [Column(printable(one.name), is_number(one.type)) for one in rows.schema]
    short = on_screen()
    return Table(
        columns, [tuple(cell_text(value, short=short) for value in row) for row in rows.kept]
    )


def new_table(*headings: str | Column) -> Table:
    """Return an empty table of texts."""
    return Table([Column(one) if isinstance(one, str) else one for one in headings])


def show_table(table: Table, indent: int = 0) -> None:
    """Print a table: folded to the width of a screen, or else as wide as it is."""
    width = max(2, screen_width() - indent) if on_screen() else None
    for line in laid_out(table, width, RULE if fits(RULE, out.encoding) else ASCII_RULE):
        text = " " * indent + line.text
        if line.heading:
            out.print(Text(text, "bold"))
        else:
            print(text, file=out.file)


def show_text(text: str, indent: int = 0, style: str = "") -> None:
    """Print a text, folded between words to the width of a screen, or else on one line."""
    lines = folded(text, max(2, screen_width() - indent)) if on_screen() else [text]
    for line in lines:
        out.print(Text(" " * indent + line, style))


def show_line(text: Text, to: Console = out) -> None:
    """Print a line of several styles, folded between words to the width of a screen."""
    if to.is_terminal:
        to.print(text, soft_wrap=False, overflow="fold", width=screen_width(to))
    else:
        to.print(text)


def on_screen() -> bool:
    """Return whether stdout is a terminal."""
    return out.is_terminal


def screen_width(console: Console = out) -> int:
    """Return the places of a line; what is piped is drawn as for a screen of the usual width."""
    columns = os.environ.get("COLUMNS", "")
    # A console of rich takes every dumb terminal for one of 80 places.
    if console.is_dumb_terminal and not (columns.isdecimal() and int(columns)):
        with contextlib.suppress(OSError, ValueError):
            return os.get_terminal_size(console.file.fileno()).columns or console.width
    return console.width


def footer(rows: Rows, served_from: str) -> Text:
    """Return such as `3 rows · served_from: engine_cache`."""
    kept = len(rows.kept)
    first = f" (the first {kept:,} shown)" if kept < rows.count else ""
    line = Text.assemble(f"{counted(rows.count, 'row')}{first} · served_from: ", badge(served_from))
    if on_screen() and any(shortened(value) for row in rows.kept for value in row):
        line.append(f" · doubles to {DOUBLE_DIGITS} digits", "dim")
    return line


def badge(served_from: str) -> Text:
    """Return a label in its colour."""
    return Text(printable(served_from), STYLES.get(served_from, "bold"))


def counted(count: int, noun: str) -> str:
    """Return such as `2,231 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def cell_text(value: object, *, short: bool = False) -> str:
    """Return a value as text, on one line, in characters that stdout can show.

    Args:
        value: what to show: exact, and in full.
        short: whether a double of many digits is shown with a few of them.
    """
    if short and isinstance(value, float) and shortened(value):
        return short_double(value)
    return writable(printable(value) if isinstance(value, str) else cell(value))


def shortened(value: object) -> bool:
    """Return whether a value is a double that `short_double` rounds."""
    return (
        isinstance(value, float)
        and math.isfinite(value)
        and len(str(value)) > DOUBLE_WIDTH
        and float(short_double(value)) != value
    )


def short_double(value: float) -> str:
    """Return a double with nine digits, two of them behind the point at least.

    >>> [short_double(value) for value in (3868636.357142857, 0.1 + 0.2, 1.23456789012e-9)]
    ['3868636.36', '0.300000000', '1.23456789e-09']
    """
    size = abs(value)
    if not 1e-4 <= size < 1e15:
        return f"{value:.{DOUBLE_DIGITS - 1}e}"
    before = len(str(int(size))) if size >= 1 else 0
    return f"{value:.{max(2, DOUBLE_DIGITS - before)}f}"


def writable(text: str) -> str:
    """Return a text as it is, or escaped where stdout lacks one of its characters."""
    return text if fits(text, out.encoding) else escaped(text)


def is_number(kind: pa.DataType) -> bool:
    """Return whether values of the type are set flush right."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
