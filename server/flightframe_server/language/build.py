"""Builds the frozen syntax nodes while the parser reads.

What comes in: for each rule of `frame_ql.lark`, the list of its children: tokens, and the nodes
already built. What goes out: the node of that rule. It must never look a name up, hold state
between two texts (one builder serves every thread), or recurse.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lark import Token

from flightframe_server.errors import FrameQLSyntaxError, Place
from flightframe_server.language import literals
from flightframe_server.language.bounds import token_place
from flightframe_server.language.grouping_sets import stacked_anchor
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    AdHocLevel,
    AliasedName,
    Anchor,
    Ascribed,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Expression,
    Extract,
    GroupingSets,
    GroupingWord,
    Interval,
    IsIn,
    IsInLast,
    IsInList,
    IsKnown,
    IsNull,
    Item,
    Junction,
    Like,
    Limit,
    Literal,
    LiteralKind,
    Name,
    Not,
    OrderKey,
    Parameter,
    Star,
    Statement,
    Unary,
    When,
)

Parts = list[Any]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause on its way into a statement or a call: its first word, and its value."""

    word: Token
    value: Any
    place: Place


def spelling(token: Token) -> str:
    """Return a name as it is meant: letters as written, quotes removed."""
    return literals.unquoted(token) if token.type == "QUOTED" else str(token)


def _start(part: Token | Node | Clause) -> Place:
    return token_place(part) if isinstance(part, Token) else part.place


def _span(parts: Parts) -> Place:
    """Return the place from the first child to the last."""
    first, last = _start(parts[0]), _start(parts[-1])
    return Place(first.line, first.column, first.start, last.end)


def _negated(parts: Parts) -> bool:
    """Return whether NOT stands among the children (as a token: `NOT x` is a node by now)."""
    return any(isinstance(part, Token) and part.type == "NOT" for part in parts)


def _nodes(parts: Parts) -> list[Any]:
    return [part for part in parts if isinstance(part, Node)]


def _element(node: Node) -> Anchor:
    """Return an element of grouping sets; parentheses around one level have gone by now."""
    return node if isinstance(node, Anchor) else Anchor((_level(node),), place=node.place)


def _level(node: Node) -> Name:
    """Return a level of grouping sets, where the grammar takes any expression.

    Raises:
        FrameQLSyntaxError: it is an expression without a name.
    """
    if isinstance(node, Name):
        return node
    raise FrameQLSyntaxError(
        "a set of levels takes levels, and an expression needs a name",
        hint="write `expression AS name`",
        place=node.place,
    )


class TreeBuilder:
    """One method for each rule or alias of the grammar; all take the rule's children."""

    def start(self, parts: Parts) -> Statement:
        """`EXPLAIN? query ;?`."""
        statement: Statement = next(part for part in parts if isinstance(part, Statement))
        if not isinstance(parts[0], Token):
            return statement
        return dataclasses.replace(statement, explain=True, place=_span([parts[0], statement]))

    def query(self, parts: Parts) -> Statement:
        """The clauses of a query, in any order that the grammar lets through."""
        clauses: dict[str, Any] = {}
        for part in parts:
            if isinstance(part, Clause):
                if part.word.type in clauses:
                    raise FrameQLSyntaxError(
                        f"{part.word.type} given twice",
                        hint="join the two conditions with AND",
                        place=token_place(part.word),
                    )
                clauses[part.word.type] = part.value
        return Statement(
            items=tuple(part for part in parts if isinstance(part, Item)),
            anchor=clauses["AT"],
            source=clauses.get("FROM"),
            where=clauses.get("WHERE"),
            having=clauses.get("HAVING"),
            order_by=clauses.get("ORDER_BY", ()),
            limit=clauses.get("LIMIT"),
            place=_span(parts),
        )

    def where(self, parts: Parts) -> Clause:
        """`WHERE expr`, and every other clause of a word and one node."""
        return Clause(parts[0], parts[1], _span(parts))

    at = where
    having = where

    def source(self, parts: Parts) -> Clause:
        """`FROM name [AS alias]`."""
        name: Name = parts[1]
        if len(parts) > 2:
            name = AliasedName(name.parts, spelling(parts[-1]), place=_span(parts[1:]))
        return Clause(parts[0], name, _span(parts))

    def order(self, parts: Parts) -> Clause:
        """`ORDER BY key, ...`."""
        return Clause(parts[0], tuple(_nodes(parts)), _span(parts))

    def limit(self, parts: Parts) -> Clause:
        """`LIMIT count [OFFSET count] [PER anchor]`."""
        count, *rest = _nodes(parts)
        per = rest.pop() if rest and isinstance(rest[-1], Anchor) else None
        offset = rest[0] if rest else None
        place = _span(parts)
        return Clause(parts[0], Limit(count, offset, per, place=place), place)

    def item(self, parts: Parts) -> Item:
        """`*` or `expr [[AS] name]`."""
        alias = spelling(parts[-1]) if len(parts) > 1 else None
        unmarked = token_place(parts[-1]) if len(parts) == 2 else None
        return Item(parts[0], alias, unmarked, place=_span(parts))

    def star(self, parts: Parts) -> Star:
        """`*`."""
        return Star(place=_span(parts))

    def anchor(self, parts: Parts) -> Anchor:
        """One level, or levels in parentheses or braces."""
        return Anchor(tuple(_nodes(parts)), place=_span(parts))

    names = anchor

    def grouping(self, parts: Parts) -> Anchor:
        """`ROLLUP (...)`, `CUBE (...)` or `GROUPING SETS (...)`."""
        elements = tuple(map(_element, _nodes(parts)))
        place = _span(parts)
        sets = GroupingSets(GroupingWord(" ".join(parts[0].type.split("_"))), elements, place=place)
        return stacked_anchor(sets)

    def levels(self, parts: Parts) -> Anchor:
        """`(a, b)`, an element of grouping sets."""
        return Anchor(tuple(map(_level, _nodes(parts))), place=_span(parts))

    def lone(self, parts: Parts) -> Anchor:
        """`(expr AS name)`, an element of grouping sets."""
        return Anchor((self.adhoc(parts[1:-1]),), place=_span(parts))

    def adhoc(self, parts: Parts) -> AdHocLevel:
        """`expr AS name`."""
        return AdHocLevel((spelling(parts[2]),), parts[0], place=_span(parts))

    def key(self, parts: Parts) -> OrderKey:
        """`expr [ASC | DESC] [NULLS FIRST | NULLS LAST]`."""
        words = {part.type for part in parts[1:]}
        nulls_first = ("FIRST" in words) if "NULLS" in words else None
        return OrderKey(parts[0], "DESC" in words, nulls_first, place=_span(parts))

    def expr(self, parts: Parts) -> Junction:
        """`a OR b OR ...` (and `conj`: `a AND b AND ...`), flattened."""
        operator = parts[1].type
        operands: list[Expression] = []
        for part in parts[::2]:
            if isinstance(part, Junction) and part.operator == operator:
                operands.extend(part.operands)
            else:
                operands.append(part)
        return Junction(operator, tuple(operands), place=_span(parts))

    conj = expr

    def negation(self, parts: Parts) -> Not:
        """`NOT x`."""
        return Not(parts[1], place=_span(parts))

    def compare(self, parts: Parts) -> Compare:
        """`a = b` and its like."""
        operator = "<>" if parts[1] == "!=" else str(parts[1])
        return Compare(operator, parts[0], parts[2], place=_span(parts))

    def isin(self, parts: Parts) -> IsIn:
        """`x [NOT] IN (a, ...)`."""
        operand, *members = _nodes(parts)
        return IsIn(operand, tuple(members), _negated(parts), place=_span(parts))

    def isinlast(self, parts: Parts) -> IsInLast:
        """`x [NOT] IN (LAST 30 day)`."""
        count = literals.integer(str(parts[-3]), token_place(parts[-3])).value
        assert isinstance(count, int)
        unit = literals.unit(spelling(parts[-2]))
        return IsInLast(parts[0], count, unit, _negated(parts), place=_span(parts))

    def isinlist(self, parts: Parts) -> IsInList:
        """`x [NOT] IN $list`."""
        return IsInList(parts[0], parts[-1], _negated(parts), place=_span(parts))

    def between(self, parts: Parts) -> Between:
        """`x [NOT] BETWEEN low AND high`."""
        operand, low, high = _nodes(parts)
        return Between(operand, low, high, _negated(parts), place=_span(parts))

    def like(self, parts: Parts) -> Like:
        """`x [NOT] LIKE pattern`."""
        return Like(parts[0], parts[-1], _negated(parts), place=_span(parts))

    def isnull(self, parts: Parts) -> IsNull:
        """`x IS [NOT] NULL`."""
        return IsNull(parts[0], _negated(parts), place=_span(parts))

    def isknown(self, parts: Parts) -> IsKnown:
        """`x IS [NOT] KNOWN`."""
        return IsKnown(parts[0], _negated(parts), place=_span(parts))

    def distinctfrom(self, parts: Parts) -> DistinctFrom:
        """`a IS [NOT] DISTINCT FROM b`."""
        return DistinctFrom(parts[0], parts[-1], _negated(parts), place=_span(parts))

    def sum(self, parts: Parts) -> Expression:
        """`a + b - c ...` (and `mul`: `a * b / c ...`), leaning left."""
        left: Expression = parts[0]
        for operator, right in zip(parts[1::2], parts[2::2], strict=True):
            left = Binary(str(operator), left, right, place=_span([left, right]))
        return left

    mul = sum

    def sign(self, parts: Parts) -> Expression:
        """`-x`, `+x`; a number takes the sign into itself."""
        operator, operand = str(parts[0]), parts[1]
        if literals.is_number(operand):
            return literals.signed(operator, operand, _span(parts))
        return Unary(operator, operand, place=_span(parts))

    def ascribed(self, parts: Parts) -> Ascribed:
        """`x @ anchor`."""
        return Ascribed(parts[0], parts[2], place=_span(parts))

    def group(self, parts: Parts) -> Expression:
        """`(x)`: x itself, whose place now includes the parentheses."""
        inner: Expression = parts[1]
        return dataclasses.replace(inner, place=_span(parts))

    def call(self, parts: Parts) -> Call:
        """`name(...) [FILTER (WHERE p)]`."""
        condition = parts[-1].value if isinstance(parts[-1], Clause) else None
        distinct = isinstance(parts[2], Token) and parts[2].type == "DISTINCT"
        return Call(
            spelling(parts[0]).upper(),
            tuple(_nodes(parts)),
            distinct,
            condition,
            place=_span(parts),
        )

    def filter(self, parts: Parts) -> Clause:
        """`FILTER (WHERE p)`."""
        return Clause(parts[0], parts[3], _span(parts))

    def case(self, parts: Parts) -> Case:
        """`CASE [x] WHEN ... [ELSE y] END`."""
        operand = parts[1] if isinstance(parts[1], Expression) else None
        otherwise = parts[-2] if isinstance(parts[-2], Expression) else None
        whens = tuple(part for part in parts if isinstance(part, When))
        return Case(operand, whens, otherwise, place=_span(parts))

    def when(self, parts: Parts) -> When:
        """`WHEN x THEN y`."""
        return When(parts[1], parts[3], place=_span(parts))

    def cast(self, parts: Parts) -> Cast:
        """`CAST(x AS type)`."""
        return Cast(parts[2], parts[4], place=_span(parts))

    def type(self, parts: Parts) -> str:
        """`integer` or `decimal(12,2)`."""
        return "".join(str(part) for part in parts).lower()

    def extract(self, parts: Parts) -> Extract:
        """`EXTRACT(field FROM x)`."""
        return Extract(spelling(parts[2]).lower(), parts[4], place=_span(parts))

    def interval(self, parts: Parts) -> Interval:
        """`INTERVAL '3 months'` or `INTERVAL 3 month`."""
        place = _span(parts)
        if len(parts) == 2:
            return literals.written_interval(literals.unquoted(parts[1]), place)
        count = literals.integer(str(parts[1]), token_place(parts[1])).value
        assert isinstance(count, int)
        return literals.interval(count, spelling(parts[2]), place)

    def position(self, parts: Parts) -> Call:
        """`POSITION(part IN text)`."""
        return Call("POSITION", (parts[2], parts[4]), place=_span(parts))

    def dotted(self, parts: Parts) -> Name:
        """`a.b.c`."""
        return Name(tuple(spelling(part) for part in parts[::2]), place=_span(parts))

    def integer(self, parts: Parts) -> Literal:
        """`12`."""
        return literals.integer(parts[0], token_place(parts[0]))

    def number(self, parts: Parts) -> Literal:
        """`1.20` or `1e3`."""
        return literals.number(parts[0], token_place(parts[0]))

    def text(self, parts: Parts) -> Literal:
        """`'...'`."""
        return Literal(literals.unquoted(parts[0]), LiteralKind.TEXT, place=_span(parts))

    def date(self, parts: Parts) -> Literal:
        """`DATE '...'`."""
        return literals.date(literals.unquoted(parts[1]), _span(parts))

    def timestamp(self, parts: Parts) -> Literal:
        """`TIMESTAMP '...'`."""
        return literals.timestamp(literals.unquoted(parts[1]), _span(parts))

    def true(self, parts: Parts) -> Literal:
        """`TRUE`."""
        return Literal(True, LiteralKind.BOOLEAN, place=_span(parts))

    def false(self, parts: Parts) -> Literal:
        """`FALSE`."""
        return Literal(False, LiteralKind.BOOLEAN, place=_span(parts))

    def null(self, parts: Parts) -> Literal:
        """`NULL`."""
        return Literal(None, LiteralKind.NULL, place=_span(parts))

    def positional(self, parts: Parts) -> Parameter:
        """`?`, whose token has its number as value."""
        return Parameter(index=parts[0].value, place=_span(parts))

    def named(self, parts: Parts) -> Parameter:
        """`$name`."""
        return Parameter(name=str(parts[0][1:]), place=_span(parts))
