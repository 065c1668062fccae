"""Rows that a text writes itself: `FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, word)`.

What comes in: a VALUES, and what its cells may be. What goes out: columns and rows. It must never
make one type of two: a column of numbers and texts is refused.
"""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from flightframe_server.errors import LimitExceeded, TypeMismatch
from flightframe_server.sql.expressions import Columns, Compiled, Row
from flightframe_server.sql.places import place_of

MAX_CELLS = 10_000


def constant_rows(values: exp.Values, columns: Columns) -> tuple[pa.Schema, list[Row]]:
    """Return the columns and the rows of a VALUES.

    Args:
        values: its tree.
        columns: compiles cells; it has no columns itself.

    Raises:
        TypeMismatch: rows differ in length, or cells of a column in type.
        LimitExceeded: there are too many cells.
    """
    rows = [_cells(row, columns) for row in values.expressions]
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise TypeMismatch("the rows of VALUES are of one length", place=place_of(values))
    if width * len(rows) > MAX_CELLS:
        raise LimitExceeded(f"VALUES holds at most {MAX_CELLS:,} values", place=place_of(values))
    types = [_type_of([row[at] for row in rows], values) for at in range(width)]
    fields = [
        pa.field(name, type_) for name, type_ in zip(_names(values, width), types, strict=True)
    ]
    return pa.schema(fields), [tuple(cell.value(()) for cell in row) for row in rows]


def _cells(row: exp.Expr, columns: Columns) -> list[Compiled]:
    nodes = row.expressions if isinstance(row, exp.Tuple) else [row]
    return [columns.compiled(node) for node in nodes]


def _type_of(cells: list[Compiled], values: exp.Values) -> pa.DataType:
    types = {cell.type for cell in cells if not pa.types.is_null(cell.type)}
    if len(types) > 1:
        raise TypeMismatch("a column of VALUES is of one type", place=place_of(values))
    return types.pop() if types else pa.null()


def _names(values: exp.Values, width: int) -> list[str]:
    alias = values.args.get("alias")
    written = [] if alias is None else [part.name for part in alias.args.get("columns") or ()]
    if len(written) > width:
        raise TypeMismatch("there are more names than columns", place=place_of(values))
    return [*written, *(f"col{at}" for at in range(len(written), width))]
