"""SELECTs of one value inside expressions: `r > (SELECT AVG(r) FROM a)`.

What comes in: a SELECT over answers, or over rows that it reduces. What goes out: the SELECT with a
marked column in place of each of them, and rows with their values beside them. It must never take
for one value what could be several rows or none, nor put one among rows that are not reduced yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import NotSupported, Place, UnknownName
from flightframe_server.outer.algebra import Join, JoinKind
from flightframe_server.sql.aggregate_nodes import is_aggregate
from flightframe_server.sql.places import place_of
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.stages import Stage
from flightframe_server.sql.trees import Key, aggregates_in

_MARK = "value of a SELECT"
_CLAUSES = ("group", "having", "distinct", "limit", "offset", "qualify")


@dataclass(frozen=True, slots=True)
class ScalarSelects:
    """A SELECT with marks, and the SELECTs that stand for them.

    Attributes:
        select: the SELECT; itself where it has none.
        before: those in WHERE, by the names of their marks.
        after: those in SELECT, HAVING, QUALIFY and ORDER BY.
    """

    select: exp.Select
    before: dict[str, exp.Select]
    after: dict[str, exp.Select]


def scalar_selects(select: exp.Select, *, in_where: bool = True) -> ScalarSelects:
    """Return a SELECT with marks in place of the SELECTs of one value in its expressions.

    Args:
        select: the SELECT.
        in_where: whether those in WHERE are marked; else they stay as they are.

    Raises:
        NotSupported: one may have several rows or none, or stands within an aggregate or a window.
    """
    tree = select.copy()
    if any(column.table == _MARK for column in tree.find_all(exp.Column)):
        raise UnknownName(f"there is no table {_MARK} in FROM", place=place_of(select))
    before: dict[str, exp.Select] = {}
    after: dict[str, exp.Select] = {}
    for clause in (*(("where",) if in_where else ()), "having", "qualify", "order"):
        part = tree.args.get(clause)
        if part is not None:
            _marked(part, before if clause == "where" else after, clause)
    for item in tree.expressions:
        if any(scalars_in(item)) and not isinstance(item, exp.Alias):
            raise NotSupported(
                "a value that reads a SELECT has no name of its own",
                place=place_of(item),
                hint="write (SELECT ...) AS name",
            )
        _marked(item, after, "select")
    return ScalarSelects(tree if before or after else select, before, after)


def with_values(stage: Stage, values: dict[str, Relation]) -> Stage:
    """Return rows with the values of SELECTs beside each of them."""
    if not values:
        return stage
    relation, known, own = stage.relation, dict(stage.known), stage.column_key
    for name, value in values.items():
        known[_MARK, name] = len(relation.types)
        node = Join(JoinKind.INNER, relation.node, value.node, ())
        relation = Relation(node, (*relation.columns, NamedColumn("")), relation.unique)

    def column_key(column: exp.Column) -> Key:
        return (_MARK, column.name) if column.table == _MARK else own(column)

    return replace(stage, relation=relation, column_key=column_key, known=known)


def _marked(part: exp.Expr, selects: dict[str, exp.Select], clause: str) -> None:
    for node in list(scalars_in(part)):
        _check_place(node)
        name = f"{clause} {len(selects)}"
        selects[name] = one_value(node)
        node.replace(exp.column(exp.to_identifier(name, quoted=True), table=_MARK))


def scalars_in(node: exp.Expr) -> Iterator[exp.Subquery]:
    """Yield the outermost SELECTs that stand for a value."""
    if isinstance(node, exp.Subquery):
        yield node
        return
    for name, value in node.args.items():
        if name == "query" or isinstance(node, exp.Exists | exp.All | exp.Any):
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Expr):
                yield from scalars_in(child)


def _check_place(node: exp.Subquery) -> None:
    above = node.parent
    while above is not None and not isinstance(above, exp.Query):
        if isinstance(above, exp.Window) or is_aggregate(above):
            raise NotSupported(
                "a SELECT within an aggregate or a window is not answered", place=value_place(node)
            )
        above = above.parent


def one_value(node: exp.Subquery) -> exp.Select:
    """Return the SELECT, which has one column and exactly one row.

    Raises:
        NotSupported: it may have several rows or none.
    """
    inner = _within(node)
    if inner is None or len(inner.expressions) != 1 or not has_one_row(inner):
        raise NotSupported(
            "a SELECT inside an expression has one row: an aggregate without GROUP BY",
            place=value_place(node),
            hint="write (SELECT AVG(r) FROM ...), or join the SELECT",
        )
    return inner


def value_place(node: exp.Subquery) -> Place:
    """Return where a SELECT inside an expression stands: a WITH that it names stands elsewhere."""
    inner = _within(node)
    return place_of(node if inner is None else inner.expressions[0])


def has_one_row(select: exp.Select) -> bool:
    """Whether a SELECT reduces all rows to one, or is over one that does and keeps its row."""
    if any(select.args.get(name) for name in _CLAUSES):
        return False
    if any(next(aggregates_in(node), None) is not None for node in select.expressions):
        return True
    below = below_of(select)
    return below is not None and select.args.get("where") is None and has_one_row(below)


def below_of(select: exp.Select) -> exp.Select | None:
    """Return the only SELECT that a SELECT is over; None: it is over a table, or a join."""
    clause = select.args.get("from_")
    if clause is None or select.args.get("joins") or not isinstance(clause.this, exp.Subquery):
        return None
    return _within(clause.this)


def _within(node: exp.Subquery) -> exp.Select | None:
    inner = node.this
    while isinstance(inner, exp.Subquery):
        inner = inner.this
    return inner if isinstance(inner, exp.Select) else None
