"""The points that questions of levels alone are over, for the oracle of SQL over the bi world.

The flat table of facts holds the points of transactions alone; a question that names levels and no
number is over the points of every table that reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from sqlglot import exp, parse_one

# The levels that the rows of each table come to, with the calendar worked out.
REACHED = {
    "metrics": "store region product category day week month quarter year",
    "stores": "store region",
    "products": "product category",
    "(SELECT *, date_trunc('quarter', month)::DATE AS quarter, date_trunc('year', month)::DATE AS"
    " year FROM store_monthly_inventory)": "store region month quarter year",
    "(SELECT *, date_trunc('week', day)::DATE AS week, date_trunc('month', day)::DATE AS month,"
    " date_trunc('quarter', day)::DATE AS quarter, date_trunc('year', day)::DATE AS year FROM"
    " region_daily_summary)": "region day week month quarter year",
}
LEVELS = frozenset(REACHED["metrics"].split())

Node = TypeVar("Node", bound=exp.Expr)


def over_points(tree: exp.Expr) -> exp.Expr:
    """Return a tree in which each SELECT of levels alone from `metrics` is over their points."""
    made = tree.copy()
    for select in list(made.find_all(exp.Select)):
        table, names = _levels_alone(select)
        if table is None:
            continue
        listed = ", ".join(sorted(names))
        points = " UNION ".join(
            f"SELECT {listed} FROM {source}"
            for source, reached in REACHED.items()
            if names <= set(reached.split())
        )
        this = parse_one(points, dialect="duckdb")
        table.replace(exp.Subquery(this=this, alias=exp.to_identifier(table.alias or "metrics")))
    return made


def _levels_alone(select: exp.Select) -> tuple[exp.Table | None, frozenset[str]]:
    """Return the table of a SELECT that names levels and no number, and their names."""
    source = select.args.get("from_")
    table = source.this if isinstance(source, exp.From) else None
    columns = {column.name.lower() for column in _own(select, exp.Column)}
    outputs = {alias.alias.lower() for alias in _own(select, exp.Alias)}
    counted = any(not isinstance(one, exp.Min | exp.Max) for one in _own(select, exp.AggFunc))
    names = frozenset(columns & LEVELS)
    is_alone = (
        isinstance(table, exp.Table)
        and table.name == "metrics"
        and not select.args.get("joins")
        and not counted
        and names
        and not columns - LEVELS - outputs
    )
    return (table, names) if is_alone and isinstance(table, exp.Table) else (None, frozenset())


def _own(select: exp.Select, kind: type[Node]) -> Iterator[Node]:
    """Yield the nodes of a SELECT that stand in none of those inside it."""
    return (node for node in select.find_all(kind) if node.parent_select is select)
