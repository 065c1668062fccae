"""Expressions over levels by chance, each as Frame-QL and as a function of a row in Python.

The functions are written by the words of docs/frame-ql.md and share nothing with the product, so
that where both agree two independent readings of an expression do.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]
TEXTS = ["East", "west", "É", "", "S1", "a b"]


@dataclass(frozen=True)
class Written:
    """One expression: its text, and what it gives for a row."""

    text: str
    of: Callable[[Row], Any]


def level(name: str) -> Written:
    """A level."""
    return Written(name, lambda row: row[name])


def _passing(text: str, function: Callable[..., Any], *sides: Written) -> Written:
    """NULL in is NULL out."""

    def of(row: Row) -> Any:
        values = [side.of(row) for side in sides]
        return None if any(value is None for value in values) else function(*values)

    return Written(text, of)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _substr(text: str, start: int, count: int) -> str:
    """By position from 1; positions before it hold nothing."""
    places = range(start, start + max(count, 0))
    return "".join(letter for at, letter in enumerate(text, 1) if at in places)


def _case(test: Written, one: Written, other: Written | None) -> Written:
    tail = "" if other is None else f" ELSE {other.text}"

    def of(row: Row) -> Any:
        if test.of(row) is True:
            return one.of(row)
        return None if other is None else other.of(row)

    return Written(f"CASE WHEN {test.text} THEN {one.text}{tail} END", of)


def _and(one: Written, other: Written) -> Written:
    def of(row: Row) -> Any:
        sides = one.of(row), other.of(row)
        if False in sides:
            return False
        return None if None in sides else True

    return Written(f"({one.text}) AND ({other.text})", of)


def _or(one: Written, other: Written) -> Written:
    def of(row: Row) -> Any:
        sides = one.of(row), other.of(row)
        if True in sides:
            return True
        return None if None in sides else False

    return Written(f"({one.text}) OR ({other.text})", of)


def _coalesced(one: Written, text: str) -> Written:
    def of(row: Row) -> Any:
        value = one.of(row)
        return text if value is None else value

    return Written(f"COALESCE({one.text}, {_quoted(text)})", of)


def _null(one: Written) -> Written:
    return Written(f"({one.text}) IS NULL", lambda row: one.of(row) is None)


def _nullif(one: Written, text: str) -> Written:
    return _passing(f"NULLIF({one.text}, {_quoted(text)})", lambda x: None if x == text else x, one)


def _rest(number: int, by: int) -> int:
    """`%` has the sign of what is divided."""
    return abs(number) % by * (1 if number >= 0 else -1)


FIELDS: Mapping[str, Callable[[datetime.date], int]] = {
    "year": lambda day: day.year,
    "month": lambda day: day.month,
    "day": lambda day: day.day,
    "isodow": lambda day: day.isoweekday(),
}

small = st.integers(-3, 5)
words = st.sampled_from(TEXTS)


@st.composite
def texts(draw: st.DrawFn, depth: int = 2) -> Written:
    """Expressions that give texts."""
    if depth == 0:
        return level(draw(st.sampled_from(["store", "region"])))
    one = draw(texts(depth - 1))
    match draw(st.integers(0, 8)):
        case 0:
            return _passing(f"LOWER({one.text})", str.lower, one)
        case 1:
            return _passing(f"UPPER({one.text})", str.upper, one)
        case 2:
            start, count = draw(small), draw(st.integers(0, 3))
            text = f"SUBSTR({one.text}, {start}, {count})"
            return _passing(text, lambda x: _substr(x, start, count), one)
        case 3:
            word = draw(words)
            return _passing(f"{one.text} || {_quoted(word)}", lambda x: x + word, one)
        case 4:
            return _case(draw(conditions(depth - 1)), one, draw(st.none() | texts(depth - 1)))
        case 5:
            return _coalesced(one, draw(words))
        case 6:
            return _nullif(one, draw(words))
        case 7:
            number = draw(numbers(depth - 1))
            return _passing(f"CAST({number.text} AS text)", str, number)
    return one


@st.composite
def numbers(draw: st.DrawFn, depth: int = 2) -> Written:
    """Expressions that give whole numbers."""
    if depth == 0:
        return level("product")
    one = draw(numbers(depth - 1))
    match draw(st.integers(0, 5)):
        case 0:
            field = draw(st.sampled_from(sorted(FIELDS)))
            return _passing(f"EXTRACT({field} FROM day)", FIELDS[field], level("day"))
        case 1:
            by = draw(small)
            return _passing(f"({one.text}) + {by}", lambda x: x + by, one)
        case 2:
            by = draw(st.integers(1, 4))
            return _passing(f"({one.text}) % {by}", lambda x: _rest(x, by), one)
        case 3:
            return _passing(f"ABS({one.text})", abs, one)
        case 4:
            return _case(draw(conditions(depth - 1)), one, draw(st.none() | numbers(depth - 1)))
    return one


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Written:
    """Expressions that give true, false or unknown."""
    if depth == 0:
        return _null(level(draw(st.sampled_from(["store", "region", "product", "day"]))))
    match draw(st.integers(0, 6)):
        case 0:
            one, word = draw(texts(depth - 1)), draw(words)
            return _passing(f"{one.text} = {_quoted(word)}", lambda x: x == word, one)
        case 1:
            one, bound = draw(numbers(depth - 1)), draw(small)
            return _passing(f"({one.text}) > {bound}", lambda x: x > bound, one)
        case 2:
            one = draw(texts(depth - 1) | numbers(depth - 1))
            return _null(one)
        case 3:
            return _and(draw(conditions(depth - 1)), draw(conditions(depth - 1)))
        case 4:
            return _or(draw(conditions(depth - 1)), draw(conditions(depth - 1)))
        case 5:
            one, some = draw(texts(depth - 1)), draw(st.lists(words, min_size=1, max_size=3))
            listed = ", ".join(map(_quoted, some))
            return _passing(f"({one.text}) IN ({listed})", lambda x: x in some, one)
    one = draw(conditions(depth - 1))
    return _passing(f"NOT ({one.text})", lambda x: not x, one)


def dates() -> st.SearchStrategy[Written]:
    """Expressions that give dates."""
    first = Written("month", lambda row: row["day"] and row["day"].replace(day=1))
    made = _passing(
        "MAKE_DATE(EXTRACT(year FROM day), 1, EXTRACT(month FROM day))",
        lambda day: datetime.date(day.year, 1, day.month),
        level("day"),
    )
    return st.sampled_from([level("day"), first, made]) | st.builds(
        lambda test, one: _case(test, one, None), conditions(1), st.just(made)
    )


def expressions() -> st.SearchStrategy[Written]:
    """Expressions of every type that groups."""
    return texts() | numbers() | conditions() | dates()
