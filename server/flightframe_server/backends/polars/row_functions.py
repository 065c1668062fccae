"""Row functions and checked casts as Polars expressions.

What comes in: values of the types that the resolver settled. What goes out: values that are what
`row_values` says, or that make the query fail. It must never use a function of Polars that reads a
text generously, rounds another way, or knows the letters of a newer Unicode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from flightframe_server import row_values
from flightframe_server.algebra.types import DATE, DOUBLE, INTEGER, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.backends.polars import exact
from flightframe_server.backends.polars.values import Value, as_double, cast, day_number, dtype_of
from flightframe_server.resolver.terms import Apply, Constant, field_of, places_of

_MICROS_A_DAY = 86_400_000_000
_FAR = 2**32
_AGES = 4_000_000
_DAYS = -719_162, 2_932_896
"""The days since 1970 of the first day of year 1 and the last of 9999."""
_NO_NUMBER = "no number"
_FIELDS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "isoyear": "iso_year",
    "day": "day",
    "doy": "ordinal_day",
    "isodow": "weekday",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
}


def _cast(term: Apply, sides: list[Value]) -> Value:
    return checked_cast(sides[0], term.type)


def _concat(term: Apply, sides: list[Value]) -> Value:
    return Value(sides[0].expr + sides[1].expr, TEXT)


def _lower(term: Apply, sides: list[Value]) -> Value:
    return Value(_replaced(sides[0].expr, row_values.lower_pairs()), TEXT)


def _upper(term: Apply, sides: list[Value]) -> Value:
    return Value(_replaced(sides[0].expr, row_values.upper_pairs()), TEXT)


def _replaced(text: pl.Expr, pairs: dict[str, str]) -> pl.Expr:
    return text.str.replace_many(list(pairs), list(pairs.values()))


def _substr(term: Apply, sides: list[Value]) -> Value:
    text, start, *rest = [side.expr for side in sides]
    first = pl.max_horizontal(start, pl.lit(1, dtype=pl.Int64)) - 1
    if not rest:
        part = text.str.slice(first)
    else:
        # A start and a length together may pass 64 bits.
        end = start.cast(exact.DIGITS) + rest[0].cast(exact.DIGITS) - exact.int128(1)
        length = (end - first.cast(exact.DIGITS)).clip(exact.int128(0), exact.int128(2**40))
        part = text.str.slice(first, length.cast(pl.Int64))
    known = [side.is_not_null() for side in (start, *rest)]
    return Value(pl.when(pl.all_horizontal(known)).then(part), TEXT)


def _left(term: Apply, sides: list[Value]) -> Value:
    return _end(sides, lambda text, count: text.str.head(count))


def _right(term: Apply, sides: list[Value]) -> Value:
    return _end(sides, lambda text, count: text.str.tail(count))


def _end(sides: list[Value], taken: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Value:
    """Return an end of texts; no text has as many code points as the count is cut to."""
    text, count = (side.expr for side in sides)
    end = taken(text, count.clip(-_FAR, _FAR))
    return Value(pl.when(count.is_not_null()).then(end), TEXT)


def _trim(term: Apply, sides: list[Value]) -> Value:
    return Value(sides[0].expr.str.strip_chars(" "), TEXT)


def _replace(term: Apply, sides: list[Value]) -> Value:
    old, new = (part.value for part in term.arguments[1:] if isinstance(part, Constant))
    text = sides[0].expr
    if old:
        text = text.str.replace_all(str(old), str(new), literal=True)
    return Value(text, TEXT)


def _position(term: Apply, sides: list[Value]) -> Value:
    part, text = (side.expr for side in sides)
    # Polars counts bytes: the code points before the part are counted anew.
    before = text.cast(pl.Binary).bin.head(text.str.find(part, literal=True))
    place = before.cast(pl.String).str.len_chars().cast(pl.Int64) + 1
    known = part.is_not_null() & text.is_not_null()
    return Value(pl.when(known).then(place.fill_null(0)), INTEGER)


def _floor(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    if value.type.kind is Kind.DOUBLE:
        return Value(value.expr.floor(), DOUBLE)
    return Value(_floored(value.digits, value.type.scale), term.type)


def _ceil(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    if value.type.kind is Kind.DOUBLE:
        return Value(value.expr.ceil(), DOUBLE)
    return Value(
        exact.negative(_floored(exact.negative(value.digits), value.type.scale)), term.type
    )


def _floored(digits: pl.Expr, scale: int) -> pl.Expr:
    """Return digits cut to their whole part, downwards."""
    unit = exact.int128(row_values.power(scale))
    size = digits.abs()
    up = (size % unit > exact.int128(0)).cast(exact.DIGITS)
    below = exact.negative(size // unit + up)
    return pl.when(digits < exact.int128(0)).then(below).otherwise(size // unit)


def _extract(term: Apply, sides: list[Value]) -> Value:
    field, moment = field_of(term), sides[1].expr
    if field == "dow":
        return Value(moment.dt.weekday().cast(pl.Int64) % 7, INTEGER)
    part: pl.Expr = getattr(moment.dt, _FIELDS[field])()
    return Value(part.cast(pl.Int64), INTEGER)


def _make_date(term: Apply, sides: list[Value]) -> Value:
    return Value(_date(*(side.expr for side in sides)), DATE)


def _add_days(term: Apply, sides: list[Value]) -> Value:
    day, rest = _day_and_time(sides[0])
    number = day + sides[1].expr.clip(-_AGES, _AGES)
    return _on_day(number, ~number.is_between(*_DAYS), rest, term.type)


def _add_months(term: Apply, sides: list[Value]) -> Value:
    moment, count = sides[0].expr, sides[1].expr
    _, rest = _day_and_time(sides[0])
    year, month, day = (
        part.cast(pl.Int64) for part in (moment.dt.year(), moment.dt.month(), moment.dt.day())
    )
    months = year * 12 + month - 1 + count.clip(-_AGES, _AGES)
    inside = months.is_between(12, 12 * 10_000 - 1)
    safe = pl.when(inside).then(months).otherwise(12)
    year, month = safe // 12, safe % 12 + 1
    first = _days(year, month, pl.lit(1, dtype=pl.Int64))
    after = safe + 1
    length = _days(after // 12, after % 12 + 1, pl.lit(1, dtype=pl.Int64)) - first
    number = first + pl.min_horizontal(day, length) - 1
    known = day.is_not_null() & count.is_not_null()
    return _on_day(pl.when(known).then(number), ~inside, rest, term.type)


def _day_and_time(value: Value) -> tuple[pl.Expr, pl.Expr | None]:
    """Return the day of a date or moment since 1970, and of a moment the time within it."""
    number = value.expr.to_physical().cast(pl.Int64)
    if value.type.kind is Kind.DATE:
        return number, None
    day = number.floordiv(_MICROS_A_DAY)
    return day, number - day * _MICROS_A_DAY


def _on_day(day: pl.Expr, wrong: pl.Expr, rest: pl.Expr | None, type_: DataType) -> Value:
    """Return a date, or a moment with its time of the day; makes the query fail where wrong."""
    date = day_number(day, wrong=wrong)
    if rest is None:
        return Value(date, DATE)
    micros = date.to_physical().cast(pl.Int64) * _MICROS_A_DAY + rest
    return Value(micros.cast(dtype_of(type_)), type_)


def _days_between(term: Apply, sides: list[Value]) -> Value:
    later, earlier = (side.expr.to_physical().cast(pl.Int64) for side in sides)
    return Value(later - earlier, INTEGER)


def _square_root(term: Apply, sides: list[Value]) -> Value:
    number = as_double(sides[0]).expr
    return Value(_unless(number < 0.0, number.sqrt()), DOUBLE)


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return a day of the calendar, of the years 1 to 9999; none such makes the query fail."""
    inside = year.is_between(1, 9999) & month.is_between(1, 12) & day.is_between(1, 31)
    # The sums below might wrap for a year out of bounds, so that it is taken for another.
    safe = [pl.when(inside).then(part).otherwise(1) for part in (year, month, day)]
    number = _days(*safe)
    back = number.cast(pl.Int32).cast(pl.Date)
    same = inside & (back.dt.day().cast(pl.Int64) == safe[2])
    known = pl.all_horizontal(*(part.is_not_null() for part in (year, month, day)))
    return pl.when(known).then(day_number(number, wrong=~same))


def _days(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return the days since 1970 of a date, in years that start in March."""
    late = (month <= 2).cast(pl.Int64)
    shifted = year - late
    months = month + 12 * late - 3
    before = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    return before + (153 * months + 2) // 5 + day - 719_469


def _round(term: Apply, sides: list[Value]) -> Value:
    value = sides[0]
    places = places_of(term)
    if value.type.kind is Kind.DOUBLE:
        return Value(_round_double(value.expr, places), DOUBLE)
    drop = value.type.scale - places
    digits = value.digits
    if drop > exact.MAX_DIGITS:
        # No number has half of such a unit.
        rounded = digits * exact.int128(0)
    else:
        rounded = _halves_away(digits, drop)
        if places < 0:
            rounded = exact.multiply(rounded, exact.int128(row_values.power(-places)))
    if term.type.kind is Kind.INTEGER:
        return Value(exact.integer(rounded), INTEGER)
    return Value(exact.checked(rounded, term.type.precision), term.type)


def _halves_away(digits: pl.Expr, drop: int) -> pl.Expr:
    """Return digits without the last `drop`, halves rounded away from zero."""
    unit = exact.int128(row_values.power(drop))
    size = digits.abs()
    quotient, rest = size // unit, size % unit
    # Twice the rest might wrap: what is left to the unit is compared with it instead.
    quotient = quotient + (rest >= unit - rest).cast(exact.DIGITS)
    return pl.when(digits < exact.int128(0)).then(exact.negative(quotient)).otherwise(quotient)


def _round_double(number: pl.Expr, places: int) -> pl.Expr:
    unit = pl.lit(10.0 ** abs(places))
    scaled = number * unit if places >= 0 else exact.divide(number, unit)
    rounded = scaled.round(0, mode="half_away_from_zero")
    back = exact.divide(rounded, unit) if places >= 0 else rounded * unit
    small = scaled.abs() < float(row_values.EXACT_DOUBLE)
    return pl.when(small).then(back).otherwise(number)


def checked_cast(value: Value, target: DataType) -> Value:
    """Return a value of one declared type as another's; what does not fit fails the query."""
    match value.type.kind, target.kind:
        case Kind.TEXT, kind if kind is not Kind.TEXT:
            return Value(_read(value.expr, target), target)
        case kind, Kind.TEXT if kind is not Kind.TEXT:
            return Value(_written(value), TEXT)
        case Kind.BOOLEAN, Kind.INTEGER:
            return Value(value.expr.cast(pl.Int64), INTEGER)
        case Kind.DOUBLE, Kind.INTEGER:
            # Polars' strict cast lets no number through that is out of bounds, but cuts off.
            integral = value.expr.floor() == value.expr
            number = pl.when(integral).then(value.expr).cast(pl.Int64)
            return Value(_number_unless(~integral, number, pl.Int64()), INTEGER)
        case Kind.DOUBLE, Kind.DECIMAL:
            return Value(_double_digits(value.expr, target), target)
    return cast(value, target)


def _number_unless(wrong: pl.Expr, number: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return numbers of a type, failing the query where `wrong` is true."""
    text = pl.when(wrong).then(pl.lit(_NO_NUMBER)).otherwise(number.cast(pl.String))
    return text.cast(kind)


def _double_digits(number: pl.Expr, target: DataType) -> pl.Expr:
    """Return the digits of the decimal whose nearest double it is; past 2^53 nothing is."""
    unit = pl.lit(10.0**target.scale)
    digits = (number * unit).round(0, mode="half_away_from_zero")
    fits = (digits.abs() <= float(row_values.EXACT_DOUBLE)) & (exact.divide(digits, unit) == number)
    exact_digits = pl.when(fits).then(digits).cast(exact.DIGITS)
    exact_digits = _number_unless(~fits & number.is_not_null(), exact_digits, exact.DIGITS)
    return exact.checked(exact_digits, target.precision)


def _written(value: Value) -> pl.Expr:
    match value.type.kind:
        case Kind.INTEGER:
            return value.expr.cast(pl.String)
        case Kind.BOOLEAN:
            return pl.when(value.expr).then(pl.lit("true")).when(~value.expr).then(pl.lit("false"))
        case Kind.DATE:
            return value.expr.dt.to_string("%Y-%m-%d")
        case Kind.TIMESTAMP:
            written = value.expr.dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
            return written.str.replace(r"\.000000$", "")
    scale = value.type.scale
    size = value.expr.abs().cast(pl.String).str.pad_start(scale + 1, "0")
    if scale:
        size = size.str.replace(rf"^([0-9]+)([0-9]{{{scale}}})$", "${1}.${2}")
    sign = pl.when(value.expr < exact.int128(0)).then(pl.lit("-")).otherwise(pl.lit(""))
    return sign + size


def _read(text: pl.Expr, target: DataType) -> pl.Expr:
    match target.kind:
        case Kind.INTEGER:
            return _matched(text, row_values.INTEGER_TEXT).cast(pl.Int64)
        case Kind.DECIMAL:
            return _read_decimal(text, target)
        case Kind.DOUBLE:
            number = _matched(text, row_values.DOUBLE_TEXT).cast(pl.Float64)
            return _finite(number)
        case Kind.BOOLEAN:
            # The digits of a truth value: a text of another form is no number.
            word = _matched(text, row_values.BOOLEAN_TEXT).str.to_lowercase()
            digits = word.replace({"true": "1", "false": "0"})
            return digits.cast(pl.Int64) == 1
        case Kind.DATE:
            return _read_date(_matched(text, f" *({row_values.DATE_TEXT}) *"))
    pattern = f" *({row_values.DATE_TEXT}(?:[ T]{row_values.TIME_TEXT})?) *"
    return _read_moment(_matched(text, pattern))


def _matched(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return what a pattern's group holds, and what no cast lets through where it does not fit."""
    return _unlike(text, pattern, text.str.extract(f"^(?:{pattern})$", 1))


def _unlike(text: pl.Expr, pattern: str, result: pl.Expr) -> pl.Expr:
    wrong = ~text.str.contains(f"^(?:{pattern})$")
    return pl.when(wrong).then(pl.lit(_NO_NUMBER)).otherwise(result)


def _finite(number: pl.Expr) -> pl.Expr:
    return _unless(number.is_infinite(), number)


def _unless(wrong: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return doubles, failing the query where `wrong` is true."""
    # The cast fails where there is a text at all, which is where it is wrong.
    text = pl.when(wrong).then(pl.lit(_NO_NUMBER))
    return pl.when(text.cast(pl.Float64).is_null()).then(number)


def _read_decimal(text: pl.Expr, target: DataType) -> pl.Expr:
    pattern = f"^(?:{row_values.DECIMAL_TEXT})$"
    sign, integer, fraction = (text.str.extract(pattern, at) for at in (1, 2, 3))
    places = fraction.fill_null("").str.strip_chars_end("0")
    digits = sign.replace({"+": ""}) + integer + places.str.pad_end(target.scale, "0")
    digits = (
        pl.when(places.str.len_bytes() > target.scale).then(pl.lit(_NO_NUMBER)).otherwise(digits)
    )
    return exact.checked(
        _unlike(text, row_values.DECIMAL_TEXT, digits).cast(exact.DIGITS), target.precision
    )


def _read_date(text: pl.Expr) -> pl.Expr:
    parts = [text.str.slice(start, length).cast(pl.Int64) for start, length in _OF_A_DATE]
    return _date(*parts)


_OF_A_DATE = ((0, 4), (5, 2), (8, 2))


def _read_moment(text: pl.Expr) -> pl.Expr:
    """Return a moment in its parts: a missing one is 0."""

    def part(start: int, length: int) -> pl.Expr:
        digits = text.str.slice(start, length)
        return pl.when(digits == "").then(pl.lit("0")).otherwise(digits)

    days = _read_date(text).to_physical().cast(pl.Int64)
    clock = [part(start, 2).cast(pl.Int64) for start in (11, 14, 17)]
    micros = part(20, 6).str.pad_end(6, "0").cast(pl.Int64)
    seconds = (clock[0] * 60 + clock[1]) * 60 + clock[2]
    moment = days * _MICROS_A_DAY + seconds * 1_000_000 + micros
    return moment.cast(dtype_of(TIMESTAMP))


FUNCTIONS: Mapping[str, Callable[[Apply, list[Value]], Value]] = {
    "cast": _cast,
    "round": _round,
    "sqrt": _square_root,
    "concat": _concat,
    "lower": _lower,
    "upper": _upper,
    "substr": _substr,
    "left": _left,
    "right": _right,
    "trim": _trim,
    "replace": _replace,
    "position": _position,
    "floor": _floor,
    "ceil": _ceil,
    "extract": _extract,
    "make_date": _make_date,
    "add_days": _add_days,
    "add_months": _add_months,
    "days_between": _days_between,
}
"""The functions of text, dates and rounding."""
