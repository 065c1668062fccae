"""Functions of one row that SQL and Frame-QL write alike, and the keys that are made of them.

What comes in: a call, and the values of the place in which it stands. What goes out: the same call
in Frame-QL. It must never read a call of which a part has no word there: what TRIM takes off, or
from where POSITION looks, is refused before it comes here.
"""

from __future__ import annotations

from typing import Protocol

from sqlglot import exp

from flightframe_server.errors import NotSupported, Place, TypeMismatch
from flightframe_server.language.syntax import (
    Call,
    Case,
    Cast,
    Compare,
    Expression,
    IsNull,
    Junction,
    Literal,
    LiteralKind,
    Parameter,
    When,
)
from flightframe_server.sql.folding import folded
from flightframe_server.sql.naming import rebuilt
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading

_WHOLE = ("FLOOR", "CEIL")


class Values(Protocol):
    """What a function needs of the place in which it stands."""

    @property
    def reading(self) -> Reading:
        """The text's."""

    def value(self, node: exp.Expr) -> Expression:
        """Return a value."""


def row_function(values: Values, node: exp.Expr, place: Place) -> Expression | None:
    """Return a function of one row; None where a node is none of these.

    Raises:
        NotSupported: what REPLACE looks for, or writes, is no constant.
        TypeMismatch: the bounds of SUBSTRING are none.
    """
    match node:
        case exp.Floor() | exp.Ceil() | exp.Trim():
            return Call(node.key.upper(), (values.value(node.this),), place=place)
        case exp.Left() | exp.Right():
            sides = values.value(node.this), values.value(node.expression)
            return Call(node.key.upper(), sides, place=place)
        case exp.Substring():
            return _part(values, node, place)
        case exp.StrPosition():
            return _position(values, node, place)
        case exp.Replace():
            return _replaced(values, node, place)
        case exp.Anonymous() if node.name.upper() == "MAKE_DATE":
            return Call("MAKE_DATE", tuple(map(values.value, node.expressions)), place=place)
        case exp.Greatest() | exp.Least():
            return _extreme(values, node, place)
    return None


def _extreme(values: Values, node: exp.Greatest | exp.Least, place: Place) -> Expression:
    """Return GREATEST or LEAST as a CASE: the first that no other passes; NULL is passed over."""
    if not node.args.get("ignore_nulls"):
        raise NotSupported(f"this {node.key.upper()} is not answered", place=place)
    operator = ">=" if isinstance(node, exp.Greatest) else "<="
    sides = [values.value(side) for side in (node.this, *node.expressions)]
    *others, last = sides
    whens = []
    for at, side in enumerate(others):
        # Those before it that are no NULL have been passed by one of those behind.
        tests: list[Expression] = []
        for other in sides[at + 1 :]:
            passes = Compare(operator, side, other, place=place)
            tests.append(Junction("OR", (passes, IsNull(other, place=place)), place=place))
        test = tests[0] if len(tests) == 1 else Junction("AND", tuple(tests), place=place)
        whens.append(When(test, side, place=place))
    if not whens:
        return last
    made = Case(None, tuple(whens), last, place=place)
    return values.reading.written_out(made, place)


def _part(values: Values, node: exp.Substring, place: Place) -> Call:
    bounds = [node.args.get("start"), node.args.get("length")]
    read = [folded(bound, values.reading) for bound in bounds if bound is not None]
    counts = [
        value.value
        for value in read
        if isinstance(value, Literal) and value.kind is LiteralKind.INTEGER
    ]
    if len(counts) != len(read) or not counts or int(str(counts[0])) < 1 or bounds[0] is None:
        raise TypeMismatch(
            "SUBSTRING takes a start from 1 and a length, both written out",
            place=place,
            hint="write SUBSTRING(x, 1, 2)",
        )
    if any(int(str(count)) < 0 for count in counts):
        raise TypeMismatch("SUBSTRING takes no length below 0", place=place)
    parts = tuple(value for value in read if value is not None)
    return Call("SUBSTR", (values.value(node.this), *parts), place=place)


def _position(values: Values, node: exp.StrPosition, place: Place) -> Call:
    part, text = node.args["substr"], node.this
    # POSITION has no place of its own; a call with one that has the part first is no STRPOS.
    if "start" in node.meta and place_of(part).start <= place_of(text).start:
        raise NotSupported(
            "this call is not answered", place=place, hint="write POSITION('part' IN text)"
        )
    return Call("POSITION", (values.value(part), values.value(text)), place=place)


def _replaced(values: Values, node: exp.Replace, place: Place) -> Call:
    replacement = node.args.get("replacement")
    old = _text(values, node.expression)
    new = None if replacement is None else _text(values, replacement)
    if old is None or new is None:
        raise NotSupported("REPLACE takes two texts that are written out", place=place)
    return Call("REPLACE", (values.value(node.this), old, new), place=place)


def _text(values: Values, node: exp.Expr) -> Literal | Parameter | None:
    value = folded(node, values.reading)
    if isinstance(value, Literal) and value.kind is not LiteralKind.TEXT:
        return None
    return value


def as_key(value: Expression) -> Expression:
    """Return a value as a key has it: what FLOOR and CEIL give is whole, and no key is a double."""
    made = rebuilt(value, as_key)
    if isinstance(made, Call) and made.function in _WHOLE:
        return Cast(made, "integer", place=made.place)
    return made


def from_key(value: Expression) -> Expression:
    """Return the value that `as_key` made a key's value of."""
    match value:
        case Cast(operand=Call(function="FLOOR" | "CEIL") as call, type="integer"):
            return rebuilt(call, from_key)
    return rebuilt(value, from_key)
