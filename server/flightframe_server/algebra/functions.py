"""The table of row functions: what each takes, what it gives, and what it makes of NULL.

What comes in: nothing, this is a table. What goes out: a row for each function that a term may
apply, read by the resolver (what fits, what type it has), the planner (can the back-end do it), the
composer and the back-ends, which each hold one table of implementations by these names. It must
never compute a value: what a function gives for one is said in `row_values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flightframe_server.algebra.primitives import TypeRule, double, same
from flightframe_server.algebra.types import DATE, INTEGER, TEXT, DataType


class Nulls(StrEnum):
    """What a function gives where an argument is NULL."""

    PASS = "NULL"
    LOGIC = "unknown, unless the others settle it"
    NEVER = "true or false"
    CHOOSE = "what the others say"


class Takes(StrEnum):
    """What an argument must be; a parameter that stands there is declared to have the type."""

    ANY = "any value"
    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"

    @property
    def type(self) -> DataType | None:
        """The one type that fits, or None where several do."""
        return {Takes.INTEGER: INTEGER, Takes.TEXT: TEXT}.get(self)


@dataclass(frozen=True, slots=True)
class RowFunction:
    """One function of the values of a row.

    Attributes:
        name: as it stands in a term and in its canonical text, which entries are known by.
        form: how it is written by those who call it by name; empty where it has words of its own.
        takes: what each argument must be, the last ones optional.
        least: how many arguments it takes at least.
        more: whether any number of further arguments may follow.
        gives: the type from that of the first argument; None where the resolver has a rule for it.
        nulls: what it gives where an argument is NULL.
    """

    name: str
    form: str = ""
    takes: tuple[Takes, ...] = ()
    least: int = 1
    more: bool = False
    gives: TypeRule | None = None
    nulls: Nulls = Nulls.PASS


def _text(_: DataType) -> DataType:
    return TEXT


def _integer(_: DataType) -> DataType:
    return INTEGER


def _date(_: DataType) -> DataType:
    return DATE


_PART = (Takes.TEXT, Takes.INTEGER, Takes.INTEGER)
_END = (Takes.TEXT, Takes.INTEGER)
_DAY = (Takes.INTEGER, Takes.INTEGER, Takes.INTEGER)

_PASSING = (
    *("add", "subtract", "multiply", "divide", "negate"),
    *("eq", "ne", "lt", "le", "gt", "ge", "like", "not"),
    *("cast", "to_timestamp", "concat", "extract", "add_days", "add_months", "days_between"),
)
_OPERATORS = (
    *(RowFunction(name) for name in _PASSING),
    *(RowFunction(name, nulls=Nulls.LOGIC) for name in ("and", "or", "in")),
    *(RowFunction(name, nulls=Nulls.NEVER) for name in ("is_null", "distinct")),
    RowFunction("case", nulls=Nulls.CHOOSE),
)

_MODULO = RowFunction("modulo", "MOD(a, b)", (Takes.INTEGER, Takes.INTEGER), 2, gives=_integer)

_CALLED = (
    RowFunction("coalesce", "COALESCE(a, b, ...)", (Takes.ANY,), more=True, nulls=Nulls.CHOOSE),
    RowFunction("nullif", "NULLIF(a, b)", (Takes.ANY, Takes.ANY), 2, nulls=Nulls.CHOOSE),
    RowFunction("abs", "ABS(number)", (Takes.NUMBER,), gives=same),
    RowFunction("round", "ROUND(number[, places])", (Takes.NUMBER, Takes.INTEGER)),
    RowFunction("floor", "FLOOR(number)", (Takes.NUMBER,)),
    RowFunction("ceil", "CEIL(number)", (Takes.NUMBER,)),
    RowFunction("sqrt", "SQRT(number)", (Takes.NUMBER,), gives=double),
    RowFunction("length", "LENGTH(text)", (Takes.TEXT,), gives=_integer),
    RowFunction("lower", "LOWER(text)", (Takes.TEXT,), gives=_text),
    RowFunction("upper", "UPPER(text)", (Takes.TEXT,), gives=_text),
    RowFunction("substr", "SUBSTR(text, start[, length])", _PART, 2, gives=_text),
    RowFunction("left", "LEFT(text, count)", _END, 2, gives=_text),
    RowFunction("right", "RIGHT(text, count)", _END, 2, gives=_text),
    RowFunction("trim", "TRIM(text)", (Takes.TEXT,), gives=_text),
    RowFunction("replace", "REPLACE(text, 'old', 'new')", (Takes.TEXT,) * 3, 3),
    RowFunction("position", "POSITION(part IN text)", (Takes.TEXT,) * 2, 2, gives=_integer),
    RowFunction("make_date", "MAKE_DATE(year, month, day)", _DAY, 3, gives=_date),
)

FUNCTIONS: Mapping[str, RowFunction] = {
    function.name: function for function in (*_OPERATORS, _MODULO, *_CALLED)
}
"""Every function that a term may apply, by name."""

CALLED: Mapping[str, RowFunction] = {
    **{function.name.upper(): function for function in _CALLED},
    "MOD": _MODULO,
}
"""Every function that is called by name; CASE, CAST, EXTRACT and || have words of their own."""

CHOOSING = frozenset({"case", "coalesce"})
"""Those that compute a result only for the rows that come to it; see `terms.Apply`."""
