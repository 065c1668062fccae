"""Joins of answers.

What comes in: two relations and what ON says. What goes out: one. It must never join on anything
but equalities of both sides: what else is said is a filter after an inner join, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import AmbiguousMetric, NotSupported, shown
from flightframe_server.outer.algebra import Join, JoinKind, Node, Pair, Project, columns
from flightframe_server.outer.typing import check_joined, raised
from flightframe_server.resolver.terms import ColumnTerm, Term
from flightframe_server.sql.places import place_of
from flightframe_server.sql.relations import Relation
from flightframe_server.sql.stages import Context, stage_of
from flightframe_server.sql.trees import Key, conjuncts, key_of


@dataclass(frozen=True, slots=True)
class Equality:
    """One equality of ON; `null_safe`: NULL is equal to NULL."""

    left: exp.Expr
    right: exp.Expr
    null_safe: bool


def kind_of(join: exp.Join) -> JoinKind:
    """Return which rows a join keeps.

    Raises:
        NotSupported: it is of another kind.
    """
    side, kind = (str(join.args.get(name) or "").upper() for name in ("side", "kind"))
    kinds = {
        ("", ""): JoinKind.INNER,
        ("", "INNER"): JoinKind.INNER,
        ("", "CROSS"): JoinKind.INNER,
        ("LEFT", ""): JoinKind.LEFT,
        ("LEFT", "OUTER"): JoinKind.LEFT,
        ("FULL", ""): JoinKind.FULL,
        ("FULL", "OUTER"): JoinKind.FULL,
    }
    made = kinds.get((side, kind))
    if made is None or (kind == "CROSS" and join.args.get("on") is not None):
        raise NotSupported(
            f"{f'{side} {kind}'.strip()} JOIN is not answered",
            place=place_of(join),
            hint="INNER, LEFT, RIGHT and FULL are",
        )
    return made


def equality(node: exp.Expr, context: Context) -> Equality | None:
    """Return a part of ON as an equality, None where it is none."""
    node = node.unnest()
    match node:
        case exp.EQ() | exp.NullSafeEQ():
            return Equality(node.this, node.expression, isinstance(node, exp.NullSafeEQ))
        case exp.Or():
            for one, other in ((node.this, node.expression), (node.expression, node.this)):
                made = equality(one, context)
                if made is not None and _both_null(other.unnest(), made, context):
                    return replace(made, null_safe=True)
    return None


def _both_null(node: exp.Expr, made: Equality, context: Context) -> bool:
    """Whether a condition says that both sides of an equality are NULL."""
    if not isinstance(node, exp.And):
        return False
    tested = {_null_test(part.unnest(), context) for part in (node.this, node.expression)}
    keys = {_key(side, context) for side in (made.left, made.right)}
    return len(keys) == 2 and tested == keys


def _null_test(node: exp.Expr, context: Context) -> Key | None:
    tests_null = isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)
    return _key(node.this, context) if tests_null and not node.args.get("negate") else None


def _key(node: exp.Expr, context: Context) -> Key:
    return key_of(
        node, context.reading, lambda column: tuple(x.name.casefold() for x in column.parts)
    )


def side_of(node: exp.Expr, left: Relation, right: Relation) -> str:
    """Return whose columns an expression reads: `left`, `right`, `both` or `neither`.

    Raises:
        AmbiguousMetric: a column is of both sides.
    """
    sides: set[str] = set()
    for column in node.find_all(exp.Column):
        having_it = [name for name, one in (("left", left), ("right", right)) if _has(one, column)]
        if len(having_it) == 2:
            raise AmbiguousMetric(
                f"both sides of the join have a column {shown(column.name)}",
                place=place_of(column),
                hint="say whose: a.b",
            )
        sides.update(having_it)
    if len(sides) == 2:
        return "both"
    return sides.pop() if sides else "neither"


def _has(relation: Relation, column: exp.Column) -> bool:
    return relation.find(column) is not None


def joined(context: Context, left: Relation, right: Relation, join: exp.Join) -> Relation:
    """Return two relations joined as ON says.

    Raises:
        NotSupported: ON says something else than equalities.
    """
    if str(join.args.get("side") or "").upper() == "RIGHT":
        return _turned(context, left, right, join)
    kind, on = kind_of(join), join.args.get("on")
    if on is None:
        if frozenset() not in right.unique or kind is not JoinKind.INNER:
            raise NotSupported(
                "a join without ON is answered beside one row only",
                place=place_of(join),
                hint="say ON a.key = b.key",
            )
        return _made(kind, left, right, left.node, right.node, ())
    equalities: list[tuple[exp.Expr, exp.Expr, bool]] = []
    rest: list[exp.Expr] = []
    for part in conjuncts(on):
        pair = _oriented(equality(part, context), left, right)
        rest.append(part) if pair is None else equalities.append(pair)
    if not equalities or (rest and kind is not JoinKind.INNER):
        raise NotSupported(
            "ON takes equalities of a column of each side", place=place_of(rest[0] if rest else on)
        )
    relation = _equated(context, kind, left, right, equalities)
    for part in rest:
        relation = stage_of(context, relation).filtered(part).relation
    return relation


def _turned(context: Context, left: Relation, right: Relation, join: exp.Join) -> Relation:
    """Return a RIGHT JOIN: a LEFT JOIN of the sides the other way round, its columns in order."""
    other = join.copy()
    other.set("side", "LEFT")
    made, first = joined(context, right, left, other), len(right.types)
    every = columns(made.types)
    behind = len(left.types)
    unique = (
        frozenset(at + behind if at < first else at - first for at in one) for one in made.unique
    )
    node = Project(made.node, (*every[first:], *every[:first]))
    return Relation(node, (*left.columns, *right.columns), tuple(unique))


def _oriented(
    made: Equality | None, left: Relation, right: Relation
) -> tuple[exp.Expr, exp.Expr, bool] | None:
    if made is None:
        return None
    sides = side_of(made.left, left, right), side_of(made.right, left, right)
    if sides == ("left", "right"):
        return made.left, made.right, made.null_safe
    return (made.right, made.left, made.null_safe) if sides == ("right", "left") else None


def _equated(
    context: Context,
    kind: JoinKind,
    left: Relation,
    right: Relation,
    equalities: list[tuple[exp.Expr, exp.Expr, bool]],
) -> Relation:
    ones: list[Term] = []
    others: list[Term] = []
    for one, other, _ in equalities:
        first, second = _term(context, left, one), _term(context, right, other)
        shared = check_joined(first.type, second.type, place_of(one))
        ones.append(raised(first, shared))
        others.append(raised(second, shared))
    (one_node, one_at), (other_node, other_at) = _placed(left, ones), _placed(right, others)
    pairs = tuple(
        Pair(a, b, null_safe)
        for a, b, (_, _, null_safe) in zip(one_at, other_at, equalities, strict=True)
    )
    return _made(kind, left, right, one_node, other_node, pairs)


def _term(context: Context, relation: Relation, node: exp.Expr) -> Term:
    return stage_of(context, relation).term(node)


def _placed(relation: Relation, terms: list[Term]) -> tuple[Node, list[int]]:
    """Return rows with the terms that are no columns behind them, and the places of all terms."""
    own = columns(relation.types)
    places: list[int] = []
    more: list[Term] = []
    for term in terms:
        if isinstance(term, ColumnTerm):
            places.append(own.index(term))
        else:
            places.append(len(own) + len(more))
            more.append(term)
    return (Project(relation.node, (*own, *more)) if more else relation.node), places


def _made(
    kind: JoinKind, left: Relation, right: Relation, one: Node, other: Node, pairs: tuple[Pair, ...]
) -> Relation:
    node: Node = Join(kind, one, other, pairs)
    first, second, begins = len(left.types), len(right.types), len(one.types)
    kept = [*range(first), *range(begins, begins + second)]
    if len(kept) != len(node.types):
        every = columns(node.types)
        node = Project(node, tuple(every[at] for at in kept))
    return Relation(node, (*left.columns, *right.columns), tuple(_unique(kind, left, right, pairs)))


def _unique(
    kind: JoinKind, left: Relation, right: Relation, pairs: tuple[Pair, ...]
) -> Iterator[frozenset[int]]:
    """Yield what tells rows apart: of one side, where each of its rows meets at most one."""
    first = len(left.types)
    if kind is JoinKind.FULL:
        return
    if _one_at_most(right, {pair.right for pair in pairs}):
        yield from left.unique
    if kind is JoinKind.INNER and _one_at_most(left, {pair.left for pair in pairs}):
        yield from (frozenset(at + first for at in one) for one in right.unique)


def _one_at_most(relation: Relation, places: set[int]) -> bool:
    return any(one <= places for one in relation.unique)
