"""A reducer's row read: its further argument, how exact it is, which type it gives."""

import pytest

from flightframe_server.algebra.functions import Takes
from flightframe_server.algebra.reducers import (
    REDUCER_NAMES,
    REDUCERS,
    Exactness,
    Operator,
    result_type,
)
from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    TEXT,
    TIMESTAMP,
    decimal,
    fine_timestamp,
    in_micros,
)
from flightframe_server.errors import TypeMismatch


@pytest.mark.parametrize(
    ("name", "arguments", "argument"), [("QUANTILE", ("0.9",), "0.9"), ("MEDIAN", (), "0.5")]
)
def test_a_quantile_is_the_one_asked_for_and_a_median_the_half(name, arguments, argument):
    operator = Operator(name, arguments)
    assert REDUCERS[name].argument_of(operator) == argument
    assert str(operator) == (f"{name}({argument})" if arguments else name)


def test_how_exact_a_value_is():
    exact = {name: REDUCERS[name].exactness for name in REDUCER_NAMES}
    # A quotient, a root and a place between two values have endless digits.
    rounded = {"AVG", "VAR", "STDDEV", "MEDIAN", "QUANTILE"}
    # Adding up and taking away round doubles, and nothing else.
    summed = {"SUM", "RANGE"}
    assert {name for name in exact if exact[name] is Exactness.ROUNDED} == rounded
    assert {name for name in exact if exact[name] is Exactness.SUMMED} == summed
    assert {name for name in exact if exact[name] is Exactness.EXACT} == (
        set(REDUCER_NAMES) - rounded - summed
    )


@pytest.mark.parametrize("name", ["SUM", "AVG", "MEDIAN", "QUANTILE", "VAR", "STDDEV", "RANGE"])
@pytest.mark.parametrize("argument", [TEXT, DATE, BOOLEAN])
def test_what_is_no_number_is_not_added_up(name, argument):
    with pytest.raises(TypeMismatch, match=f"{name} takes a number, and state is {argument}"):
        result_type(REDUCERS[name], argument, "state")


@pytest.mark.parametrize(
    ("name", "argument", "type_"),
    [
        ("MIN", TEXT, TEXT),
        ("LAST", DATE, DATE),
        ("COUNT", TEXT, INTEGER),
        ("AVG", INTEGER, DOUBLE),
        ("SUM", decimal(12, 2), decimal(38, 2)),
    ],
)
def test_the_type_of_a_value(name, argument, type_):
    assert result_type(REDUCERS[name], argument, "x") == type_


def test_types_as_they_are_shown_and_told_apart():
    shown = [INTEGER, decimal(38, 2), TIMESTAMP, fine_timestamp("UTC")]
    assert list(map(str, shown)) == ["integer", "decimal(38,2)", "timestamp", "timestamp[UTC]"]
    every = {INTEGER, decimal(5, 0), DOUBLE, TEXT, DATE, TIMESTAMP, BOOLEAN, NULL}
    assert {type_ for type_ in every if type_.is_number} == {INTEGER, decimal(5, 0), DOUBLE}
    assert {type_ for type_ in every if type_.is_moment} == {DATE, TIMESTAMP}


def test_a_stored_moment_counts_in_microseconds_and_keeps_its_zone():
    assert in_micros(fine_timestamp()) == TIMESTAMP
    assert str(in_micros(fine_timestamp("UTC"))) == "timestamp[UTC]"
    assert not in_micros(fine_timestamp("UTC")).is_fine
    for other in (TIMESTAMP, DATE, decimal(12, 9)):
        assert in_micros(other) == other


def test_an_argument_has_a_type_of_its_own_where_one_alone_fits():
    assert {takes: takes.type for takes in Takes} == {
        Takes.ANY: None,
        Takes.NUMBER: None,
        Takes.INTEGER: INTEGER,
        Takes.TEXT: TEXT,
    }
