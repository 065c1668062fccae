"""Terms: one text for one meaning, the parts of a condition, and the levels that it pins."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from flightframe_server.algebra.reducers import Operator
from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    TEXT,
    DataType,
    decimal,
)
from flightframe_server.catalog.collection import Snapshot
from flightframe_server.errors import InternalError
from flightframe_server.resolver.predicates import conjuncts, merged_conjuncts, pinned_levels
from flightframe_server.resolver.terms import (
    Apply,
    ColumnTerm,
    Constant,
    LevelTerm,
    Metric,
    NestedTerm,
    StateTerm,
    Term,
    field_of,
    inner_anchor,
    levels_of,
    name_text,
    places_of,
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
        (holds("in", STORE, Constant(TEXT, "a")), {"store"}),
        (holds("in", STORE, Constant(TEXT, "a"), Constant(TEXT, "b")), set()),
        (holds("in", HOUR, Constant(DOUBLE, 2.0**53)), set()),
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


def rooted(name: str, type_: DataType = INTEGER, argument: Term | None = None) -> Metric:
    """A metric of sales."""
    return Metric("amount", Operator(name), "sales", argument, type_)


COST = ColumnTerm(decimal(9, 2), "sales", "cost")


def test_a_metric_keeps_the_states_of_its_reducer_and_the_key_of_its_order() -> None:
    assert rooted("SUM", decimal(38, 2), COST).states == (("value", decimal(38, 2)),)
    last = replace(rooted("LAST", decimal(9, 2), COST), order=(HOUR, STORE))
    assert last.states == (("value", decimal(9, 2)), ("key0", INTEGER), ("key1", TEXT))
    # Rows that are counted have no argument.
    assert rooted("COUNT").argument_type == INTEGER
    assert rooted("MAX", decimal(9, 2), COST).argument_type == decimal(9, 2)


def test_a_metric_rolls_up_unless_its_rows_are_needed_again() -> None:
    assert rooted("SUM", argument=COST).rolls_up
    assert not rooted("MEDIAN", argument=COST).rolls_up
    assert not replace(rooted("SUM"), snapshot=Snapshot("month", "LAST")).rolls_up


def test_a_failure_is_about_a_metric_and_what_is_read_for_it() -> None:
    assert rooted("SUM", argument=COST).subject == "SUM(amount) of sales.cost"
    assert rooted("COUNT").subject == "COUNT(amount) of sales"
    mean = replace(
        rooted("SUM", argument=COST), display_name="SUM(amount), which profit is made of,"
    )
    assert mean.subject == "SUM(amount), which profit is made of of sales.cost"


def test_the_places_of_a_round_and_the_field_of_an_extract_are_known() -> None:
    assert places_of(Apply(INTEGER, "round", (HOUR, Constant(INTEGER, -2)))) == -2
    assert field_of(Apply(INTEGER, "extract", (Constant(TEXT, "year"), STORE))) == "year"
    with pytest.raises(InternalError, match="the places of a round"):
        places_of(Apply(INTEGER, "round", (HOUR, HOUR)))
    with pytest.raises(InternalError, match="the field of an extract"):
        field_of(Apply(INTEGER, "extract", (Constant(INTEGER, 1), STORE)))


def test_a_state_has_no_text_since_no_query_can_name_one() -> None:
    with pytest.raises(AssertionError, match="no text for StateTerm"):
        text(StateTerm(INTEGER, "count"))
