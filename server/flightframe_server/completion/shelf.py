"""A statement as chips on a shelf, one row of chips for each clause, and back.

What comes in: a statement, or chips. What goes out: the chips as canonical texts, or the canonical
text of the statement that they stand for. It must never show part of a statement: one that holds
more than chips can say has no shelf, and its text stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flightframe_server.errors import FrameQLSyntaxError, shown
from flightframe_server.language import (
    format_expression,
    format_item,
    format_order_key,
    format_statement,
    parse,
    parse_expression,
)
from flightframe_server.language.syntax import (
    Anchor,
    Expression,
    Item,
    Junction,
    Limit,
    Literal,
    LiteralKind,
    Name,
    OrderKey,
    Star,
    Statement,
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The clauses of a statement as chips.

    Attributes:
        metrics: the items of SELECT, but for the levels of the anchor, which stand in `at`.
        at: the levels of the anchor; None where none was chosen yet, which asks for the total.
        where: conditions that must all hold.
        having: the same, of the finished rows.
        order: keys of ORDER BY.
        limit: how many rows; None: all of them.
        source: the schema that FROM names, or None.
    """

    metrics: tuple[str, ...] = ()
    at: tuple[str, ...] | None = None
    where: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    source: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the shelf as JSON holds it; `source` is called `from` there."""
        return {
            "metrics": list(self.metrics),
            "at": None if self.at is None else list(self.at),
            "where": list(self.where),
            "having": list(self.having),
            "order": list(self.order),
            "limit": self.limit,
            "from": self.source,
        }


def read_shelf(fields: Mapping[str, Any]) -> Shelf:
    """Return the shelf that JSON holds; what is left out is empty.

    Raises:
        FrameQLSyntaxError: it is no shelf.
    """
    lists = {name: fields.get(name) for name in ("metrics", "at", "where", "having", "order")}
    limit, source = fields.get("limit"), fields.get("from")
    known = fields.keys() <= {*lists, "limit", "from"}
    counts = limit is None or (type(limit) is int and limit >= 0)
    named = source is None or isinstance(source, str)
    if not (known and counts and named and all(map(_is_list_of_texts, lists.values()))):
        raise FrameQLSyntaxError(
            "this is no shelf",
            hint='send {"metrics": ["revenue"], "at": ["region"], "where": [], "having": [],'
            ' "order": [], "limit": null, "from": null}',
        )
    chips = {name: tuple(texts or ()) for name, texts in lists.items()}
    at = None if lists["at"] is None else chips["at"]
    return Shelf(
        chips["metrics"], at, chips["where"], chips["having"], chips["order"], limit, source
    )


def _is_list_of_texts(value: object) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(text, str) for text in value)
    )


def shelf_of(statement: Statement) -> Shelf | None:
    """Return a statement as chips; None where chips cannot say all of it.

    That is EXPLAIN, an anchor of several sets of levels, and a LIMIT that is bound, skips rows or
    counts in each member of a level. The statement is one that resolves: chips write an alias with
    AS, which lifts the refusal of a comma that is missing.
    """
    limit = statement.limit
    if statement.anchor.sets is not None:
        return None
    if statement.explain or not (limit is None or _is_plain(limit)):
        return None
    levels = statement.anchor.levels
    return Shelf(
        tuple(map(format_item, _without_anchor(statement.items, levels))),
        tuple(map(format_expression, levels)),
        tuple(map(format_expression, _conditions(statement.where))),
        tuple(map(format_expression, _conditions(statement.having))),
        tuple(map(format_order_key, statement.order_by)),
        None if limit is None else _count(limit),
        None if statement.source is None else format_expression(statement.source),
    )


def statement_text(shelf: Shelf) -> str:
    """Return the canonical text of the statement that a shelf stands for.

    Raises:
        FrameQLSyntaxError: a chip is not what its row takes, or there is nothing to ask.
        LimitExceeded: the text is longer or nests deeper than the bounds allow.
    """
    levels = tuple(_level(chip) for chip in shelf.at or ())
    items = tuple(_item(chip) for chip in shelf.metrics) or tuple(
        Item(Name(level.parts)) for level in levels
    )
    if not items:
        raise FrameQLSyntaxError("there is nothing to ask", hint="choose a metric, or a level")
    statement = Statement(
        items,
        Anchor(levels),
        None if shelf.source is None else _source(shelf.source),
        _joined(shelf.where, "WHERE"),
        _joined(shelf.having, "HAVING"),
        tuple(_order_key(chip) for chip in shelf.order),
        None if shelf.limit is None else Limit(Literal(shelf.limit, LiteralKind.INTEGER)),
    )
    text = format_statement(statement)
    parse(text)
    return text


def _is_plain(limit: Limit) -> bool:
    return isinstance(limit.count, Literal) and limit.offset is None and limit.per is None


def _count(limit: Limit) -> int:
    assert isinstance(limit.count, Literal)
    assert isinstance(limit.count.value, int)
    return limit.count.value


def _without_anchor(items: tuple[Item, ...], levels: tuple[Name, ...]) -> tuple[Item, ...]:
    """Return the items without the anchor's levels, where an answer would begin with them anyway.

    That is where they stand first, in the order of the anchor, and no other item could be one.
    """
    first, others = items[: len(levels)], items[len(levels) :]
    named = {level.parts[-1].casefold() for level in levels}
    if tuple(map(_name_alone, first)) != tuple(map(_folded, levels)) or len(named) < len(levels):
        return items
    for item in others:
        match item.expression:
            case Star():
                return items
            case Name(parts=parts) if parts[-1].casefold() in named:
                return items
    return others


def _name_alone(item: Item) -> tuple[str, ...] | None:
    """Return the folded name of an item that is a name alone; None for any other."""
    if isinstance(item.expression, Name) and item.alias is None:
        return _folded(item.expression)
    return None


def _folded(name: Name) -> tuple[str, ...]:
    return tuple(part.casefold() for part in name.parts)


def _conditions(predicate: Expression | None) -> tuple[Expression, ...]:
    match predicate:
        case None:
            return ()
        case Junction(operator="AND", operands=operands):
            return operands
    return (predicate,)


def _joined(chips: Iterable[str], clause: str) -> Expression | None:
    """Return the condition that holds where all chips do."""
    parts: list[Expression] = []
    for chip in chips:
        try:
            parts.extend(_conditions(parse_expression(chip)))
        except FrameQLSyntaxError as error:
            raise _no_chip(chip, clause, error) from None
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Junction("AND", tuple(parts))


def _alone(chip: str, clause: str, before: str, after: str = "") -> Statement:
    """Return the statement in which a chip is all that stands in its clause."""
    # On a line of its own, so that a comment in it ends with it.
    try:
        return parse(f"{before}{chip}\n{after}")
    except FrameQLSyntaxError as error:
        raise _no_chip(chip, clause, error) from None


def _item(chip: str) -> Item:
    statement = _alone(chip, "SELECT", "SELECT ", "AT ()")
    if statement != Statement(statement.items[:1], Anchor(())):
        raise _no_chip(chip, "SELECT")
    return statement.items[0]


def _level(chip: str) -> Name:
    statement = _alone(chip, "AT", "SELECT x AT (", ")")
    if statement != Statement((Item(Name(("x",))),), Anchor(statement.anchor.levels[:1])):
        raise _no_chip(chip, "AT")
    if not statement.anchor.levels:
        raise _no_chip(chip, "AT")
    return statement.anchor.levels[0]


def _source(chip: str) -> Name:
    statement = _alone(chip, "FROM", "SELECT x FROM ", "AT ()")
    if (
        statement != Statement((Item(Name(("x",))),), Anchor(()), statement.source)
        or not statement.source
    ):
        raise _no_chip(chip, "FROM")
    return statement.source


def _order_key(chip: str) -> OrderKey:
    statement = _alone(chip, "ORDER BY", "SELECT x AT () ORDER BY ")
    if statement != Statement((Item(Name(("x",))),), Anchor(()), order_by=statement.order_by[:1]):
        raise _no_chip(chip, "ORDER BY")
    return statement.order_by[0]


def _no_chip(chip: str, clause: str, error: FrameQLSyntaxError | None = None) -> FrameQLSyntaxError:
    """Return the error for a chip that is not one thing of its clause."""
    if error is None:
        return FrameQLSyntaxError(f"`{shown(chip)}` is not one part of {clause}")
    return FrameQLSyntaxError(
        f"`{shown(chip)}` cannot stand in {clause}: {error.message}", hint=error.hint
    )
