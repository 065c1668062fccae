"""The formats in which `flightframe query` writes an answer.

What comes in: a result of the client. What goes out: its rows on stdout, batch by batch where the
format allows it. It must never round: decimals are written digit by digit in every format.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

import pyarrow as pa
import pyarrow.csv as pc
from rich.console import Console
from rich.text import Text

from flightframe import ProtocolError, Result
from flightframe.display import printable
from flightframe_server.cli.charts.by_anchor import NoChart, Paper, chart
from flightframe_server.cli.console import (
    Rows,
    cell_text,
    counted,
    err,
    first_rows,
    footer,
    out,
    rows_table,
    screen_width,
    show_line,
    show_table,
    show_text,
    writable,
)
from flightframe_server.cli.streams import fits
from flightframe_server.json_text import batch_text, names_text, null_notes

MAX_ROWS = 100
MAX_POINTS = 100_000
"""The most rows that a chart is drawn of."""

BLOCKS = "█▏⣿│…"
"""Signs of a chart; where the output lacks one, all are ASCII."""

STEP_INDENT = 5


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


def write_table(result: Result, most: int = MAX_ROWS) -> None:
    """Draw the first rows (0: all of them), then how many there are and who answered."""
    rows = first_rows(result.schema, result, most or None)
    if len(rows.schema):
        show_table(rows_table(rows))
    show_line(footer(rows, result.served_from))
    write_notes(result, out)


def write_chart(result: Result, most: int = MAX_ROWS) -> None:
    """Draw an answer, `most` bars of it at most (0: all), or its table where it has no chart."""
    rows = first_rows(result.schema, result, MAX_POINTS)
    try:
        show_chart(rows, levels_of(result), most)
    except NoChart as reason:
        err.print(f"note: no chart is drawn: {reason}")
        show_table(rows_table(replace(rows, kept=rows.kept[: most or None])))
    show_line(footer(rows, result.served_from))
    write_notes(result, out)


def levels_of(result: Result) -> list[bool]:
    """Return for each column whether it is a level: one that no metric went into."""
    columns = result.provenance.columns
    return [not column.parts for column in columns] or [True] * len(result.schema)


def show_chart(rows: Rows, levels: Sequence[bool], most: int = MAX_ROWS) -> None:
    """Draw rows by their anchor, as wide as a screen is.

    Raises:
        NoChart: they have none.
    """
    ascii_only = not fits(BLOCKS, out.encoding)
    paper = Paper(screen_width(), ascii_only, most or None)
    for line in chart(rows, levels, paper):
        out.print(line)


def write_notes(result: Result, to: Console, more: tuple[str, ...] = ()) -> None:
    """Write the remarks on an answer; a server that says them otherwise has none for us."""
    with suppress(ProtocolError):
        for note in (*result.provenance.notes, *more):
            show_line(Text(f"note: {printable(note)}", "yellow"), to)


def write_steps(result: Result) -> None:
    """Write the rows of EXPLAIN one under the other: SQL and reasons are too long for a table."""
    for row in result.to_pylist():
        facts = {name: cell_text(value) for name, value in row.items()}
        metric = f"{facts['operator']}({facts['family']}) @ ({facts['anchor']})"
        note = facts["route"] == "note"
        what = facts["column"] if note else f"{facts['column']} = {metric}"
        show_line(
            Text.assemble(f"{facts['step']}  ", (what, "bold"), "  ", (facts["route"], "cyan"))
        )
        show_text(facts["source"], STEP_INDENT)
        for reason in filter(None, facts["why_not"].split("; ")):
            show_text(f"not from {reason}", STEP_INDENT, "dim")


def write_json(result: Result) -> None:
    """Write one JSON object, a row to a line."""
    print("{")
    name = json.dumps(result.provenance.collection, ensure_ascii=False)
    print(f'  "ac_name": {writable(name)},')
    print(f'  "columns": {writable(names_text(result.schema))},')
    print('  "rows": [', end="")
    count, lacking = 0, Counter[str]()
    for batch in result:
        text = batch_text(batch)
        lacking += text.lacking
        for row in text.rows:
            print("," if count else "", f"    {writable(row)}", sep="\n", end="")
            count += 1
    print("\n  ]," if count else "],")
    print(f'  "row_count": {count},')
    print(f'  "served_from": {json.dumps(result.served_from)}')
    print("}")
    write_notes(result, err, null_notes(lacking))


def write_csv(result: Result) -> None:
    """Write CSV with a header; texts are quoted, NULL is nothing at all."""
    sys.stdout.flush()
    with pc.CSVWriter(sys.stdout.buffer, result.schema) as writer:
        _write_batches(result, writer.write_batch)


def write_arrow(result: Result) -> None:
    """Write an Arrow IPC stream."""
    sys.stdout.flush()
    with pa.ipc.new_stream(sys.stdout.buffer, result.schema) as writer:
        _write_batches(result, writer.write_batch)


def _write_batches(result: Result, write: Callable[[pa.RecordBatch], object]) -> None:
    count = 0
    for batch in result:
        write(batch)
        count += batch.num_rows
    sys.stdout.flush()
    if sys.stderr.isatty():
        err.print(f"{counted(count, 'row')} · served_from: {result.served_from}")
    write_notes(result, err)
