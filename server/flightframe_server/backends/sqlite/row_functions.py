"""The functions of one row, as SQLite calls them: values in its own form in and out.

What comes in: values that are not NULL, as they stand in a statement: decimals as scaled integers,
dates as 'YYYY-MM-DD', timestamps as microseconds, booleans as 0 and 1, a NaN as text. What goes
out: the same kinds of value. It must never define a function anew: `row_values` says what each
gives, and this only carries its values over.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from flightframe_server import row_values

Value = int | float | str | None

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


def microseconds(moment: datetime.datetime) -> int:
    """Return a moment as microseconds since 1970; a zone is turned into UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return (moment - _EPOCH) // _MICROSECOND


def moment_at(micros: int) -> datetime.datetime:
    """Return microseconds since 1970 as a moment."""
    return _EPOCH + micros * _MICROSECOND


def _extract(field: str, value: int | str) -> int:
    if isinstance(value, str):
        return row_values.extract(field, datetime.date.fromisoformat(value))
    return row_values.extract(field, moment_at(value))


def _make_date(year: int, month: int, day: int) -> str:
    return row_values.make_date(year, month, day).isoformat()


def _add_days(value: int | str, count: int) -> int | str:
    return _moved(row_values.add_days, value, count)


def _add_months(value: int | str, count: int) -> int | str:
    return _moved(row_values.add_months, value, count)


def _moved(
    move: Callable[[datetime.date, int], datetime.date], value: int | str, count: int
) -> int | str:
    """Return a date as text, or a moment as microseconds, moved."""
    if isinstance(value, str):
        return move(datetime.date.fromisoformat(value), count).isoformat()
    later = move(moment_at(value), count)
    assert isinstance(later, datetime.datetime)
    return microseconds(later)


def _days_between(later: str, earlier: str) -> int:
    return row_values.days_between(*map(datetime.date.fromisoformat, (later, earlier)))


def _round(digits: int, scale: int, places: int) -> int:
    return row_values.fitting(row_values.round_digits(digits, scale, places))


def _round_double(number: float | str, places: int) -> float | str:
    return number if isinstance(number, str) else row_values.round_double(number, places)


def _floor(digits: int, scale: int) -> int:
    return row_values.floor_digits(digits, scale)


def _ceil(digits: int, scale: int) -> int:
    return row_values.ceil_digits(digits, scale)


def _floor_double(number: float | str) -> float | str:
    return number if isinstance(number, str) else row_values.floor_double(number)


def _ceil_double(number: float | str) -> float | str:
    return number if isinstance(number, str) else row_values.ceil_double(number)


def _square_root(number: float | str) -> float | str:
    return number if isinstance(number, str) else row_values.square_root(number)


def _text_to_digits(text: str, precision: int, scale: int) -> int:
    return row_values.fitting(row_values.text_to_digits(text, precision, scale))


def _text_to_boolean(text: str) -> int:
    return int(row_values.text_to_boolean(text))


def _text_to_date(text: str) -> str:
    return row_values.text_to_date(text).isoformat()


def _text_to_moment(text: str) -> int:
    return microseconds(row_values.text_to_moment(text))


def _double_to_digits(number: float | str, precision: int, scale: int) -> int:
    digits = row_values.double_to_digits(float(number), precision, scale)
    return row_values.fitting(digits)


def _double_to_integer(number: float | str) -> int:
    return row_values.double_to_integer(float(number))


def _boolean_to_text(value: int) -> str:
    return "true" if value else "false"


def _moment_to_text(micros: int) -> str:
    return row_values.moment_to_text(moment_at(micros))


def midnight_of(micros: int) -> str:
    """Return a moment as the date that it is; raises `ArithmeticOverflow` for one within a day."""
    return row_values.moment_to_date(moment_at(micros)).isoformat()


def _substr(text: str, start: int, length: int) -> str:
    return row_values.substr(text, start, length)


def _rest(text: str, start: int) -> str:
    return row_values.substr(text, start)


NEVER_FAIL: dict[str, tuple[int, Callable[..., Value]]] = {
    "ff_length": (1, row_values.length),
    "ff_lower": (1, row_values.lower),
    "ff_upper": (1, row_values.upper),
    "ff_substr": (3, _substr),
    "ff_rest": (2, _rest),
    "ff_left": (2, row_values.left),
    "ff_right": (2, row_values.right),
    "ff_trim": (1, row_values.trim),
    "ff_replace": (3, row_values.replace),
    "ff_position": (2, row_values.position),
    "ff_floor": (2, _floor),
    "ff_ceil": (2, _ceil),
    "ff_floor_double": (1, _floor_double),
    "ff_ceil_double": (1, _ceil_double),
    "ff_days_between": (2, _days_between),
    "ff_extract": (2, _extract),
    "ff_round_double": (2, _round_double),
    "ff_digits_text": (2, row_values.digits_to_text),
    "ff_boolean_text": (1, _boolean_to_text),
    "ff_moment_text": (1, _moment_to_text),
}
"""Functions that give a value for every value: by name, how many arguments, and what is called."""

MAY_FAIL: dict[str, tuple[int, Callable[..., Value]]] = {
    "ff_make_date": (3, _make_date),
    "ff_add_days": (2, _add_days),
    "ff_add_months": (2, _add_months),
    "ff_round": (3, _round),
    "ff_sqrt": (1, _square_root),
    "ff_read_integer": (1, row_values.text_to_integer),
    "ff_read_decimal": (3, _text_to_digits),
    "ff_read_double": (1, row_values.text_to_double),
    "ff_read_boolean": (1, _text_to_boolean),
    "ff_read_date": (1, _text_to_date),
    "ff_read_timestamp": (1, _text_to_moment),
    "ff_double_decimal": (3, _double_to_digits),
    "ff_double_integer": (1, _double_to_integer),
    "ff_midnight": (1, midnight_of),
}
"""Functions that refuse what does not fit."""
