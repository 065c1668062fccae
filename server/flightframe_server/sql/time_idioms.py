"""Periods of time as tools write them that know no DATE_TRUNC, or another one.

What comes in: the tree of a text. What goes out: the same tree with DATE_TRUNC in the place of
what is one. It must never take a bin for a period that begins elsewhere: bins are counted from an
origin, and periods begin where the calendar has them.

- `DATE_BIN(INTERVAL '1 month', x, TIMESTAMP '1970-01-01')`, as DataFusion has it: `DATE_TRUNC(
  'month', x)`, where the interval is one unit of the calendar and the origin begins one. Grafana.
- `CAST(EXTRACT(YEAR FROM x) || '-' || ... || '-01' AS DATE)` with the first month of the quarter,
  where a number joined to a text is its digits, as in PostgreSQL: `CAST(DATE_TRUNC('quarter', x) AS
  DATE)`. ThoughtSpot.
"""

from __future__ import annotations

import datetime
import re
from functools import cache

import sqlglot
from sqlglot import exp

from flightframe_server.resolver.period_literals import begins_on

_UNITS = {
    **{(1, unit): unit for unit in ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")},
    **{(60, "SECOND"): "MINUTE", (3600, "SECOND"): "HOUR", (86400, "SECOND"): "DAY"},
    **{(60, "MINUTE"): "HOUR", (1440, "MINUTE"): "DAY", (24, "HOUR"): "DAY"},
    **{(7, "DAY"): "WEEK", (3, "MONTH"): "QUARTER", (12, "MONTH"): "YEAR"},
}
"""The intervals that are one unit of the calendar; no zone changes its clock inside a column."""

_WRITTEN = re.compile(r"\s*(\d{1,9})\s*([a-z]+?)s?\s*", re.IGNORECASE)
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?)?(?:Z|\+00(?::?00)?)?")
_EPOCH = datetime.date(1970, 1, 1)

_IDIOMS = {
    "CAST(EXTRACT(YEAR FROM x) || '-' || ((FLOOR(((EXTRACT(MONTH FROM x) - 1) / NULLIF(3, 0))) * 3)"
    " + 1) || '-01' AS DATE)": "CAST(DATE_TRUNC('quarter', x) AS DATE)",
}
"""What is written of one column `x`, and what it means."""


def with_periods(tree: exp.Expr) -> exp.Expr:
    """Return a tree with DATE_TRUNC in the place of what means it; the rest stays as it is."""
    return tree.transform(_period, copy=False)


def _period(node: exp.Expr) -> exp.Expr:
    made = None
    if isinstance(node, exp.DateBin):
        made = _bin(node)
    elif isinstance(node, exp.Cast) and isinstance(node.this, exp.DPipe):
        made = _idiom(node)
    if made is None:
        return node
    made.meta.update(node.meta)
    return made


def _bin(node: exp.DateBin) -> exp.Expr | None:
    """Return a bin as a period; None where it is of another length, or begins elsewhere."""
    if any(
        value for name, value in node.args.items() if name not in ("this", "expression", "unit")
    ):
        return None
    unit, origin = _UNITS.get(_length(node.this)), _origin(node.args.get("unit"))
    if unit is None or origin is None or not begins_on(unit.lower(), origin):
        return None
    return exp.func("DATE_TRUNC", exp.Literal.string(unit), node.expression)


def _length(node: exp.Expr) -> tuple[int, str]:
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal):
        unit = node.args.get("unit")
        written = node.name if unit is None else f"{node.name} {unit.name}"
    else:
        written = node.name if isinstance(node, exp.Literal) and node.is_string else ""
    matched = _WRITTEN.fullmatch(written)
    return (0, "") if matched is None else (int(matched[1]), matched[2].upper())


def _origin(node: exp.Expr | None) -> datetime.date | None:
    """Return the day at whose beginning bins begin; None where they begin inside of one."""
    if node is None:
        return _EPOCH
    if isinstance(node, exp.Cast):
        node = node.this
    matched = _MIDNIGHT.fullmatch(node.name) if isinstance(node, exp.Literal) else None
    try:
        return None if matched is None else datetime.date.fromisoformat(matched[1])
    except ValueError:
        return None


def _idiom(node: exp.Cast) -> exp.Expr | None:
    columns = {column.sql(): column for column in node.find_all(exp.Column)}
    if len(columns) != 1:
        return None
    (column,) = columns.values()
    means = _idioms().get(_of_x(node).sql())
    if means is None:
        return None
    made = means.copy()
    for x in list(made.find_all(exp.Column)):
        x.replace(column.copy())
    return made


def _of_x(node: exp.Expr) -> exp.Expr:
    """Return an expression of one column as one of `x`, its words in capitals."""

    def changed(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column):
            return exp.column("x")
        return exp.Var(this=part.name.upper()) if isinstance(part, exp.Var) else part

    return node.copy().transform(changed, copy=False)


@cache
def _idioms() -> dict[str, exp.Expr]:
    return {
        _of_x(sqlglot.parse_one(written)).sql(): sqlglot.parse_one(means)
        for written, means in _IDIOMS.items()
    }
