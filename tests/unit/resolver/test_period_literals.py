"""Periods as people write them: each is the date that names the level's member, or refused."""

from __future__ import annotations

import pytest
from resolver_shop import COLLECTION, TABLES, refused, resolved

from flightframe_server.catalog import read_collection
from flightframe_server.errors import QueryError
from flightframe_server.language import format_statement, parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("year = 2023", "year = DATE '2023-01-01'"),
        ("year = '2023'", "year = DATE '2023-01-01'"),
        ("2023 <= year", "DATE '2023-01-01' <= year"),
        ("year IS DISTINCT FROM 2023", "year IS DISTINCT FROM DATE '2023-01-01'"),
        ("quarter = '2023-Q2'", "quarter = DATE '2023-04-01'"),
        ("quarter < '2023-q4'", "quarter < DATE '2023-10-01'"),
        ("month >= '2023-06'", "month >= DATE '2023-06-01'"),
        ("NOT (month <> '2023-12')", "NOT (month <> DATE '2023-12-01')"),
        (
            "month BETWEEN '2023-06' AND DATE '2023-08-01'",
            "month BETWEEN DATE '2023-06-01' AND DATE '2023-08-01'",
        ),
        # ISO 8601: week 1 holds the first Thursday. 2020 has a 53rd, and 2025 begins in 2024.
        ("week = '2023-W14'", "week = DATE '2023-04-03'"),
        ("week = '2020-W53'", "week = DATE '2020-12-28'"),
        ("week IN ('2025-W01', '2024-12-23')", "week IN (DATE '2024-12-30', DATE '2024-12-23')"),
        ("day = '2023-06-15'", "day = DATE '2023-06-15'"),
        # The first day of a period names it.
        ("month = '2023-06-01'", "month = DATE '2023-06-01'"),
    ],
)
def test_a_period_is_the_date_that_names_it(written, meant):
    assert resolved(f"SELECT amount WHERE {written} AT ()") == resolved(
        f"SELECT amount WHERE {meant} AT ()"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (
            "SELECT SUM(amount) FILTER (WHERE year = {}) AS x AT month",
            ("2023", "DATE '2023-01-01'"),
        ),
        ("SELECT amount AT (month = {} AS june)", ("'2023-06'", "DATE '2023-06-01'")),
        ("SELECT amount AT month HAVING month > {}", ("'2023-06'", "DATE '2023-06-01'")),
        (
            "SELECT amount AT year ORDER BY CASE WHEN year = {} THEN 0 ELSE 1 END",
            ("2023", "DATE '2023-01-01'"),
        ),
    ],
    ids=["filter", "ad-hoc level", "having", "order"],
)
def test_it_stands_wherever_a_level_is_compared(text, meant):
    written, date = map(text.format, meant)
    assert resolved(written) == resolved(date)


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ("year = '2023-06'", "2023-06 is a month, and year a year", "compare month with it"),
        ("month = 2023", "2023 is a year, and month a month", "compare year with it"),
        ("week = '2023-06'", "2023-06 is a month, and week a week", "compare month with it"),
        ("month IN ('2023-06', '2023-W14')", "2023-W14 is a week", "compare week with it"),
        ("day >= '2023-Q2'", "2023-Q2 is a quarter, and day a day", "compare quarter with it"),
        ("month <= '2023-06-30'", "2023-06-30 is a day", "compare day with it"),
        ("week = '2023-04-04'", "2023-04-04 is a day, and week a week", "compare day with it"),
    ],
)
def test_a_period_of_another_size_is_refused(condition, message, hint):
    error = refused(f"SELECT amount WHERE {condition} AT ()")
    assert (error.code, error.hint) == ("TYPE", hint)
    assert message in error.message
    assert error.place is not None


@pytest.mark.parametrize(
    "condition",
    [
        "month = '2023-13'",
        "week = '2023-W54'",
        "week = '2023-W53'",
        "quarter = '2023-Q5'",
        "year = '23'",
        "year = 23",
        "year = 20230",
        "year = -2023",
        "year = 2023.0",
        "day = '2023-02-29'",
        "month = '2023-6'",
    ],
)
def test_what_is_no_period_is_no_date(condition):
    assert refused(f"SELECT amount WHERE {condition} AT ()").code == "TYPE"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT amount WHERE region = '2023' AT ()",
        "SELECT amount AS year AT region HAVING year > 2023",
        "SELECT amount AT region HAVING amount > 2023",
    ],
)
def test_beside_anything_else_it_is_what_it_was(query):
    assert "2023-01-01" not in str(resolved(query))


def test_a_text_is_printed_as_it_was_written():
    text = "SELECT amount WHERE year = 2023 AND week < '2023-W14' AT ()"
    assert parse(format_statement(parse(text))) == parse(text)
    assert "year = 2023" in format_statement(parse(text))


FILTERED = """  - name: probe
    family_root: {{schema: sales, column: amount}}
    filter: "{}"
    ip_reducers: [{{operator: SUM}}]
"""


def filtered(condition):
    """What a query for a family means that a collection filters."""
    collection = read_collection(COLLECTION + FILTERED.format(condition))
    return resolve(parse("SELECT probe AT region"), type_collection(collection, TABLES))


def test_the_filter_of_a_collection_may_write_periods():
    written = filtered("month >= '2023-06' AND year = 2023")
    assert written == filtered("month >= DATE '2023-06-01' AND year = DATE '2023-01-01'")
    with pytest.raises(QueryError, match="2023-06 is a month, and year a year"):
        filtered("year = '2023-06'")


def test_the_filter_of_a_collection_asks_for_no_last_periods():
    with pytest.raises(QueryError, match="not in a collection") as caught:
        filtered("day IN (LAST 3 day)")
    assert caught.value.code == "NOT_SUPPORTED"
