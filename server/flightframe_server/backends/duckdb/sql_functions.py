"""DuckDB's words for checked casts and row functions.

What comes in: expressions and their declared types. What goes out: expressions that give what
`row_values` says for each value, or make the statement fail. It must never leave a cast to DuckDB
that would round, cut a time off or read a text generously, nor write an argument down twice: nested
calls would grow like a power. What is needed several times is bound by a lambda.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from flightframe_server import row_values
from flightframe_server.algebra.types import MAX_PRECISION, DataType, Kind
from flightframe_server.arrow_types import SQL_NAMES
from flightframe_server.backends.sql.dialect import SqlDialect
from flightframe_server.backends.sql.terms import SHARED, Word
from flightframe_server.resolver.terms import Apply, field_of, places_of

MISFIT = "flightframe: a value does not fit"
"""What DuckDB is told to say where a value does not fit."""

_BOUND = "v"
_REFUSAL = "error"
_FAR = 2**32 - 1
_AGES = 4_000_000
_MONTHS_OF_AGES = 130_000
_HALVES = -(2.0**63), 2.0**63


def typed(declared: DataType) -> exp.DataType:
    """Return a declared type as DuckDB names it."""
    if declared.kind is Kind.DECIMAL:
        return exp.DataType.build(f"DECIMAL({declared.precision}, {declared.scale})")
    if declared.kind is Kind.TIMESTAMP:
        return exp.DataType.build("TIMESTAMPTZ" if declared.zone else "TIMESTAMP")
    return exp.DataType.build(SQL_NAMES[declared.kind])


def cast(value: exp.Expr, target: DataType) -> exp.Expr:
    """Return DuckDB's own cast, for values that it cannot change."""
    return exp.Cast(this=value, to=typed(target))


def checked_cast(value: exp.Expr, source: DataType, target: DataType) -> exp.Expr:
    """Return a value of one declared type as the same value of another, or a failing statement."""
    if source.kind is Kind.TEXT and target.kind is not Kind.TEXT:
        return _read(value, target)
    match source.kind, target.kind:
        case Kind.DECIMAL, Kind.DECIMAL | Kind.INTEGER if target.scale < source.scale:
            return _unless_changed(value, source, target)
        case Kind.TIMESTAMP, Kind.DATE:
            return _unless_changed(value, source, target)
        case Kind.DOUBLE, Kind.INTEGER:
            return let(value, _integer_double())
        case Kind.DOUBLE, Kind.DECIMAL:
            return let(value, _decimal_double(target))
        case Kind.TIMESTAMP, Kind.TEXT:
            written = called("strftime", value, text("%Y-%m-%d %H:%M:%S.%f"))
            return called("regexp_replace", written, text(r"\.000000$"), text(""))
        case Kind.DECIMAL, Kind.TEXT if source.scale == source.precision:
            # DuckDB leaves the 0 before such a point out.
            return called("regexp_replace", cast(value, target), text(r"^(-?)\."), text(r"\10."))
    return cast(value, target)


def let(value: exp.Expr, body: exp.Expr) -> exp.Expr:
    """Return `body` with a value that is computed once; see `bound`."""
    function = exp.Lambda(this=body, expressions=[exp.to_identifier(_BOUND)])
    listed = called("list_transform", exp.Array(expressions=[value]), function)
    return exp.Bracket(this=listed, expressions=[number(1)], offset=1, safe=True)


def let_all(values: dict[str, exp.Expr], body: exp.Expr) -> exp.Expr:
    """Return `body` with several values, each computed once; see `bound`."""
    pairs = [
        exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
        for name, value in values.items()
    ]
    return let(exp.Struct(expressions=pairs), body)


def bound(name: str | None = None) -> exp.Expr:
    """Return the value that `let` binds, or the one of `let_all` that has a name."""
    value: exp.Expr = exp.column(_BOUND)
    return value if name is None else exp.Dot(this=value, expression=exp.to_identifier(name))


def called(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return a call of a function by its own name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(value: int) -> exp.Expr:
    """Return a whole number as it stands in the text."""
    return exp.Literal.number(value)


def double(value: float) -> exp.Expr:
    """Return a double as it stands in the text."""
    return exp.Cast(this=exp.Literal.string(repr(value)), to=exp.DataType.build("DOUBLE"))


def text(value: str) -> exp.Expr:
    """Return text of ours (never a client's) as it stands in the text."""
    return exp.Literal.string(value)


def refuses(value: exp.Expr) -> bool:
    """Return whether a value may refuse a row."""
    return any(call.name == _REFUSAL for call in value.find_all(exp.Anonymous))


def refused() -> exp.Expr:
    """Return what makes the statement fail: a value does not fit."""
    return called(_REFUSAL, text(MISFIT))


def _unless_changed(value: exp.Expr, source: DataType, target: DataType) -> exp.Expr:
    back = cast(cast(bound(), target), source)
    changed = exp.NEQ(this=back, expression=bound())
    return let(value, exp.Case().when(changed, refused()).else_(cast(bound(), target)))


def _integer_double() -> exp.Expr:
    low, high = _HALVES
    fits = exp.and_(
        exp.EQ(this=bound(), expression=called("round", bound())),
        exp.GTE(this=bound(), expression=double(low)),
        exp.LT(this=bound(), expression=double(high)),
    )
    return _where(fits, cast(bound(), DataType(Kind.INTEGER)))


def _decimal_double(target: DataType) -> exp.Expr:
    """Return the decimal whose nearest double is the bound one; past 2^53 digits nothing is."""
    unit = 10.0**target.scale
    digits = called("round", exp.Mul(this=bound(), expression=double(unit)))
    fits = exp.and_(
        exp.LTE(this=called("abs", digits), expression=double(float(row_values.EXACT_DOUBLE))),
        exp.EQ(this=exp.Div(this=digits.copy(), expression=double(unit)), expression=bound()),
    )
    scaled = cast(cast(digits.copy(), DataType(Kind.INTEGER)), DataType(Kind.DECIMAL, 16, 0))
    if target.scale:
        least = "0." + "1".rjust(target.scale, "0")
        place = cast(text(least), DataType(Kind.DECIMAL, target.scale, target.scale))
        scaled = exp.Mul(this=scaled, expression=place)
    return _where(fits, cast(exp.Paren(this=scaled), target))


def _where(fits: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return a value where a test of the bound one holds, NULL for NULL, and refuse the rest."""
    absent = exp.Is(this=bound(), expression=exp.Null())
    return exp.Case().when(absent, exp.Null()).when(fits, value).else_(refused())


def _read(value: exp.Expr, target: DataType) -> exp.Expr:
    """Return what a text says. One of another form gives '', which no cast lets through."""
    match = called("regexp_extract", value, text(f"^(?:{_pattern(target)})$"), number(1))
    value = cast(match, target)
    if target.kind is not Kind.DOUBLE:
        return value
    endless = called("isinf", bound())
    return let(value, exp.Case().when(endless, refused()).else_(bound()))


def _pattern(target: DataType) -> str:
    match target.kind:
        case Kind.INTEGER:
            return row_values.INTEGER_TEXT
        case Kind.DECIMAL:
            if not target.scale:
                return r" *([+-]?[0-9]+)(?:\.0+)? *"
            # Without a point the zeros at the end count.
            return rf" *([+-]?[0-9]+(?:\.[0-9]{{1,{target.scale}}})?)(?:0*) *"
        case Kind.DOUBLE:
            return row_values.DOUBLE_TEXT
        case Kind.BOOLEAN:
            return row_values.BOOLEAN_TEXT
        case Kind.DATE:
            return rf" *({row_values.DATE_TEXT}) *"
    return rf" *({row_values.DATE_TEXT}(?:[ T]{row_values.TIME_TEXT})?) *"


def _round(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    value, argument, places = sides[0], term.arguments[0], places_of(term)
    if argument.type.kind is Kind.DOUBLE:
        return let(value, _rounded_double(places))
    if places >= 0:
        # DuckDB's cast rounds half away from zero, which is what is asked for here.
        return cast(value, term.type)
    digits = MAX_PRECISION - argument.type.scale if argument.type.kind is Kind.DECIMAL else 19
    if -places >= digits:
        return let(value, _rounded_away(-places, digits, term.type))
    widest = DataType(Kind.DECIMAL, MAX_PRECISION, argument.type.scale)
    wide = cast(value, widest if argument.type.kind is Kind.DECIMAL else argument.type)
    return cast(called("round", wide, number(places)), term.type)


def _rounded_double(places: int) -> exp.Expr:
    unit = double(10.0 ** abs(places))
    to, back = (exp.Mul, exp.Div) if places >= 0 else (exp.Div, exp.Mul)
    scaled = to(this=bound(), expression=unit)
    limit = double(float(row_values.EXACT_DOUBLE))
    small = exp.LT(this=called("abs", scaled), expression=limit)
    rounded = back(this=called("round", scaled.copy()), expression=unit.copy())
    return exp.Case().when(small, rounded).else_(bound())


def _rounded_away(places: int, digits: int, target: DataType) -> exp.Expr:
    """Return a number rounded to a unit that no number reaches: 0, or that unit."""
    nothing = exp.Case().when(exp.Is(this=bound(), expression=exp.Null()), exp.Null())
    if places > digits:
        return nothing.else_(cast(number(0), target))
    half, unit = text("5" + "0" * (places - 1)), "1" + "0" * places
    limit = cast(half, DataType(Kind.DECIMAL, places, 0))
    if target.kind is Kind.INTEGER or places >= MAX_PRECISION:
        above, below = refused(), refused()
    else:
        above, below = cast(text(unit), target), cast(text(f"-{unit}"), target)
    return (
        nothing.when(exp.GTE(this=bound(), expression=limit), above)
        .when(exp.LTE(this=bound(), expression=exp.Neg(this=limit.copy())), below)
        .else_(cast(number(0), target))
    )


def _substr(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    names = ("x", "s", "n")[: len(sides)]
    parts = {name: bound(name) for name in names}
    start = called("greatest", parts["s"], number(1))
    first = called("least", start, number(_FAR))
    if len(sides) == 2:
        part = called("substring", parts["x"], first)
    else:
        # A start and a length together may pass 64 bits.
        wide = exp.Cast(this=parts["s"].copy(), to=exp.DataType.build("HUGEINT"))
        end = exp.Add(this=wide, expression=parts["n"])
        length: exp.Expr = exp.Sub(this=exp.Paren(this=end), expression=first.copy())
        length = called("greatest", called("least", length, number(_FAR)), number(0))
        count = exp.Cast(this=length, to=exp.DataType.build("BIGINT"))
        part = called("substring", parts["x"].copy(), first, count)
    absent = [exp.Is(this=bound(name), expression=exp.Null()) for name in names]
    return let_all(
        dict(zip(names, sides, strict=True)),
        exp.Case().when(exp.or_(*absent), exp.Null()).else_(part),
    )


def _end(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    """Return LEFT or RIGHT; no text has as many code points as DuckDB refuses to count."""
    return let_all(
        {"x": sides[0], "n": sides[1]},
        exp.Case()
        .when(exp.Is(this=bound("n"), expression=exp.Null()), exp.Null())
        .else_(called(term.function, bound("x"), _between(bound("n")))),
    )


def _between(count: exp.Expr) -> exp.Expr:
    return called("greatest", called("least", count, number(_FAR)), number(-_FAR))


def _trim(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return called("trim", sides[0], text(" "))


def _length(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return cast(called("length", sides[0]), term.type)


def _position(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    part, searched = sides
    return cast(called("instr", searched, part), term.type)


def _without_fraction(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return cast(called(term.function, sides[0]), term.type)


def _make_date(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    ends = {"y": 9999, "m": 12, "d": 31}
    absent = [exp.Is(this=bound(name), expression=exp.Null()) for name in ends]
    inside = [
        exp.Between(this=bound(name), low=number(1), high=number(end)) for name, end in ends.items()
    ]
    date = called("make_date", *(bound(name) for name in ends))
    body = exp.Case().when(exp.or_(*absent), exp.Null()).when(exp.and_(*inside), date)
    return let_all(dict(zip(ends, sides, strict=True)), body.else_(refused()))


def _add_days(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    """Return a later day or moment; past the ends of time there is none, however far past."""
    # DuckDB's dates reach further than the years 1 to 9999, and its addition takes 32 bits.
    count = _within(_AGES)
    if term.type.kind is Kind.TIMESTAMP:
        count = called("to_days", count)
    return _moved(term, sides, exp.Add(this=bound("x"), expression=count))


def _add_months(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    """Return the same day so many months later, as `_add_days` does."""
    later = exp.Add(this=bound("x"), expression=called("to_months", _within(_MONTHS_OF_AGES)))
    return _moved(term, sides, cast(exp.Paren(this=later), term.type))


def _within(most: int) -> exp.Expr:
    count = called("greatest", called("least", bound("n"), number(most)), number(-most))
    return cast_to(count, "INTEGER")


def _moved(term: Apply, sides: list[exp.Expr], moved: exp.Expr) -> exp.Expr:
    low, high = (cast_to(text(day), "DATE") for day in ("0001-01-01", "9999-12-31"))
    absent = [exp.Is(this=bound(name), expression=exp.Null()) for name in ("x", "n")]
    day = exp.Paren(this=moved)
    inside = exp.Between(this=cast_to(day, "DATE"), low=low, high=high)
    body = exp.Case().when(exp.or_(*absent), exp.Null()).when(inside, day.copy())
    return let_all({"x": sides[0], "n": sides[1]}, body.else_(refused()))


def _days_between(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    later, earlier = (exp.Paren(this=side) for side in sides)
    return cast(exp.Paren(this=exp.Sub(this=later, expression=earlier)), term.type)


def cast_to(value: exp.Expr, name: str) -> exp.Expr:
    """Return DuckDB's own cast to a type by its name."""
    return exp.Cast(this=value, to=exp.DataType.build(name))


def _lettered(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return called(term.function, *sides)


def _extract(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    return cast(called("date_part", text(field_of(term)), sides[0]), term.type)


def _square_root(term: Apply, sides: list[exp.Expr], dialect: SqlDialect) -> exp.Expr:
    below = exp.LT(this=bound(), expression=number(0))
    return let(
        cast(sides[0], term.type), exp.Case().when(below, refused()).else_(called("sqrt", bound()))
    )


FUNCTIONS: Mapping[str, Word] = {
    **SHARED,
    "round": _round,
    "sqrt": _square_root,
    "length": _length,
    "lower": _lettered,
    "upper": _lettered,
    "substr": _substr,
    "left": _end,
    "right": _end,
    "trim": _trim,
    "replace": _lettered,
    "position": _position,
    "floor": _without_fraction,
    "ceil": _without_fraction,
    "extract": _extract,
    "make_date": _make_date,
    "add_days": _add_days,
    "add_months": _add_months,
    "days_between": _days_between,
}
"""Every row function in DuckDB's words."""
