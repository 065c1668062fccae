"""Tables as lines of text that fit a width: pure, and the same for every command.

What comes in: columns, rows of cells, and the width of a screen or None for as wide as they are.
What goes out: lines, none of them wider unless a number alone is. It must never cut a cell: a text
is folded inside its column, a number stands on one line, and where the columns do not fit beside
each other every row becomes a record, a line for each column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, chop_cells

GAP = 3
NARROW_GAP = 2
TEXT_WIDTH_MIN = 8
WORD_WIDTH_MAX = 20
HEADING_WIDTH_MIN = 4
RULE, ASCII_RULE = "─", "-"

_BREAKS = re.compile(r"(?<=[ _])")
_BREAKS_INSIDE = re.compile(r"(?<=[(,;:/@=.-])")
"""Where a word that is too long for a line is broken rather than anywhere."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and whether it is of numbers, which stand flush right."""

    heading: str
    numeric: bool = False


@dataclass(slots=True)
class Table:
    """Columns and rows of texts.

    Attributes:
        columns: the columns.
        rows: a cell for each column, without line breaks.
        headed: whether headings and a rule are shown.
    """

    columns: Sequence[Column]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    headed: bool = True

    def add(self, *cells: str) -> None:
        """Add a row."""
        self.rows.append(cells)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table, and whether it belongs to the headings."""

    text: str
    heading: bool = False


def laid_out(table: Table, width: int | None, rule: str = RULE) -> list[Line]:
    """Return a table as lines.

    Args:
        table: what to lay out.
        width: the most places of a line; None where any number will do.
        rule: the character under the headings.
    """
    natural = [
        max([cell_len(column.heading) * table.headed, *(cell_len(row[at]) for row in table.rows)])
        for at, column in enumerate(table.columns)
    ]
    if width is None:
        return list(_grid(table, natural, GAP, rule))
    for gap in (GAP, NARROW_GAP):
        if _total(natural, gap) <= width:
            return list(_grid(table, natural, gap, rule))
    least = [_least(table, at, natural[at]) for at in range(len(table.columns))]
    if _total(least, NARROW_GAP) <= width:
        return list(_grid(table, _shared(natural, least, width), NARROW_GAP, rule))
    return list(_records(table, width, rule))


def folded(text: str, width: int) -> list[str]:
    """Return a text as lines of at most a width, broken between words where that is possible.

    >>> folded("may be asked at", 8)
    ['may be', 'asked at']
    >>> folded("MEMBERS(members(stores))", 20)
    ['MEMBERS(members(', 'stores))']
    """
    lines: list[str] = []
    line = ""
    for word in _words(text, width):
        if cell_len((line + word).rstrip()) <= width:
            line += word
            continue
        if line.strip():
            lines.append(line.rstrip())
        *full, line = chop_cells(word, max(width, 2)) or [""]
        lines.extend(full)
    return [*lines, line.rstrip()]


def _words(text: str, width: int) -> Iterator[str]:
    """Yield the pieces between which a text may be broken; those of a long word are shorter."""
    for word in _BREAKS.split(text):
        if cell_len(word.rstrip()) > width:
            yield from _BREAKS_INSIDE.split(word)
        else:
            yield word


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks to a width, which the text may already have."""
    blanks = " " * max(0, width - cell_len(text))
    return blanks + text if right else text + blanks


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _least(table: Table, at: int, natural: int) -> int:
    """Return how narrow a column may become: a number keeps its digits, a text its words."""
    column = table.columns[at]
    cells = [row[at] for row in table.rows]
    if column.numeric:
        return max([min(natural, HEADING_WIDTH_MIN), *map(cell_len, cells)])
    words = (cell_len(word) for cell in cells for word in cell.split(" "))
    return min(natural, max(TEXT_WIDTH_MIN, min(max(words, default=0), WORD_WIDTH_MAX)))


def _shared(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Return widths that fill a line: the narrowest columns that need more are given it first."""
    widths = list(least)
    left = width - _total(widths, NARROW_GAP)
    while left > 0:
        short = [at for at, size in enumerate(widths) if size < natural[at]]
        if not short:
            break
        widths[min(short, key=widths.__getitem__)] += 1
        left -= 1
    return widths


def _grid(table: Table, widths: Sequence[int], gap: int, rule: str) -> Iterator[Line]:
    if table.headed:
        for text in _lines(table, [column.heading for column in table.columns], widths, gap):
            yield Line(text, heading=True)
        yield Line(rule * _total(widths, gap))
    for row in table.rows:
        for text in _lines(table, row, widths, gap):
            yield Line(text)


def _lines(table: Table, cells: Sequence[str], widths: Sequence[int], gap: int) -> Iterator[str]:
    """Yield a row as one line, or as several where a cell is folded."""
    parts = [
        [cell] if cell_len(cell) <= width else folded(cell, width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    for number in range(max(map(len, parts), default=0)):
        line = (
            padded(part[number] if number < len(part) else "", widths[at], right=column.numeric)
            for at, (part, column) in enumerate(zip(parts, table.columns, strict=True))
        )
        yield (" " * gap).join(line).rstrip()


def _records(table: Table, width: int, rule: str) -> Iterator[Line]:
    """Yield a row as a block of lines: the heading of each column, and its cell beside it."""
    numbers = [
        cell_len(row[at])
        for at, column in enumerate(table.columns)
        if column.numeric
        for row in table.rows
    ]
    names = max((cell_len(column.heading) for column in table.columns), default=0)
    names = max(2, min(names, width // 2, width - 1 - max(numbers, default=0)))
    room = max(2, width - names - 1)
    for row in table.rows:
        if table.headed:
            yield Line(rule * width)
        for column, cell in zip(table.columns, row, strict=True):
            heading = folded(column.heading, names)
            # Half a number would look like another one: a line may rather be too long.
            value = [cell] if column.numeric else folded(cell, room)
            for number in range(max(len(heading), len(value))):
                left = heading[number] if number < len(heading) else ""
                right = value[number] if number < len(value) else ""
                yield Line(f"{padded(left, names)} {right}".rstrip())
