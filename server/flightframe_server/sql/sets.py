"""Questions inside conditions: `IN (SELECT ...)`, one value, and joins that only choose.

What comes in: a SELECT. What goes out: the questions in its conditions, and the SELECT with their
members, or the one value, in place of them. It must never take a join for a choice that could
repeat a row, nor leave a NULL among members to chance: `NOT IN` of them lets nothing through.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlglot import exp

from flightframe_server.errors import NotSupported, shown
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.outer.program import Members
from flightframe_server.sql.escapes import PARAMETER
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.scalar_selects import below_of, has_one_row, one_value, scalars_in
from flightframe_server.sql.trees import aggregates_in, conjuncts, key_of

_FIRST = 1_000_000
"""The number of the first placeholder that stands for a member: no text has so many of its own."""


@dataclass(frozen=True, slots=True)
class SetSelects:
    """A SELECT and the questions in its conditions.

    Attributes:
        select: the SELECT.
        listed: those behind IN, in the order in which they stand.
        single: those of one value.
    """

    select: exp.Select
    listed: tuple[exp.Select, ...]
    single: tuple[exp.Select, ...] = ()

    def filled(
        self, members: tuple[Members, ...]
    ) -> tuple[exp.Select, dict[int | str, LiteralValue]]:
        """Return the SELECT with members in place of questions, and their values."""
        if not self.listed and not self.single:
            return self.select, {}
        tree = self.select.copy()
        values: dict[int | str, LiteralValue] = {}
        listed, single = _conditions(tree), single_values(tree)
        for node, of in zip(listed, members[: len(self.listed)], strict=True):
            _fill(node, of, values)
        for value, of in zip(single, members[len(self.listed) :], strict=True):
            value.replace(_one_of(of, values))
        return tree, values


def set_selects(select: exp.Select, reading: Reading) -> SetSelects:
    """Return a SELECT and the questions in its conditions.

    Raises:
        NotSupported: one stands where its members cannot be written instead.
    """
    tree = _semi_joined(select, reading)
    sets: list[exp.Select] = []
    for node in _conditions(tree):
        _check_position(node)
        inner = node.args["query"]
        inner = inner.this if isinstance(inner, exp.Subquery) else inner
        if not isinstance(inner, exp.Select):
            raise NotSupported("IN takes one SELECT", place=place_of(node))
        sets.append(_each_once(inner))
    return SetSelects(tree, tuple(sets), tuple(map(_first_value, single_values(tree))))


def _each_once(inner: exp.Select) -> exp.Select:
    """Return a SELECT of rows of a table as one of distinct rows: a member counts once anyway."""
    source = inner.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table):
        return inner
    clauses = ("group", "having", "qualify", "distinct", "limit", "offset")
    cut = any(inner.args.get(part) for part in clauses)
    if cut or any(next(aggregates_in(node), None) for node in inner.expressions):
        return inner
    once = inner.copy()
    once.set("distinct", exp.Distinct())
    return once


def _conditions(tree: exp.Expr) -> list[exp.In]:
    """Return the outermost questions in conditions; those further inside are of these."""
    sets: list[exp.In] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            sets.append(node)
            continue
        waiting.extend(reversed(list(node.iter_expressions())))
    return sets


def single_values(tree: exp.Select) -> list[exp.Subquery]:
    """Return, in their order, the SELECTs of one value in a condition on the rows of a table."""
    source, where = tree.args.get("from_"), tree.args.get("where")
    if where is None or source is None or not isinstance(source.this, exp.Table):
        return []
    return list(scalars_in(where))


def _first_value(node: exp.Subquery) -> exp.Select:
    """Return a SELECT of one value; one that is cut to a row has that, or NULL where it has none.

    Raises:
        NotSupported: it may have several rows.
    """
    inner = node.unnest()
    if isinstance(inner, exp.Select) and len(inner.expressions) == 1 and _at_most_one(inner):
        return inner
    return one_value(node)


def _at_most_one(select: exp.Select) -> bool:
    """Whether a SELECT is cut to a row, or over one that is, or has one row anyway."""
    limit = select.args.get("limit")
    cut = limit.expression if isinstance(limit, exp.Limit) else None
    if (isinstance(cut, exp.Literal) and cut.name == "1") or has_one_row(select):
        return True
    below = below_of(select)
    return below is not None and _at_most_one(below)


def _one_of(members: Members, values: dict[int | str, LiteralValue]) -> exp.Expr:
    """Return the one value that a SELECT gave, or one of its kind before it is read."""
    value = members.values[0] if members.values else None
    if value is None:
        return exp.Null()
    if members.known:
        return _placeholder(value, values)
    # No parameter of the text: only its type matters.
    if isinstance(value, datetime.date):
        moment = "TIMESTAMP" if isinstance(value, datetime.datetime) else "DATE"
        return exp.cast(exp.Literal.string(str(value)), moment)
    return exp.convert(value)


def _placeholder(value: LiteralValue, values: dict[int | str, LiteralValue]) -> exp.Placeholder:
    index = _FIRST + len(values)
    values[index] = value
    return exp.Placeholder(this=f"{PARAMETER}{index}")


def _check_position(node: exp.In) -> None:
    """Check that where a condition is not true, whether it is FALSE or NULL makes no difference."""
    above = (_negation(node) or node).parent
    while isinstance(above, exp.And | exp.Or | exp.Paren):
        above = above.parent
    if not isinstance(above, exp.Where) or isinstance(above.parent, exp.Filter):
        raise NotSupported(
            "IN (SELECT ...) stands in WHERE, beside AND and OR", place=place_of(node)
        )


def _negation(node: exp.Expr) -> exp.Not | None:
    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    return above if isinstance(above, exp.Not) else None


def _fill(node: exp.In, members: Members, values: dict[int | str, LiteralValue]) -> None:
    negation = _negation(node)
    if not members.known:
        present = exp.Not(this=exp.Is(this=node.this, expression=exp.Null()))
        (negation or node).replace(present)
    elif negation is not None and members.has_null:
        negation.replace(exp.Boolean(this=False))
    elif not members.values:
        (negation or node).replace(exp.Boolean(this=negation is not None))
    else:
        listed = [_placeholder(value, values) for value in members.values]
        made: exp.Expr = exp.In(this=node.this, expressions=listed)
        if negation is not None:
            made = exp.Not(this=made)
        (negation or node).replace(made)


def _semi_joined(select: exp.Select, reading: Reading) -> exp.Select:
    """Return a SELECT whose joins that only choose rows are conditions instead."""
    joins = select.args.get("joins") or []
    choices = {id(join): _choice(select, join, reading) for join in joins}
    if not any(choices.values()):
        return select
    tree = select.copy()
    conditions: list[exp.Expr] = []
    kept: list[exp.Expr] = []
    for join, copied in zip(joins, tree.args["joins"], strict=True):
        choice = choices[id(join)]
        conditions.append(choice) if choice is not None else kept.append(copied)
    where = tree.args.get("where")
    if where is not None:
        conditions.insert(0, exp.Paren(this=where.this))
    tree.set("joins", kept or None)
    tree.set("where", exp.Where(this=exp.and_(*conditions, copy=False, wrap=False)))
    return tree


def _choice(select: exp.Select, join: exp.Join, reading: Reading) -> exp.In | None:
    """Return the condition that an inner join is, where it can do nothing but choose rows.

    The sub-select's key is its whole GROUP BY, so that no row is met twice, and nothing else of it
    is named anywhere.
    """
    source, on = join.this, join.args.get("on")
    inner = source.this if isinstance(source, exp.Subquery) else None
    if str(join.args.get("side") or "") or str(join.args.get("kind") or "").upper() not in (
        "",
        "INNER",
    ):
        return None
    if not isinstance(inner, exp.Select) or on is None:
        return None
    (equal, *more) = (part.unnest() for part in conjuncts(on))
    if more or not isinstance(equal, exp.EQ):
        return None
    names = {_name(node): node for node in inner.expressions}
    for key, own in ((equal.this, equal.expression), (equal.expression, equal.this)):
        if not _is_of(key, source.alias, names) or _names(own, source.alias, names):
            continue
        if not _whole_group(inner, names[key.name.casefold()], reading):
            return None
        if _used_elsewhere(select, join, source.alias, names):
            return None
        return exp.In(this=own.copy(), query=exp.Subquery(this=_only(inner, key.name)))
    return None


def _name(node: exp.Expr) -> str:
    return str(node.alias_or_name).casefold()


def _is_of(node: exp.Expr, alias: str, names: dict[str, exp.Expr]) -> bool:
    """Whether an expression is a column of a sub-select."""
    if not isinstance(node, exp.Column) or node.name.casefold() not in names:
        return False
    return len(node.parts) == 1 or node.parts[-2].name.casefold() == alias.casefold()


def _names(node: exp.Expr, alias: str, names: dict[str, exp.Expr]) -> bool:
    return any(_is_of(column, alias, names) for column in node.find_all(exp.Column))


def _used_elsewhere(
    select: exp.Select, join: exp.Join, alias: str, names: dict[str, exp.Expr]
) -> bool:
    for part in select.iter_expressions():
        if id(part) == id(join) or isinstance(part, exp.From):
            continue
        if _names(part, alias, names) or any(
            isinstance(star.parent, exp.Select | exp.Column) for star in part.find_all(exp.Star)
        ):
            return True
    return any(isinstance(node, exp.Star) for node in select.expressions)


def _whole_group(inner: exp.Select, key: exp.Expr, reading: Reading) -> bool:
    """Whether a sub-select has one row for each value of a column."""
    group = inner.args.get("group")
    if group is None or group.args.get("all") or len(group.expressions) != 1:
        return False
    written, node = group.expressions[0], key.unalias()
    if next(aggregates_in(node), None) is not None:
        return False
    if isinstance(written, exp.Literal) and written.is_int:
        at = int(written.name)
        return 1 <= at <= len(inner.expressions) and inner.expressions[at - 1] is key
    if key_of(written, reading) == key_of(node, reading):
        return True
    named = isinstance(written, exp.Column) and len(written.parts) == 1
    return named and isinstance(key, exp.Alias) and written.name.casefold() == _name(key)


def _only(inner: exp.Select, name: str) -> exp.Select:
    """Return a sub-select with one of its columns left."""
    alias = exp.TableAlias(this=exp.to_identifier(f"{shown(name)} of", quoted=True))
    below = exp.Subquery(this=inner.copy(), alias=alias)
    column = exp.column(exp.to_identifier(name, quoted=True))
    return exp.Select(expressions=[column], from_=exp.From(this=below))
