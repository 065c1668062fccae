"""Dates in a zone and as text: which are read, and which could be another date and are refused."""

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from flightframe_server.algebra.types import DATE, INTEGER, DataType, Kind
from flightframe_server.catalog import read_collection
from flightframe_server.errors import NotSupported
from flightframe_server.language.syntax import (
    Binary,
    Call,
    Cast,
    Extract,
    Literal,
    LiteralKind,
    Name,
)
from flightframe_server.resolver.typed import type_collection
from flightframe_server.sql.reading import Clock, Reading
from flightframe_server.sql.scalars import Scalars

VISITS = """
version: 1
name: visits
schemas:
  - {name: visits, grain: [visit], columns: {visit: visit, day: day, at: moment}}
dimension_families:
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
  - {name: clock, levels: [at, date], edges: [{from: at, to: date, derived_by: DAY_OF}]}
metric_families:
  - {name: pieces, family_root: {schema: visits, column: visit}, ip_reducers: [{operator: COUNT}]}
"""
DAY = Name(("day",))
START = Cast(DAY, "timestamp")
INSTANT = "CAST(day AS TIMESTAMPTZ)"


@pytest.fixture(scope="module")
def visits():
    types = {"visits": {"visit": INTEGER, "day": DATE, "moment": DataType(Kind.TIMESTAMP)}}
    return type_collection(read_collection(VISITS), types)


@pytest.fixture
def read(visits):
    """Read a value over levels, by the clock of a zone."""

    def read(text, zone="UTC"):
        def leaf(node):
            return Name((node.name,)) if isinstance(node, exp.Column) else None

        tree = sqlglot.parse_one(f"SELECT {text}").expressions[0]
        return Scalars(Reading(visits, {}, clock=Clock(zone)), leaf, []).value(tree)

    return read


@pytest.mark.parametrize(
    "text",
    [
        f"{INSTANT} AT TIME ZONE 'UTC'",
        f"({INSTANT}) AT TIME ZONE 'Etc/UTC'",
        f"CAST({INSTANT} AT TIME ZONE 'UTC' AT TIME ZONE 'utc' AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
        f"CAST({INSTANT} AT TIME ZONE 'UTC' AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
        "CAST(CAST(day AS TIMESTAMP) AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
    ],
)
def test_a_day_begins_at_its_own_midnight_by_the_clock_of_utc(read, text):
    assert read(text) == START


@pytest.mark.parametrize(
    "text",
    [
        f"{INSTANT} AT TIME ZONE 'Europe/Berlin'",
        f"{INSTANT} AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'",
        f"{INSTANT} AT TIME ZONE zone",
        "day AT TIME ZONE 'UTC'",
        "CAST(day AS TIMESTAMP) AT TIME ZONE 'UTC'",
        f"{INSTANT} AT TIME ZONE 'UTC' AT TIME ZONE 'UTC'",
        "CAST(visit AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
        "CAST(at AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
        "at AT TIME ZONE 'UTC' AT TIME ZONE 'UTC'",
        INSTANT,
    ],
)
def test_another_clock_an_instant_and_a_moment_within_a_day_are_refused(read, text):
    with pytest.raises(NotSupported):
        read(text)


def test_where_the_sessions_clock_is_another_a_days_beginning_is_no_midnight_of_utc(read):
    with pytest.raises(NotSupported, match="over a collection in UTC"):
        read(f"{INSTANT} AT TIME ZONE 'UTC'", zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("template", "after"),
    [
        ("YYYY-MM-DD HH24:MI:SS.US", " 00:00:00.000000"),
        ('YYYY-MM-DD"T"HH24:MI:SS.MS', "T00:00:00.000"),
        ("YYYY-MM-DD/", "/"),
    ],
)
def test_a_text_of_a_day_is_the_day_and_its_midnight(read, template, after):
    written = Binary("||", Cast(DAY, "text"), Literal(after, LiteralKind.TEXT))
    assert read(f"TO_CHAR(day, '{template}')") == written
    assert read(f"TO_CHAR({INSTANT} AT TIME ZONE 'UTC', '{template}')") == written


def test_a_text_of_a_day_alone(read):
    assert read("TO_CHAR(day, 'YYYY-MM-DD')") == Cast(DAY, "text")


TEXT = Cast(DAY, "text")


def part(start, length):
    numbers = (Literal(at, LiteralKind.INTEGER) for at in (start, length))
    return Call("SUBSTR", (TEXT, *numbers))


def text(value):
    return Literal(value, LiteralKind.TEXT)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("TO_CHAR(day, 'YYYY-MM')", part(1, 7)),
        ("TO_CHAR(day, 'MM-DD')", part(6, 5)),
        ("TO_CHAR(day, 'YY')", part(3, 2)),
        ("TO_CHAR(day, '\"\"YYYY')", Binary("||", text(""), part(1, 4))),
        ("TO_CHAR(day, 'Q')", Cast(Extract("quarter", DAY), "text")),
        ("STRFTIME(day, '%Y-%m-%d')", TEXT),
        ("STRFTIME('%x', day)", TEXT),
        ("STRFTIME(day, '%m-%Y')", Binary("||", Binary("||", part(6, 2), text("-")), part(1, 4))),
        ("STRFTIME(day, '%d %H:%M')", Binary("||", part(9, 2), text(" 00:00"))),
        ("STRFTIME(day, '%-d')", Cast(Extract("day", DAY), "text")),
        ("STRFTIME(day, '%%%y')", Binary("||", text("%"), part(3, 2))),
    ],
)
def test_the_numbers_of_a_day_are_parts_of_its_text(read, written, means):
    assert read(written) == means


def test_names_of_months_and_days_are_those_of_the_dialect(read):
    named = {
        at: duckdb.execute(f"SELECT monthname(DATE '2024-{at}-01')").fetchone()[0]
        for at in range(1, 13)
    }
    made = read("MONTHNAME(day)")
    assert made.operand == Extract("month", DAY)
    assert {when.condition.value: when.result.value for when in made.whens} == named
    short = read("TO_CHAR(day, 'Mon')")
    assert [w.result.value for w in short.whens] == [name[:3] for name in named.values()]
    days = read("DAYNAME(day)")
    assert days.operand == Extract("isodow", DAY)
    for when in days.whens:
        # The first of January 2024 is a Monday.
        date = f"2024-01-0{when.condition.value}"
        assert duckdb.execute(f"SELECT dayname(DATE '{date}')").fetchone() == (when.result.value,)


@pytest.mark.parametrize(
    "format_",
    ["%j", "%Y%", "", "day", "%Y %Q", "%-Y", "%G", "%p", "%Y%-"],
)
def test_other_formats_are_refused(read, format_):
    with pytest.raises(NotSupported, match="STRFTIME takes a format"):
        read(f"STRFTIME(day, '{format_}')")


@pytest.mark.parametrize(
    "template",
    [
        *("yyyy-mm-dd", "YYYY-MM-DD HH12", "YYYY-MM-DDTH", "Month", "", "YYYY-MM-DD AM", "DDD"),
        *("YYYYY", "YYY", "YYYY-MM-DD SSSS", "YYYY-MM-DD SSSSS", "DDDD", "HH24:MI", "Monday"),
        *("FMMM", "IYYY", "\\YYYY", "Y,YYY"),
    ],
)
def test_other_templates_are_refused(read, template):
    with pytest.raises(NotSupported, match="TO_CHAR takes a template"):
        read(f"TO_CHAR(day, '{template}')")


def test_a_date_without_a_template_is_refused(read):
    with pytest.raises(NotSupported, match="TO_CHAR takes a template"):
        read("TO_CHAR(day)")


@pytest.mark.parametrize("value", ["visit", "at", "TO_CHAR(day, 'YYYY-MM-DD')"])
def test_what_is_no_date_has_no_such_text(read, value):
    with pytest.raises(NotSupported, match="TO_CHAR takes a level that is a date"):
        read(f"TO_CHAR({value}, 'YYYY-MM-DD')")
