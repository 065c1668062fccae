"""The page of the functions of a row: what each takes and gives, and on which back-ends.

What comes in: the typing rules and the compilers, asked with sample terms. What goes out: the page.
It must never list a function that was not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.backends.duckdb.dialect import DuckDBDialect
from flightframe_server.backends.polars.terms import compile_term as polars_term
from flightframe_server.backends.polars.values import constant
from flightframe_server.backends.sql.dialect import Bound, SqlDialect
from flightframe_server.backends.sql.terms import compile_term
from flightframe_server.backends.sqlite.dialect import SQLiteDialect
from flightframe_server.errors import (
    TypeMismatch,
)
from flightframe_server.language import parse_expression
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import FIELDS
from flightframe_server.resolver.terms import ColumnTerm, Term
from flightframe_server.resolver.values import Binding
from page_makers.markdown import HEADER, table

_ARGUMENTS: tuple[tuple[str, DataType], ...] = (
    ("integer", INTEGER),
    ("decimal(12,2)", decimal(12, 2)),
    ("double", DOUBLE),
    ("text", TEXT),
    ("date", DATE),
    ("boolean", BOOLEAN),
)


_SAMPLES = dict(_ARGUMENTS[:5]) | {"timestamp": TIMESTAMP, "boolean": BOOLEAN}


_FORMS = {
    "CASE WHEN test THEN a ELSE b END": "CASE WHEN TRUE THEN {0} END",
    "CASE x WHEN a THEN b END": "CASE {0} WHEN {0} THEN {0} END",
    "CAST(a AS text)": "CAST({0} AS text)",
    "EXTRACT(year FROM a)": "EXTRACT(year FROM {0})",
    "EXTRACT(hour FROM a)": "EXTRACT(hour FROM {0})",
    "a || b": "{0} || {0}",
    "COALESCE(a, b, ...)": "COALESCE({0}, {0})",
    "NULLIF(a, b)": "NULLIF({0}, {0})",
    "ABS(number)": "ABS({0})",
    "SQRT(number)": "SQRT({0})",
    "ROUND(number)": "ROUND({0})",
    "ROUND(number, 1)": "ROUND({0}, 1)",
    "ROUND(number, -1)": "ROUND({0}, -1)",
    "FLOOR(number)": "FLOOR({0})",
    "CEIL(number)": "CEIL({0})",
    "MOD(a, b)": "MOD({0}, 2)",
    "LENGTH(text)": "LENGTH({0})",
    "LOWER(text)": "LOWER({0})",
    "UPPER(text)": "UPPER({0})",
    "SUBSTR(text, start[, length])": "SUBSTR({0}, 1, 2)",
    "LEFT(text, count)": "LEFT({0}, 2)",
    "RIGHT(text, count)": "RIGHT({0}, 2)",
    "TRIM(text)": "TRIM({0})",
    "REPLACE(text, 'old', 'new')": "REPLACE({0}, 'a', 'b')",
    "POSITION(part IN text)": "POSITION('a' IN {0})",
    "MAKE_DATE(year, month, day)": "MAKE_DATE({0}, 1, 1)",
}


_ALWAYS = {
    (Kind.INTEGER, Kind.DOUBLE),
    (Kind.DECIMAL, Kind.DOUBLE),
    (Kind.DATE, Kind.TIMESTAMP),
    (Kind.BOOLEAN, Kind.INTEGER),
    *((kind, Kind.TEXT) for kind in Kind),
}


def functions_page() -> str:
    """Return the page of every function of one row: what it takes and gives, and where."""
    lines = [
        HEADER,
        "# Functions",
        "",
        "What computes a value from the values of one row: in a computed column or a `filter` of a"
        " collection, in WHERE and FILTER over levels, and over finished metrics in an item, a"
        " formula, HAVING and ORDER BY. What each means is told in"
        " [Frame-QL](frame-ql.md#functions-of-one-row).",
        "",
        "The type of the value from the type of the first argument; a dash where it is refused"
        " (`TYPE`). NULL is an argument of every type. Every back-end listed gives the same value,"
        " decimals and doubles to the last bit.",
        "",
        *table(("function", *_SAMPLES, "back-ends"), function_rows()),
        "",
        "CASE and COALESCE bring their results to one type: an integer beside a decimal is a"
        " decimal, a number beside a double a double, a date beside a timestamp a timestamp.",
        "",
        "## CAST",
        "",
        "From the type on the left to the type on top. A value that does not fit is OVERFLOW.",
        "",
        *table(("from", *_SAMPLES), cast_rows()),
        "",
        "## EXTRACT",
        "",
        *table(("field", "gives"), ((f"`{name}`", words) for name, words in FIELDS.items())),
    ]
    return "\n".join(lines) + "\n"


def term_of(written: str) -> Term | None:
    """Return an expression over columns named after their types, or None where it is refused."""
    columns = {name: ColumnTerm(type_, "t", name) for name, type_ in _SAMPLES.items()}
    try:
        return Typer(lambda node: columns[node.text], Binding()).term(parse_expression(written))
    except TypeMismatch:
        return None


def function_rows() -> Iterator[tuple[str, ...]]:
    """Yield the row of each function: a type for each argument, and who computes it."""
    for form, written in _FORMS.items():
        terms = {name: term_of(written.format(f'"{name}"')) for name in _SAMPLES}
        known = [term for term in terms.values() if term is not None]
        types = [str(term.type) if term is not None else "—" for term in terms.values()]
        who = [name for name, compiles in _COMPILES.items() if all(map(compiles, known))]
        yield (f"`{form.replace('|', chr(92) + '|')}`", *types, ", ".join(who))


def cast_rows() -> Iterator[tuple[str, ...]]:
    """Yield for each type what it can be cast to."""
    for name, given in _SAMPLES.items():
        row = []
        for wanted in _SAMPLES.values():
            term = term_of(f'CAST("{name}" AS {wanted})')
            always = given == wanted or (given.kind, wanted.kind) in _ALWAYS
            row.append("—" if term is None else "yes" if always else "where it fits")
        yield (name, *row)


def compiles_to_sql(dialect: SqlDialect) -> Callable[[Term], bool]:
    """Return whether a dialect has words for a term."""

    def compiles(term: Term) -> bool:
        words = compile_term(term, lambda part: exp.column(str(part.type)), dialect, Bound())
        return bool(words.sql(dialect.name))

    return compiles


def compiles_to_polars(term: Term) -> bool:
    """Return whether Polars has words for a term."""
    return (
        polars_term(term, lambda part: constant(None, part.type), lambda value: value) is not None
    )


_COMPILES: dict[str, Callable[[Term], bool]] = {
    "duckdb": compiles_to_sql(DuckDBDialect()),
    "sqlite": compiles_to_sql(SQLiteDialect({})),
    "polars": compiles_to_polars,
}
