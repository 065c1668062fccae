"""Terms: one text for one meaning, the parts of a condition, and the levels that it pins."""

import datetime
from decimal import Decimal

import pytest

from flightframe_server.algebra.reducers import Operator
from flightframe_server.algebra.types import BOOLEAN, DATE, DOUBLE, INTEGER, NULL, TEXT, decimal
from flightframe_server.resolver.predicates import conjuncts, merged_conjuncts, pinned_levels
from flightframe_server.resolver.terms import (
    Apply,
    Constant,
    LevelTerm,
    NestedTerm,
    Term,
    inner_anchor,
    levels_of,
    name_text,
    text,
)

STORE, HOUR = LevelTerm(TEXT, "store"), LevelTerm(INTEGER, "hour")


def holds(function: str, *arguments: Term) -> Apply:
    """A condition."""
    return Apply(BOOLEAN, function, arguments)


ONE = holds("eq", STORE, Constant(TEXT, "a"))
TWO = holds("is_null", HOUR)
THREE = holds("gt", HOUR, Constant(INTEGER, 3))


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (Constant(TEXT, "O'Brien"), "'O''Brien'"),
        (Constant(TEXT, "null"), "'null'"),
        (Constant(NULL, None), "null"),
        (Constant(TEXT, None), "null"),
        (Constant(INTEGER, 1), "1"),
        (Constant(BOOLEAN, True), "True"),
        (Constant(decimal(3, 2), Decimal("1.50")), "1.50"),
        # To the last bit, and with the sign of a zero.
        (Constant(DOUBLE, 0.1), "0x1.999999999999ap-4"),
        (Constant(DOUBLE, -0.0), "-0x0.0p+0"),
        (Constant(DATE, datetime.date(2024, 1, 1)), "date '2024-01-01'"),
        (LevelTerm(TEXT, "a level"), '"a level"'),
        (LevelTerm(TEXT, "true"), '"true"'),
        (ONE, "eq(store,'a')"),
        (Apply(INTEGER, "cast", (STORE,)), "cast(store as integer)"),
    ],
)
def test_a_term_has_one_text(term: Term, written: str) -> None:
    assert text(term) == written


def test_a_quoted_name_is_told_from_a_text_and_from_two_names() -> None:
    assert name_text('a"b') == '"a""b"'
    assert name_text("a.b") == '"a.b"'
    assert name_text("1") == '"1"'


def test_a_condition_is_the_set_of_its_parts() -> None:
    nested = holds("and", TWO, holds("and", ONE, TWO), ONE)
    assert conjuncts(nested) == (ONE, TWO) == conjuncts(holds("and", ONE, TWO))
    assert conjuncts(holds("or", ONE, TWO)) == (holds("or", ONE, TWO),)
    assert merged_conjuncts((nested, THREE, ONE)) == (ONE, THREE, TWO)
    assert merged_conjuncts(()) == ()


@pytest.mark.parametrize(
    ("condition", "pinned"),
    [
        (ONE, {"store"}),
        (TWO, {"hour"}),
        (holds("eq", HOUR, Constant(decimal(2, 1), Decimal("3.0"))), {"hour"}),
        # NULL equals nothing, so that no member is left; so does a parameter without a value.
        (holds("eq", HOUR, Constant(INTEGER, None)), {"hour"}),
        # 2^53 and 2^53 + 1 are one double.
        (holds("eq", HOUR, Constant(DOUBLE, 2.0**53)), set()),
        (THREE, set()),
        (holds("not", ONE), set()),
        (holds("or", ONE, ONE), set()),
        (holds("in", STORE, Constant(TEXT, "a")), set()),
        (holds("eq", STORE, LevelTerm(TEXT, "other")), set()),
        (holds("is_null", Apply(INTEGER, "abs", (HOUR,))), set()),
    ],
)
def test_the_level_that_a_condition_holds_to_one_member(condition: Term, pinned: set[str]) -> None:
    assert pinned_levels((condition,)) == pinned


def test_levels_are_pinned_by_any_part_and_read_by_all() -> None:
    assert pinned_levels((ONE, THREE, TWO)) == {"store", "hour"}
    assert levels_of(holds("and", ONE, THREE)) == {"store", "hour"}


def test_the_anchor_of_cells_holds_that_of_the_point() -> None:
    nested = NestedTerm(INTEGER, Operator("MAX"), Constant(INTEGER, 1), ("day", "store"))
    assert inner_anchor(nested, ("store", "region")) == ("day", "region", "store")
