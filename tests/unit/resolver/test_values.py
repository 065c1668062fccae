"""Literals and parameters as constants, texts read as what they stand beside, types of sums."""

import datetime
from decimal import Decimal

import pytest

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.errors import ArithmeticOverflow, TypeMismatch, UnknownName
from flightframe_server.language.syntax import Parameter
from flightframe_server.resolver.terms import Constant, LevelTerm
from flightframe_server.resolver.values import (
    Binding,
    arithmetic,
    castable,
    common_type,
    constant,
    fill_of,
    literal_type,
    read_as,
)

OF_UTC = DataType(Kind.TIMESTAMP, zone="UTC")
OF_BERLIN = DataType(Kind.TIMESTAMP, zone="Europe/Berlin")
NOON = datetime.datetime(2024, 2, 1, 12)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (None, NULL),
        (True, BOOLEAN),
        (1, INTEGER),
        (2**63 - 1, INTEGER),
        (-(2**63), INTEGER),
        (2**63, decimal(38, 0)),
        (-(2**63) - 1, decimal(38, 0)),
        (Decimal("1.50"), decimal(3, 2)),
        (Decimal("0.001"), decimal(3, 3)),
        (Decimal("1e3"), decimal(1, 0)),
        (0.5, DOUBLE),
        ("x", TEXT),
        (NOON.date(), DATE),
        (NOON, TIMESTAMP),
        # An offset says which instant it is, and no more.
        (NOON.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5))), OF_UTC),
    ],
)
def test_the_type_of_a_value(value, type_):
    assert literal_type(value) == type_
    assert constant(value) == Constant(type_, value)


@pytest.mark.parametrize("value", [10**38, -(10**38), Decimal("1" * 39), Decimal("0." + "1" * 39)])
def test_a_number_has_at_most_38_digits(value):
    with pytest.raises(ArithmeticOverflow, match="a number has at most 38 digits"):
        constant(value)
    assert constant(10**38 - 1).type == decimal(38, 0)


def test_a_parameter_is_its_value_by_index_or_by_name():
    binding = Binding({1: 7, "city": "Bern"})
    assert binding.constant(Parameter(index=1)) == Constant(INTEGER, 7)
    assert binding.constant(Parameter(name="city")) == Constant(TEXT, "Bern")


@pytest.mark.parametrize(
    ("parameter", "named"), [(Parameter(index=0), "?1"), (Parameter(name="x"), "$x")]
)
def test_a_parameter_without_a_value_is_refused(parameter, named):
    with pytest.raises(UnknownName) as found:
        Binding({1: 7}).constant(parameter)
    assert found.value.message == f"parameter {named} has no value"


def test_a_parameter_of_a_query_that_is_only_typed_is_a_text_until_more_is_known():
    binding = Binding(None)
    assert binding.constant(Parameter(name="x")) == Constant(NULL, None)
    assert binding.types == {"x": TEXT}
    binding.note_type(Parameter(name="x"), DATE)
    binding.constant(Parameter(name="x"))
    assert binding.types == {"x": DATE}


@pytest.mark.parametrize(
    ("written", "wanted", "read"),
    [
        (" 42 ", INTEGER, Constant(INTEGER, 42)),
        ("1.50", decimal(9, 1), Constant(decimal(3, 2), Decimal("1.50"))),
        ("1.5e3", DOUBLE, Constant(DOUBLE, 1500.0)),
        ("True", BOOLEAN, Constant(BOOLEAN, True)),
        ("false", BOOLEAN, Constant(BOOLEAN, False)),
        ("2024-02-01", DATE, Constant(DATE, NOON.date())),
        ("2024-02-01", TIMESTAMP, Constant(DATE, NOON.date())),
        ("2024-02-01 12:00:00", TIMESTAMP, Constant(TIMESTAMP, NOON)),
        (
            "2024-02-01T12:00:00Z",
            OF_BERLIN,
            Constant(OF_UTC, NOON.replace(tzinfo=datetime.UTC)),
        ),
        ("42", TEXT, Constant(TEXT, "42")),
        ("42", NULL, Constant(TEXT, "42")),
    ],
)
def test_a_text_is_read_as_what_it_stands_beside(written, wanted, read):
    assert read_as(Constant(TEXT, written), wanted) == read


def test_what_is_no_text_stays():
    assert read_as(Constant(INTEGER, 1), TEXT) == Constant(INTEGER, 1)


@pytest.mark.parametrize(
    ("written", "wanted", "hint"),
    [
        ("4.5", INTEGER, "write a whole number such as 42"),
        ("ten", decimal(9, 2), "write a number such as 10.50"),
        ("ten", DOUBLE, "write a number such as 1.5e3"),
        ("yes", BOOLEAN, "write TRUE or FALSE"),
        ("2024-02-30", DATE, "write a date such as '2024-02-01'"),
        ("noon", TIMESTAMP, "write a timestamp such as '2024-02-01 12:30:00'"),
    ],
)
def test_a_text_that_is_no_value_of_a_type_is_refused(written, wanted, hint):
    with pytest.raises(TypeMismatch) as found:
        read_as(Constant(TEXT, written), wanted)
    assert found.value.message == f"'{written}' is not a {wanted.kind}"
    assert found.value.hint == hint


CENTS, MILLS = decimal(9, 2), decimal(9, 3)


@pytest.mark.parametrize(
    ("left", "operator", "right", "type_", "name"),
    [
        (INTEGER, "+", INTEGER, INTEGER, "add"),
        (INTEGER, "-", CENTS, decimal(38, 2), "subtract"),
        (CENTS, "+", MILLS, decimal(38, 3), "add"),
        (CENTS, "*", MILLS, decimal(38, 5), "multiply"),
        (INTEGER, "*", NULL, INTEGER, "multiply"),
        # A quotient is a double, and so is all that a double has a part in.
        (INTEGER, "/", INTEGER, DOUBLE, "divide"),
        (CENTS, "*", DOUBLE, DOUBLE, "multiply"),
        (INTEGER, "%", INTEGER, INTEGER, "modulo"),
        (NULL, "%", INTEGER, INTEGER, "modulo"),
    ],
)
def test_the_type_of_an_operation(left, operator, right, type_, name):
    one, other = LevelTerm(left, "l"), LevelTerm(right, "r")
    found = arithmetic(operator, one, other)
    assert (found.type, found.function, found.arguments) == (type_, name, (one, other))


@pytest.mark.parametrize(
    ("left", "operator", "right", "said"),
    [
        (TEXT, "+", INTEGER, "+ takes numbers, not text"),
        (INTEGER, "-", DATE, "- takes numbers, not date"),
        (CENTS, "%", INTEGER, "% takes integers only"),
        (DOUBLE, "%", INTEGER, "% takes integers only"),
        (decimal(38, 20), "*", decimal(38, 19), "a product keeps at most 38 decimal places"),
    ],
)
def test_an_operation_that_does_not_take_what_it_is_given(left, operator, right, said):
    with pytest.raises(TypeMismatch) as found:
        arithmetic(operator, LevelTerm(left, "l"), LevelTerm(right, "r"))
    assert found.value.message == said


@pytest.mark.parametrize(
    ("left", "right", "shared"),
    [
        (NULL, TEXT, TEXT),
        (DATE, NULL, DATE),
        (INTEGER, INTEGER, INTEGER),
        (INTEGER, CENTS, decimal(38, 2)),
        (MILLS, DOUBLE, DOUBLE),
        (DATE, DATE, DATE),
        (DATE, TIMESTAMP, TIMESTAMP),
        # The zone that a column has, before that of an offset.
        (OF_UTC, OF_BERLIN, OF_BERLIN),
        (OF_BERLIN, OF_UTC, OF_BERLIN),
        (DATE, OF_UTC, OF_UTC),
        (TEXT, TEXT, TEXT),
        (TEXT, INTEGER, None),
        (BOOLEAN, INTEGER, None),
        (DATE, INTEGER, None),
    ],
)
def test_the_type_in_which_two_values_are_compared(left, right, shared):
    assert common_type(left, right) == shared


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        (TEXT, TEXT, True),
        (NULL, DATE, True),
        (INTEGER, CENTS, True),
        (CENTS, INTEGER, True),
        (CENTS, DOUBLE, True),
        # Its last digits would be lost unseen.
        (DOUBLE, CENTS, False),
        (DOUBLE, INTEGER, False),
        (DATE, TIMESTAMP, True),
        (TIMESTAMP, DATE, False),
        (TEXT, INTEGER, False),
        (INTEGER, TEXT, False),
    ],
)
def test_a_computed_value_may_be_declared_another_type(given, wanted, fits):
    assert castable(given, wanted) is fits


def test_a_double_fills_no_exact_sum():
    assert fill_of(0.5, DOUBLE) == 0.5
    assert fill_of(0.5, decimal(38, 2)) is None
