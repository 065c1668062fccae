"""What each row function gives for one value: the definitions, in plain Python.

What comes in: values that are not NULL: whole numbers, doubles, text, dates, moments; a decimal as
its digits, a whole number whose point stands elsewhere. What goes out: the value, or OVERFLOW where
it does not fit. It must never round where a function does not say so, nor ask the platform, whose
tables and locale differ from machine to machine.

SQLite and the composer call these. DuckDB and Polars say the same in their own words, and tests
hold all of them together.
"""

from __future__ import annotations

import datetime
import math
import re
import sys
from collections.abc import Callable
from functools import cache

from flightframe_server.errors import ArithmeticOverflow
from flightframe_server.resolver.days import months_later

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
EXACT_DOUBLE = 2**53

INTEGER_TEXT = r" *([+-]?[0-9]+) *"
DECIMAL_TEXT = r" *([+-]?)([0-9]+)(?:\.([0-9]+))? *"
DOUBLE_TEXT = r" *([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?) *"
BOOLEAN_TEXT = r" *([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]) *"
YEAR_TEXT = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
DATE_TEXT = rf"{YEAR_TEXT}-[0-9]{{2}}-[0-9]{{2}}"
TIME_TEXT = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
"""How the text of a value is written, so that CAST reads it; blanks around it do not count."""

# Letters that Unicode got after version 14, which is the one that every part of us knows.
_LATER = (
    (0x1C89, 0x1C8A),
    (0xA7CB, 0xA7CF),
    (0xA7D2, 0xA7D2),
    (0xA7D4, 0xA7D4),
    (0xA7DA, 0xA7DD),
    (0xA7E2, 0xA7E2),
    (0xAB6C, 0xAB6D),
    (0x10D50, 0x10D85),
    (0x16EA0, 0x16ED3),
    (0x1DF40, 0x1DF7F),
)
# Python knows the mappings of text, in which some letters become several. These are the single
# letters that Unicode gives them as well, and the capital that a sharp s has by now.
_LOWER_ALONE = {"\u0130": "i"}
_UPPER_ALONE = {
    "\u00df": "\u1e9e",
    "\u1fb3": "\u1fbc",
    "\u1fc3": "\u1fcc",
    "\u1ff3": "\u1ffc",
} | {
    chr(start + index): chr(start + 8 + index)
    for start in (0x1F80, 0x1F90, 0x1FA0)
    for index in range(8)
}


def misfit() -> ArithmeticOverflow:
    """Return the error of a value that does not fit its declared type."""
    return ArithmeticOverflow("a value does not fit its declared type")


def fitting(value: int) -> int:
    """Return a whole number that fits 64 bits; raises `ArithmeticOverflow`."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise misfit()
    return value


def power(exponent: int) -> int:
    """Return a power of ten as a whole number."""
    return int(10**exponent)


@cache
def lower_pairs() -> dict[str, str]:
    """Return each letter that LOWER changes with its small one."""
    return _pairs(str.lower) | _LOWER_ALONE


@cache
def upper_pairs() -> dict[str, str]:
    """Return each letter that UPPER changes with its capital."""
    return _pairs(str.upper) | _UPPER_ALONE


def _pairs(change: Callable[[str], str]) -> dict[str, str]:
    letters = map(chr, range(sys.maxunicode + 1))
    changed = ((letter, change(letter)) for letter in letters)
    return {
        letter: other
        for letter, other in changed
        if len(other) == 1 and letter != other and not (_is_later(letter) or _is_later(other))
    }


def _is_later(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _LATER)


@cache
def _table(change: Callable[[], dict[str, str]]) -> dict[int, str]:
    return str.maketrans(change())


def lower(text: str) -> str:
    """Return text in small letters, each code point by itself."""
    return text.lower() if text.isascii() else text.translate(_table(lower_pairs))


def upper(text: str) -> str:
    """Return text in capitals, each code point by itself."""
    return text.upper() if text.isascii() else text.translate(_table(upper_pairs))


def substr(text: str, start: int, length: int | None = None) -> str:
    """Return the code points at `start` and after, from 1, `length` of them.

    Positions before the first count as places without a code point: SUBSTR('abc', 0, 2) is 'a'.
    """
    end = len(text) + 1 if length is None else start + length
    return text[max(start, 1) - 1 : max(end, 1) - 1]


def left(text: str, count: int) -> str:
    """Return the first code points of a text; a count below 0 leaves so many out at the end."""
    return text[:count]


def right(text: str, count: int) -> str:
    """Return the last code points of a text; a count below 0 leaves so many out at the start."""
    return text[max(len(text) - count, 0) :] if count >= 0 else text[-count:]


def length(text: str) -> int:
    """Return how many code points a text has."""
    return len(text)


def trim(text: str) -> str:
    """Return a text without the blanks (U+0020) around it."""
    return text.strip(" ")


def replace(text: str, old: str, new: str) -> str:
    """Return a text with each `old` in it, from the left, become `new`; an empty one is nowhere."""
    return text.replace(old, new) if old else text


def position(part: str, text: str) -> int:
    """Return where a text first holds a part, in code points from 1; 0 where it does not."""
    return text.find(part) + 1


def extract(field: str, moment: datetime.date) -> int:
    """Return a field of a date or moment; the fields of a moment alone need one."""
    match field:
        case "quarter":
            return (moment.month + 2) // 3
        case "week":
            return moment.isocalendar().week
        case "isoyear":
            return moment.isocalendar().year
        case "doy":
            return moment.timetuple().tm_yday
        case "dow":
            return moment.isoweekday() % 7
        case "isodow":
            return moment.isoweekday()
    return int(getattr(moment, field))


def make_date(year: int, month: int, day: int) -> datetime.date:
    """Return a day of the calendar, of the years 1 to 9999; raises `ArithmeticOverflow`."""
    try:
        return datetime.date(year, month, day)
    except (ValueError, OverflowError):
        raise misfit() from None


def add_days(day: datetime.date, count: int) -> datetime.date:
    """Return the day or moment so many days later; raises `ArithmeticOverflow` past 1 to 9999."""
    try:
        return day + datetime.timedelta(days=count)
    except OverflowError:
        raise misfit() from None


def add_months(day: datetime.date, count: int) -> datetime.date:
    """Return the day or moment so many months later; raises `ArithmeticOverflow` past 1 to 9999."""
    try:
        return months_later(day, count)
    except OverflowError:
        raise misfit() from None


def days_between(later: datetime.date, earlier: datetime.date) -> int:
    """Return by how many days one date is later than another."""
    return (later - earlier).days


def round_digits(digits: int, scale: int, places: int) -> int:
    """Return digits rounded half away from zero, with the point after `max(places, 0)` of them."""
    if places >= scale:
        return digits
    unit = power(scale - places)
    quotient, rest = divmod(abs(digits), unit)
    rounded = (quotient + (2 * rest >= unit)) * power(max(-places, 0))
    return rounded if digits >= 0 else -rounded


def floor_digits(digits: int, scale: int) -> int:
    """Return the greatest whole number that is not above a decimal of so many places."""
    return digits // power(scale)


def ceil_digits(digits: int, scale: int) -> int:
    """Return the least whole number that is not below a decimal of so many places."""
    return -(-digits // power(scale))


def floor_double(number: float) -> float:
    """Return the greatest whole double that is not above a number; of no number itself."""
    return math.copysign(math.floor(number), number) if math.isfinite(number) else number


def ceil_double(number: float) -> float:
    """Return the least whole double that is not below a number; of no number itself."""
    return math.copysign(math.ceil(number), number) if math.isfinite(number) else number


def round_double(number: float, places: int) -> float:
    """Return a double scaled by a power of ten, rounded half away from zero, and scaled back.

    Where the scaled number is too large to have a fraction, the double is its own answer.
    """
    unit = 10.0 ** abs(places)
    scaled = number * unit if places >= 0 else number / unit
    if not abs(scaled) < EXACT_DOUBLE:
        return number
    floor = float(math.floor(abs(scaled)))
    rounded = math.copysign(floor + (abs(scaled) - floor >= 0.5), scaled)
    return rounded / unit if places >= 0 else rounded * unit


def square_root(number: float) -> float:
    """Return the double nearest to a square root; raises `ArithmeticOverflow` below zero."""
    if number < 0:
        raise misfit()
    return math.sqrt(number)


def text_to_integer(text: str) -> int:
    """Return the whole number that a text is; raises `ArithmeticOverflow`."""
    return fitting(int(_read(INTEGER_TEXT, text)[1]))


def text_to_digits(text: str, precision: int, scale: int) -> int:
    """Return the digits of the decimal that a text is; raises `ArithmeticOverflow`."""
    sign, integer, fraction = _read(DECIMAL_TEXT, text).groups()
    places = (fraction or "").rstrip("0")
    if len(places) > scale:
        raise misfit()
    return narrow(int(sign + integer + places.ljust(scale, "0")), precision)


def text_to_double(text: str) -> float:
    """Return the double nearest to what a text says; raises `ArithmeticOverflow`."""
    number = float(_read(DOUBLE_TEXT, text)[1])
    if math.isinf(number):
        raise misfit()
    return number


def text_to_boolean(text: str) -> bool:
    """Return whether a text is true, or false, in any case; raises `ArithmeticOverflow`."""
    return _read(BOOLEAN_TEXT, text)[1].lower() == "true"


def text_to_date(text: str) -> datetime.date:
    """Return the day that a text is; raises `ArithmeticOverflow`."""
    written = _read(f" *({DATE_TEXT}) *", text)[1]
    return make_date(int(written[:4]), int(written[5:7]), int(written[8:10]))


def text_to_moment(text: str) -> datetime.datetime:
    """Return the moment that a text is, midnight for a day; raises `ArithmeticOverflow`."""
    day, time = _read(f" *({DATE_TEXT})(?:[ T]({TIME_TEXT}))? *", text).groups()
    seconds, _, fraction = (time or "00:00").partition(".")
    clock = datetime.time.fromisoformat(seconds)
    return datetime.datetime.combine(
        text_to_date(day), clock.replace(microsecond=int((fraction or "0").ljust(6, "0")))
    )


def like_regex(pattern: str) -> str:
    r"""Return a LIKE pattern as a regular expression, for engines that never go back.

    >>> like_regex("a.%_")
    'a\\..*.'
    """
    holes = {"%": ".*", "_": "."}
    return "".join(holes.get(letter) or re.escape(letter) for letter in pattern)


def like_pattern(
    pattern: str, *, escape: str = "", flags: re.RegexFlag = re.NOFLAG
) -> re.Pattern[str]:
    """Return a LIKE pattern for `fullmatch`, which takes no longer than pattern times text.

    Args:
        pattern: `%` stands for any run of characters, `_` for one.
        escape: a character that takes the next one literally; empty for none.
        flags: beside the one that lets `.` stand for the end of a line.
    """
    escaping = rf"{re.escape(escape)}(.)|" if escape else "((?!))|"
    pieces = [""]
    for escaped, letter in re.findall(rf"{escaping}(.)", pattern, re.DOTALL):
        if letter == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if letter == "_" else re.escape(escaped or letter)
    first, *middle = pieces
    if middle:
        last = middle.pop()
        # Where a middle piece occurs first is as good as anywhere later, so that matching never
        # goes back over it; only the last one has to reach the end.
        first += "".join(f"(?>.*?{piece})" for piece in middle) + f".*{last}"
    return re.compile(first, re.DOTALL | flags)


def _read(pattern: str, text: str) -> re.Match[str]:
    match = re.fullmatch(pattern, text, re.ASCII)
    if match is None:
        raise misfit()
    return match


def narrow(digits: int, precision: int) -> int:
    """Return digits that are at most `precision` of them; raises `ArithmeticOverflow`."""
    if abs(digits) >= power(precision):
        raise misfit()
    return digits


def rescale(digits: int, scale: int, new_scale: int, precision: int) -> int:
    """Return digits with the point elsewhere, of at most `precision` digits, without loss."""
    if new_scale >= scale:
        return narrow(digits * power(new_scale - scale), precision)
    quotient, lost = divmod(digits, power(scale - new_scale))
    if lost:
        raise misfit()
    return narrow(quotient, precision)


def double_to_digits(number: float, precision: int, scale: int) -> int:
    """Return the digits of the decimal that reads back as a double; raises `ArithmeticOverflow`.

    Past 2^53 digits of a double are no longer its own, so that nothing fits there.
    """
    unit = 10.0**scale
    digits = round_double(number * unit, 0)
    if not abs(digits) <= EXACT_DOUBLE or digits / unit != number:
        raise misfit()
    return narrow(int(digits), precision)


def double_to_integer(number: float) -> int:
    """Return the whole number that a double is; raises `ArithmeticOverflow`."""
    if not -(2.0**63) <= number < 2.0**63 or not number.is_integer():
        raise misfit()
    return int(number)


def digits_to_text(digits: int, scale: int) -> str:
    """Return a decimal as text with all of its places: `-0.50`."""
    written = str(abs(digits)).rjust(scale + 1, "0")
    integer, fraction = written[: len(written) - scale], written[len(written) - scale :]
    return ("-" if digits < 0 else "") + integer + ("." + fraction if scale else "")


def moment_to_text(moment: datetime.datetime) -> str:
    """Return `YYYY-MM-DD HH:MM:SS`, and six places of the second where they are not zero."""
    return moment.isoformat(sep=" ")


def moment_to_date(moment: datetime.datetime) -> datetime.date:
    """Return the day of a moment that is its midnight; raises `ArithmeticOverflow`."""
    if moment.time() != datetime.time():
        raise misfit()
    return moment.date()
