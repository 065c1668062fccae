"""A result as a person sees it: a small text table, or an HTML one.

What comes in: the first rows of an answer. What goes out: text for a terminal, HTML for a notebook.
It must never let a value act: control characters are shown as escapes, HTML is escaped. It must
never round: decimals are shown with every digit.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import pyarrow as pa

MAX_ROWS = 10
MAX_COLUMNS = 20
MAX_CELL = 40

GREEN, AMBER, GREY = "#1a7f37", "#9a6700", "#6e7781"
COLOURS = {
    "engine_cache": GREEN,
    "engine_mixed": AMBER,
    "engine_backend": AMBER,
    "backend": GREY,
}


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of an answer, ready to be laid out.

    Attributes:
        header: column names, at most `MAX_COLUMNS`.
        rows: at most `MAX_ROWS` rows of cells.
        numeric: for each column, whether it is set flush right.
        row_count: rows known so far.
        complete: whether there are no others.
        hidden_columns: how many columns are left out.
        served_from: the label of the answer.
        notes: remarks on it.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    row_count: int
    complete: bool
    hidden_columns: int
    served_from: str
    notes: tuple[str, ...] = ()

    @property
    def footer(self) -> str:
        """Such as `3 rows · served_from: engine_cache`."""
        facts = [_counted(self.row_count, "row", "" if self.complete else "at least ")]
        if self.hidden_columns:
            facts.append(_counted(self.hidden_columns, "more column"))
        return " · ".join([*facts, f"served_from: {printable(self.served_from)}"])


def preview(
    schema: pa.Schema,
    batches: Sequence[pa.RecordBatch],
    complete: bool,
    served_from: str,
    notes: Sequence[str] = (),
) -> Preview:
    """Take the first rows of `batches` (all of the answer's, or its first)."""
    fields = list(schema)[:MAX_COLUMNS]
    rows: list[tuple[str, ...]] = []
    for batch in batches:
        head = batch.slice(0, MAX_ROWS - len(rows))
        columns = [head.column(index).to_pylist() for index in range(len(fields))]
        rows.extend(tuple(cell(value) for value in row) for row in zip(*columns, strict=True))
        if len(rows) >= MAX_ROWS:
            break
    return Preview(
        header=tuple(_clipped(printable(field.name)) for field in fields),
        rows=tuple(rows),
        numeric=tuple(_is_number(field.type) for field in fields),
        row_count=sum(batch.num_rows for batch in batches),
        complete=complete,
        hidden_columns=len(schema) - len(fields),
        served_from=served_from,
        notes=tuple(f"note: {printable(note)}" for note in notes),
    )


def as_text(preview: Preview) -> str:
    """Lay the rows out in aligned columns, with the footer below."""
    lines = [preview.header, *preview.rows]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(preview.header))]
    table = [_laid_out(line, widths, preview.numeric) for line in lines]
    table.insert(1, "  ".join("─" * width for width in widths))
    if preview.row_count > len(preview.rows) or not preview.complete:
        table.append("…")
    return "\n".join([*table, preview.footer, *preview.notes])


def as_html(preview: Preview) -> str:
    """Lay the rows out as an HTML table, with a badge in the colour of `served_from`."""
    alignments = ["right" if number else "left" for number in preview.numeric]
    head = _html_row("th", preview.header, alignments)
    body = "".join(_html_row("td", row, alignments) for row in preview.rows)
    colour = COLOURS.get(preview.served_from, GREY)
    badge = (
        f'<span style="background:{colour};color:#fff;border-radius:3px;padding:1px 6px">'
        f"{escape(printable(preview.served_from))}</span>"
    )
    facts = escape(preview.footer.rpartition(" · ")[0])
    notes = "".join(f"<p>{escape(note)}</p>" for note in preview.notes)
    return (
        f"<div><table><thead>{head}</thead><tbody>{body}</tbody></table>"
        f"<p>{facts} {badge}</p>{notes}</div>"
    )


def cell(value: object) -> str:
    """Return one value as text: exact, on one line, NULL for what is missing."""
    match value:
        case None:
            return "NULL"
        case Decimal():
            return format(value, "f")
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case _:
            return _clipped(printable(str(value)))


def printable(text: str) -> str:
    """Return the text with everything that a terminal could obey turned into an escape."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _clipped(text: str) -> str:
    """Return the text, cut to what one cell holds."""
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _counted(count: int, noun: str, qualifier: str = "") -> str:
    """Return such as `at least 65,536 rows`."""
    return f"{qualifier}{count:,} {noun}{'' if count == 1 else 's'}"


def _is_number(kind: pa.DataType) -> bool:
    """Return whether values of the type are set flush right."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _width(text: str) -> int:
    """Return how many places the text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _laid_out(line: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    """Return one line of the table, padded."""
    cells = []
    for text, width, right in zip(line, widths, numeric, strict=True):
        padding = " " * (width - _width(text))
        cells.append(padding + text if right else text + padding)
    return "  ".join(cells).rstrip()


def _html_row(tag: str, line: Sequence[str], alignments: Sequence[str]) -> str:
    """Return one row of the HTML table."""
    cells = "".join(
        f'<{tag} style="text-align:{alignment}">{escape(text)}</{tag}>'
        for text, alignment in zip(line, alignments, strict=True)
    )
    return f"<tr>{cells}</tr>"
