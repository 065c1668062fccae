"""Is a constant read as exactly what was written?"""

import datetime
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded
from flightframe_server.language import parse_expression
from flightframe_server.language.syntax import Literal, LiteralKind


def read(text: str) -> Literal:
    literal = parse_expression(text)
    assert isinstance(literal, Literal)
    return literal


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("0", 0, LiteralKind.INTEGER),
        ("007", 7, LiteralKind.INTEGER),
        ("9223372036854775808", 2**63, LiteralKind.INTEGER),
        ("-9223372036854775808", -(2**63), LiteralKind.INTEGER),
        ("1" * 999, (10**999 - 1) // 9, LiteralKind.INTEGER),
        ("1e3", 1000.0, LiteralKind.DOUBLE),
        ("1.5E-3", 0.0015, LiteralKind.DOUBLE),
        (".5e1", 5.0, LiteralKind.DOUBLE),
        ("0e0", 0.0, LiteralKind.DOUBLE),
        ("'it''s'", "it's", LiteralKind.TEXT),
        ("''", "", LiteralKind.TEXT),
        ("''''", "'", LiteralKind.TEXT),
        ("TRUE", True, LiteralKind.BOOLEAN),
        ("false", False, LiteralKind.BOOLEAN),
        ("Null", None, LiteralKind.NULL),
    ],
)
def test_constants(text, value, kind):
    literal = read(text)
    assert (literal.value, literal.kind) == (value, kind)
    assert type(literal.value) is type(value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.50", "1.50"),
        ("0.000", "0.000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-1.20", "-1.20"),
        ("-0.0", "0.0"),
        ("12345678901234567890123456789012345678.90", "12345678901234567890123456789012345678.90"),
        ("-12345678901234567890123456789012345678.9", "-12345678901234567890123456789012345678.9"),
    ],
)
def test_decimals_keep_their_digits_and_scale(text, shown):
    literal = read(text)
    assert literal.kind is LiteralKind.DECIMAL
    assert str(literal.value) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [("-1", -1), ("+1", 1), ("- 1", -1), ("-(1)", -1), ("- -1", 1), ("-+-+1", 1), ("-0", 0)],
)
def test_signs_fold_into_integers(text, value):
    assert read(text) == Literal(value, LiteralKind.INTEGER)


def test_a_double_has_a_negative_zero():
    value = read("-0e0").value
    assert isinstance(value, float)
    assert math.copysign(1, value) == -1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("DATE '2024-02-29'", datetime.date(2024, 2, 29)),
        ("date'0001-01-01'", datetime.date(1, 1, 1)),
        ("DATE /* of */ '9999-12-31'", datetime.date(9999, 12, 31)),
        ("TIMESTAMP '2024-01-01 12:00'", datetime.datetime(2024, 1, 1, 12)),
        ("TIMESTAMP '2024-01-01T12:34:56'", datetime.datetime(2024, 1, 1, 12, 34, 56)),
        ("TIMESTAMP '2024-01-01 00:00:00.5'", datetime.datetime(2024, 1, 1, microsecond=500_000)),
        ("TIMESTAMP '2024-01-01 00:00:00.000001'", datetime.datetime(2024, 1, 1, microsecond=1)),
        (
            "TIMESTAMP '2024-01-01 12:00:00Z'",
            datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC),
        ),
        (
            "timestamp '2024-01-01T12:00:00.25-05:30'",
            datetime.datetime(
                2024,
                1,
                1,
                12,
                microsecond=250_000,
                tzinfo=datetime.timezone(-datetime.timedelta(hours=5, minutes=30)),
            ),
        ),
        (
            "TIMESTAMP '2024-01-01 12:00+02'",
            datetime.datetime(
                2024, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
            ),
        ),
    ],
)
def test_dates_and_timestamps(text, value):
    literal = read(text)
    assert repr(literal.value) == repr(value)
    kind = LiteralKind.TIMESTAMP if isinstance(value, datetime.datetime) else LiteralKind.DATE
    assert literal.kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "DATE '2023-02-29'",
        "DATE '2024-13-01'",
        "DATE '2024-1-1'",
        "DATE '20240101'",
        "DATE '2024-01-01 '",
        "DATE ''",
        "DATE '0000-01-01'",
        "DATE '2024-W01-1'",
        "DATE '\u0662\u0660\u0662\u0664-01-01'",
        "DATE '2024-01-01 12:00'",
        "TIMESTAMP '2024-01-01'",
        "TIMESTAMP '2024-01-0112:00'",
        "TIMESTAMP '2024-01-01t12:00'",
        "TIMESTAMP '2024-01-01 12:00z'",
        "TIMESTAMP '2024-01-01 12'",
        "TIMESTAMP '2024-01-01 24:00'",
        "TIMESTAMP '2024-01-01 12:60'",
        "TIMESTAMP '2024-01-01 12:00:60'",
        "TIMESTAMP '2024-02-30 12:00:00'",
        "TIMESTAMP '2024-01-01 12:00:00.1234567'",
        "TIMESTAMP '2024-01-01 12:00:00+24:00'",
        "TIMESTAMP '2024-01-01 12:00:00+02:60'",
        "TIMESTAMP '2024-01-01  12:00:00'",
        "TIMESTAMP '2024-01-01 12:00:00 UTC'",
    ],
)
def test_bad_dates_and_timestamps_are_refused_at_their_place(text):
    with pytest.raises(FrameQLSyntaxError) as caught:
        parse_expression("day >\n  " + text)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (2, 3)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "text", ["1e999", "-1e999", "1.5e308888888888888888", "1e-999", "0.1e-400"]
)
def test_a_double_that_does_not_fit_is_refused(text):
    with pytest.raises(FrameQLSyntaxError, match="does not fit a double"):
        parse_expression(text)


@pytest.mark.parametrize("text", ["1" * 1001, "1." + "0" * 999, "1e" + "0" * 999])
def test_a_number_of_too_many_digits_is_refused(text):
    with pytest.raises(LimitExceeded, match="digits"):
        parse_expression(text)


@given(st.integers())
def test_integers_of_any_size(value):
    assert read(str(value)) == Literal(value, LiteralKind.INTEGER)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=10**20))
def test_decimals_are_what_their_digits_say(whole, fraction):
    literal = read(f"{whole}.{fraction}")
    assert literal.kind is LiteralKind.DECIMAL
    assert str(literal.value) == f"{whole}.{fraction}"
    assert isinstance(literal.value, Decimal)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_read_back_to_the_bit(value):
    literal = read(f"{value:.17e}")
    assert literal.kind is LiteralKind.DOUBLE
    assert repr(literal.value) == repr(value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_kept_letter_by_letter(value):
    quoted = "'" + value.replace("'", "''") + "'"
    assert read(quoted) == Literal(value, LiteralKind.TEXT)
