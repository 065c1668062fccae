"""Are the definitions of the row functions what they say, on any Python?"""

import datetime
import re
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server import row_values
from flightframe_server.errors import ArithmeticOverflow

WIDE = Context(prec=120)


def test_the_letters_are_those_of_unicode_14():
    # From UnicodeData.txt of that version: 1,433 code points have a simple small letter, 1,450 a
    # simple capital; the capital of the sharp s is ours.
    assert len(row_values.lower_pairs()) == 1433
    assert len(row_values.upper_pairs()) == 1450 + 1
    for later in ("\u1c89", "\ua7cb", "\U00010d50", "\U00016ea0"):
        assert row_values.lower(later) == later
    assert row_values.upper("\u019b") == "\u019b"


@given(st.integers(-(10**40), 10**40), st.integers(0, 20), st.integers(-25, 25))
def test_digits_are_rounded_as_decimal_does(digits, scale, places):
    kept = min(scale, places)
    number = Decimal(digits).scaleb(-scale, context=WIDE)
    wanted = number.quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP, context=WIDE)
    found = row_values.round_digits(digits, scale, places)
    at = scale if places >= scale else max(places, 0)
    assert Decimal(found).scaleb(-at, context=WIDE) == wanted


@given(st.text(max_size=8), st.integers(-10, 12), st.integers(-3, 12))
def test_a_part_of_a_text_is_what_its_positions_say(text, start, length):
    wanted = "".join(letter for at, letter in enumerate(text, 1) if start <= at < start + length)
    assert row_values.substr(text, start, length) == wanted
    assert row_values.substr(text, start) == "".join(
        letter for at, letter in enumerate(text, 1) if start <= at
    )


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 8))
def test_a_double_that_is_cast_reads_back(number, scale):
    try:
        digits = row_values.double_to_digits(number, 38, scale)
    except ArithmeticOverflow:
        return
    assert float(Decimal(digits).scaleb(-scale)) == number


@given(st.decimals(-(10**6), 10**6, places=3))
def test_a_double_of_few_decimals_can_be_cast(number):
    digits = row_values.double_to_digits(float(number), 38, 3)
    assert Decimal(digits).scaleb(-3) == number


@given(st.datetimes())
def test_a_moment_reads_back(moment):
    written = row_values.moment_to_text(moment)
    assert row_values.text_to_moment(written) == moment
    assert row_values.text_to_date(written[:10]) == moment.date()


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(0, 38))
def test_a_decimal_reads_back(digits, scale):
    written = row_values.digits_to_text(digits, scale)
    assert Decimal(written) == Decimal(digits).scaleb(-scale, context=WIDE)
    assert row_values.text_to_digits(written, 38, scale) == digits


def has_pattern(text, pattern):
    """LIKE as the standard words it, one character after another."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(has_pattern(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and has_pattern(text[1:], pattern[1:])


@given(st.text("ab.\n", max_size=6), st.text("ab.%_\n", max_size=6))
def test_a_pattern_of_like_fits_as_the_standard_says(text, pattern):
    fits = has_pattern(text, pattern)
    assert (row_values.like_pattern(pattern).fullmatch(text) is not None) is fits
    regex = re.compile(row_values.like_regex(pattern), re.DOTALL)
    assert (regex.fullmatch(text) is not None) is fits


def test_many_holes_in_a_pattern_cost_no_more_than_their_number():
    # Going back over each of them would take longer than the universe has.
    assert row_values.like_pattern("%a" * 40 + "b").fullmatch("a" * 4000) is None


@pytest.mark.parametrize("text", ["", " ", "1 2", "0x1", "1.", ".5", "+", "\u0661", "1_0", "1\n"])
def test_a_text_of_another_form_is_no_number(text):
    for read in (row_values.text_to_integer, row_values.text_to_double):
        with pytest.raises(ArithmeticOverflow):
            read(text)
    with pytest.raises(ArithmeticOverflow):
        row_values.text_to_digits(text, 38, 2)


def test_the_last_moment_within_a_day_is_no_date():
    day = datetime.datetime(2024, 2, 29)
    assert row_values.moment_to_date(day) == day.date()
    with pytest.raises(ArithmeticOverflow):
        row_values.moment_to_date(day + datetime.timedelta(microseconds=1))
