"""Writes syntax nodes as canonical Frame-QL text.

What comes in: a tree, as `parse` makes it. What goes out: one line: keywords in upper case, names
as written and in quotes only where they need them, parentheses only where they change the
meaning. It must never change what the text means: `parse(format_statement(tree)) == tree`.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from decimal import Decimal

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
)
from flightframe_server.language.words import CASE_NAMES, CLAUSE_FUNCTIONS, needs_quotes

# How tightly a node holds together, loosest first.
_OR, _AND, _NOT, _TEST, _SUM, _PRODUCT, _SIGN, _ASCRIBED, _ATOM = range(9)

_SUMS = frozenset({"+", "-", "||"})


def format_statement(statement: Statement) -> str:
    """Return the canonical text of a query, with WHERE before AT.

    Positional parameters are written `?`: their indexes must rise from 0 in the order of the text,
    as `parse` numbers them. So AT comes before WHERE where its parameters do.
    """
    return _Writer().statement(statement)


def format_expression(expression: Expression) -> str:
    """Return the canonical text of one expression."""
    return _Writer().write(expression)


def format_item(item: Item) -> str:
    """Return the canonical text of one entry of SELECT."""
    return _Writer().item(item)


def format_order_key(key: OrderKey) -> str:
    """Return the canonical text of one key of ORDER BY."""
    return _Writer().key(key)


def canonical_name(expression: Expression) -> str:
    """Return the output name of an item without alias: its canonical text in lower case.

    Text literals and parameters keep their letters.

    >>> canonical_name(Call("SUM", (Name(("Revenue",)),)))
    'sum(revenue)'
    """
    return _Writer(lower=True).write(expression)


def _binding(node: Expression) -> int:
    """Return how tightly the text of a node holds together."""
    match node:
        case Junction():
            return _OR if node.operator == "OR" else _AND
        case Not():
            return _NOT
        case (
            Compare()
            | IsIn()
            | IsInLast()
            | IsInList()
            | Between()
            | Like()
            | IsNull()
            | IsKnown()
            | DistinctFrom()
        ):
            return _TEST
        case Binary():
            return _SUM if node.operator in _SUMS else _PRODUCT
        case Unary():
            return _SIGN
        case Literal() if _literal(node).startswith("-"):
            return _SIGN
        case Ascribed():
            return _ASCRIBED
    return _ATOM


def _literal(node: Literal) -> str:
    """Return a constant as its kind is written."""
    value = node.value
    match node.kind, value:
        case LiteralKind.TEXT, _:
            return "'" + str(value).replace("'", "''") + "'"
        case LiteralKind.DECIMAL, Decimal():
            text = format(value if value else value.copy_abs(), "f")
            return text if "." in text else text + "."
        case LiteralKind.DOUBLE, float():
            # The shortest digits that read back as the same double, with the exponent that
            # makes them a double.
            return f"{Decimal(repr(value)).normalize():e}".replace("e+", "e")
        case LiteralKind.DATE, datetime.date():
            return f"DATE '{value.isoformat()}'"
        case LiteralKind.TIMESTAMP, datetime.datetime():
            return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
        case LiteralKind.NULL, _:
            return "NULL"
    return str(value).upper()


def _anchor_is_first(statement: Statement) -> bool:
    """Whether the positional parameters of AT come before those of WHERE."""
    if not any(isinstance(level, AdHocLevel) for level in statement.anchor.levels):
        return False
    in_anchor, in_where = _least_index(statement.anchor), _least_index(statement.where)
    return in_anchor is not None and in_where is not None and in_anchor < in_where


def _least_index(value: object) -> int | None:
    """Return the least index of the positional parameters in a node, or None."""
    if isinstance(value, Parameter):
        return value.index
    if isinstance(value, Node):
        value = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    if not isinstance(value, tuple):
        return None
    indexes = (_least_index(part) for part in value)
    return min((index for index in indexes if index is not None), default=None)


class _Writer:
    """Writes one tree, in upper or lower case.

    A level of the tree costs three frames: `map` stands where a comprehension would add one.
    """

    def __init__(self, lower: bool = False) -> None:
        self._lower = lower
        # How many CASEs are around what is being written: inside, their words are no names.
        self._cases = 0

    def statement(self, node: Statement) -> str:
        parts = ["EXPLAIN SELECT" if node.explain else "SELECT"]
        parts.append(", ".join(self.item(item) for item in node.items))
        if node.source is not None:
            parts += ["FROM", self.write(node.source)]
        at = ["AT", self._anchor(node.anchor)]
        where = [] if node.where is None else ["WHERE", self.write(node.where)]
        first, second = (at, where) if _anchor_is_first(node) else (where, at)
        parts += [*first, *second]
        if node.having is not None:
            parts += ["HAVING", self.write(node.having)]
        if node.order_by:
            parts += ["ORDER BY", ", ".join(self.key(key) for key in node.order_by)]
        if node.limit is not None:
            parts.append(self._limit(node.limit))
        return " ".join(parts)

    def write(self, node: Expression, floor: int = _OR) -> str:
        """Return the text of an expression, in parentheses if it binds looser than `floor`."""
        text = self._unparenthesised(node)
        return f"({text})" if floor and _binding(node) < floor else text

    def _unparenthesised(self, node: Expression) -> str:
        match node:
            case AdHocLevel():
                name = self._name(node.text)
                return f"{self.write(node.expression)} {self._word('AS')} {name}"
            case Name() | Literal() | Parameter() | Star() | Interval():
                return self._leaf(node)
            case Call():
                return self._call(node)
            case Case():
                return self._case(node)
            case Cast():
                to = f"{self._word('AS')} {node.type}"
                return f"{self._word('CAST')}({self.write(node.operand)} {to})"
            case Extract():
                field = f"{self._word('EXTRACT')}({self._name(node.field)}"
                return f"{field} {self._word('FROM')} {self.write(node.operand)})"
            case Ascribed():
                return f"{self.write(node.operand, _ATOM)} @ {self._anchor(node.anchor)}"
            case Unary() | Binary():
                return self._arithmetic(node)
        return self._predicate(node)

    def _leaf(self, node: Name | Literal | Parameter | Star | Interval) -> str:
        match node:
            case AliasedName():
                return f"{self._leaf(Name(node.parts))} {self._word('AS')} {self._name(node.alias)}"
            case Interval():
                return self._interval(node)
            case Name():
                return ".".join(self._name(part) for part in node.parts)
            case Literal():
                text = _literal(node)
                return text if node.kind is LiteralKind.TEXT else self._word(text)
            case Parameter():
                return "?" if node.name is None else f"${node.name}"
        return "*"

    def _arithmetic(self, node: Unary | Binary) -> str:
        if isinstance(node, Binary):
            level = _binding(node)
            # Chains lean left, so only the right side needs to bind tighter.
            left, right = self.write(node.left, level), self.write(node.right, level + 1)
            return f"{left} {node.operator} {right}"
        operand = self.write(node.operand, _SIGN)
        # Two minus signs in a row would start a comment.
        gap = " " if operand.startswith("-") else ""
        return f"{node.operator}{gap}{operand}"

    def _interval(self, node: Interval) -> str:
        """Return an interval; with a sign it is a text."""
        if node.count < 0:
            return f"{self._word('INTERVAL')} '{node.count} {node.unit}'"
        return f"{self._word('INTERVAL')} {node.count} {self._name(node.unit)}"

    def _predicate(self, node: Expression) -> str:
        match node:
            case Junction():
                level, joint = _binding(node) + 1, self._word(f" {node.operator} ")
                return joint.join(map(self.write, node.operands, itertools.repeat(level)))
            case Not():
                return f"{self._word('NOT')} {self.write(node.operand, _NOT)}"
            case Compare():
                return f"{self._side(node.left)} {node.operator} {self._side(node.right)}"
            case DistinctFrom():
                words = self._words("IS", node.negated, "DISTINCT FROM")
                return f"{self._side(node.left)} {words} {self._side(node.right)}"
            case IsNull() | IsKnown():
                word = "NULL" if isinstance(node, IsNull) else "KNOWN"
                return f"{self._side(node.operand)} {self._words('IS', node.negated, word)}"
            case IsIn() | IsInList() | IsInLast():
                words = self._words("", node.negated, "IN")
                return f"{self._side(node.operand)} {words} {self._listed(node)}"
            case Like():
                words = self._words("", node.negated, "LIKE")
                return f"{self._side(node.operand)} {words} {self.write(node.pattern)}"
            case Between():
                words = self._words("", node.negated, "BETWEEN")
                ends = f"{self._side(node.low)} {self._word('AND')} {self._side(node.high)}"
                return f"{self._side(node.operand)} {words} {ends}"
        raise TypeError(f"no text for {type(node).__name__}")

    def _listed(self, node: IsIn | IsInList | IsInLast) -> str:
        if isinstance(node, IsInLast):
            return f"({self._word('LAST')} {node.count} {self._name(node.unit)})"
        if isinstance(node, IsInList):
            return self.write(node.values)
        return f"({', '.join(map(self.write, node.members))})"

    def _side(self, node: Expression) -> str:
        return self.write(node, _SUM)

    def _call(self, node: Call) -> str:
        two_arguments = len(node.arguments) == 2 and not node.distinct and node.filter is None
        if node.function == "POSITION" and two_arguments:
            part, text = map(self._side, node.arguments)
            return f"{self._word('POSITION')}({part} {self._word('IN')} {text})"
        # `filter(` is always the clause, so a function of that name takes quotes.
        quoted = node.function in CLAUSE_FUNCTIONS
        function = f'"{node.function}"' if quoted else self._name(node.function)
        distinct = self._word("DISTINCT ") if node.distinct else ""
        arguments = ", ".join(map(self.write, node.arguments))
        text = f"{self._word(function)}({distinct}{arguments})"
        if node.filter is None:
            return text
        return f"{text} {self._word('FILTER (WHERE')} {self.write(node.filter)})"

    def _case(self, node: Case) -> str:
        self._cases += 1
        parts = [self._word("CASE")]
        if node.operand is not None:
            parts.append(self.write(node.operand))
        for when in node.whens:
            parts += [self._word("WHEN"), self.write(when.condition)]
            parts += [self._word("THEN"), self.write(when.result)]
        if node.otherwise is not None:
            parts += [self._word("ELSE"), self.write(node.otherwise)]
        self._cases -= 1
        return " ".join([*parts, self._word("END")])

    def item(self, item: Item) -> str:
        text = self.write(item.expression)
        return text if item.alias is None else f"{text} AS {self._name(item.alias)}"

    def _anchor(self, anchor: Anchor) -> str:
        if anchor.sets is not None:
            elements = ", ".join(map(self._anchor, anchor.sets.elements))
            return f"{self._word(anchor.sets.word)} ({elements})"
        levels = ", ".join(self.write(level) for level in anchor.levels)
        single_level = len(anchor.levels) == 1 and not isinstance(anchor.levels[0], AdHocLevel)
        return levels if single_level else f"({levels})"

    def key(self, key: OrderKey) -> str:
        text = self.write(key.expression) + (" DESC" if key.descending else "")
        if key.nulls_first is None:
            return text
        return text + (" NULLS FIRST" if key.nulls_first else " NULLS LAST")

    def _limit(self, limit: Limit) -> str:
        text = f"LIMIT {self.write(limit.count)}"
        if limit.offset is not None:
            text += f" OFFSET {self.write(limit.offset)}"
        return text if limit.per is None else f"{text} PER {self._anchor(limit.per)}"

    def _name(self, name: str) -> str:
        folded = name.lower() if self._lower else name
        quoted = needs_quotes(folded) or (self._cases and folded.lower() in CASE_NAMES)
        return '"' + folded.replace('"', '""') + '"' if quoted else folded

    def _word(self, word: str) -> str:
        return word.lower() if self._lower else word

    def _words(self, first: str, negated: bool, last: str) -> str:
        return self._word(" ".join(filter(None, (first, "NOT" if negated else "", last))))
