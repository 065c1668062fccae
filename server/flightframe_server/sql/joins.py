"""Joins along the edges that a collection declares.

What comes in: FROM with joins. What goes out: the table of facts with the levels that the joins
lead to. It must never join rows: an edge that is declared is a look-up, which keeps every fact
once, and any other join is refused.

An inner join drops the facts that find nothing: it is the look-up, and a condition.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from flightframe_server.catalog.collection import TableMap
from flightframe_server.errors import NotSupported
from flightframe_server.language.syntax import Expression, IsKnown, Name
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.scopes import LevelColumn, TableScope
from flightframe_server.sql.unwrapping import RowsOf, Tables, source_of

_HINT = "a join along a declared edge is answered: t LEFT JOIN stores s ON t.store = s.store"

_OTHER_JOINS: Mapping[str, str] = {
    "RIGHT": "a RIGHT JOIN adds members that no fact has",
    "FULL": "a FULL JOIN adds members that no fact has",
}


def joined(select: exp.Select, tables: Tables, reading: Reading) -> RowsOf:
    """Return the rows of a table with those that are joined to it.

    Raises:
        NotSupported: a join that is no declared edge.
    """
    source = source_of(select)
    if not isinstance(source, exp.Table):
        raise NotSupported("a join with a sub-select is not answered", place=place_of(source))
    base = tables(source)
    levels: dict[str, Mapping[str, str]] = {}
    conditions: list[Expression] = []
    for join in select.args["joins"]:
        right = join.this
        if not isinstance(right, exp.Table):
            raise NotSupported("a join with a sub-select is not answered", place=place_of(join))
        other = tables(right)
        name = other.path[-1].casefold()
        if name == base.path[-1].casefold() or name in levels:
            raise NotSupported("two tables of a join have one name", place=place_of(right))
        levels[name] = _edge(base, other, join)
        if str(join.args.get("side") or "").upper() != "LEFT":
            joined_key = Name((next(iter(levels[name].values())),), place=place_of(right))
            conditions.append(IsKnown(joined_key, place=place_of(right)))
    scope = TableScope(base.published, base.typed, base.path, levels)
    return RowsOf(scope, tuple(conditions))


def _edge(base: TableScope, other: TableScope, join: exp.Join) -> Mapping[str, str]:
    """Return the levels that a joined table gives, by the folded names of its columns."""
    condition = join.args.get("on")
    if condition is None:
        raise NotSupported("no condition joins the tables", place=place_of(join.this), hint=_HINT)
    if base.schema is None or other.schema is None:
        raise NotSupported(
            "the table of metrics is joined with nothing",
            place=place_of(join.this),
            hint="it has every level already; a table of facts can be joined along an edge",
        )
    _check_kind(join)
    key = _key(base, other, condition)
    levels = _looked_up(base, other, key)
    if not levels:
        raise NotSupported(
            f"no declared edge leads from {key} to what {other.schema} has",
            place=place_of(join.this),
            hint=f"declare an edge from {key} via {other.schema}",
        )
    return levels


def _check_kind(join: exp.Join) -> None:
    """Check that a join adds nothing to the facts."""
    side = str(join.args.get("side") or "").upper()
    kind = str(join.args.get("kind") or "").upper()
    if (side == "LEFT" and kind in ("", "OUTER")) or (not side and kind in ("", "INNER")):
        return
    written = " ".join(word for word in (side, kind) if word not in ("", "OUTER"))
    means = _OTHER_JOINS.get(written, f"a {written} JOIN is no look-up")
    raise NotSupported(
        f"{means}, and is not answered",
        place=place_of(join.this),
        hint="write LEFT JOIN, which keeps facts that find nothing, or JOIN, which drops them",
    )


def _key(base: TableScope, other: TableScope, condition: exp.Expr) -> str:
    """Return the level that both sides of the condition are."""
    equal = condition.unnest()
    if isinstance(equal, exp.EQ):
        sides = {}
        for side in (equal.this, equal.expression):
            if isinstance(side, exp.Column) and len(side.parts) == 2:
                sides[side.parts[0].name.casefold()] = side
        left, right = (sides.get(table.path[-1].casefold()) for table in (base, other))
        if left is not None and right is not None:
            one, two = base.column(left), other.column(right)
            if isinstance(one, LevelColumn) and one == two:
                return one.level
    raise NotSupported(
        "the condition of a join is one level of both tables", place=place_of(condition), hint=_HINT
    )


def _looked_up(base: TableScope, other: TableScope, key: str) -> dict[str, str]:
    graph, schema = base.typed.graph, other.schema
    assert base.schema is not None
    assert schema is not None
    own = graph.own_levels(schema)
    levels: dict[str, str] = {}
    for edge in graph.edges_from(key):
        if not isinstance(edge.map, TableMap) or edge.map.schema != schema:
            continue
        path = graph.schema_path(base.schema, edge.target)
        by_key = own.get(key) == edge.map.source_column
        if path is not None and path[-1:] == (edge,) and by_key:
            levels[edge.map.target_column.casefold()] = edge.target
    return levels
