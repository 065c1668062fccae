"""Periods in other words: which of them are a DATE_TRUNC, and which begin elsewhere."""

import pytest
import sqlglot

from flightframe_server.sql.time_idioms import with_periods

QUARTER = (
    "CAST(EXTRACT(year FROM d) || '-' || ((FLOOR(((EXTRACT(month FROM d) - 1) / NULLIF({}, 0)))"
    " * 3) + 1) || '-01' AS {})"
)


def written(text):
    tree = sqlglot.parse_one(f"SELECT {text} AS a FROM t")
    return with_periods(tree).expressions[0].this.sql()


@pytest.mark.parametrize(
    ("length", "origin", "unit"),
    [
        ("interval '1 month'", "timestamp '1970-01-01T00:00:00Z'", "MONTH"),
        ("interval '1' month", "timestamp '2000-03-01'", "MONTH"),
        ("'1 day'", "date '1999-12-31'", "DAY"),
        ("interval '3600 seconds'", "timestamp '1970-01-01 00:00:00'", "HOUR"),
        ("interval '86400 second'", "timestamp '1970-01-01'", "DAY"),
        ("interval '3 months'", "timestamp '1970-04-01'", "QUARTER"),
        ("interval '12 month'", "timestamp '1970-01-01'", "YEAR"),
        ("interval '1 week'", "timestamp '1970-01-05'", "WEEK"),
    ],
)
def test_a_bin_that_is_a_period(length, origin, unit):
    assert written(f"date_bin({length}, d, {origin})") == f"DATE_TRUNC('{unit}', d)"


@pytest.mark.parametrize(
    "text",
    [
        "DATE_BIN(INTERVAL '36' HOUR, d, CAST('1970-01-01' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '2' MONTH, d, CAST('1970-01-01' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' MONTH, d, CAST('1970-01-02' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' DAY, d, CAST('1970-01-01 06:00:00' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' DAY, d, CAST('1970-01-01T00:00:00+02:00' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' WEEK, d, CAST('1970-01-01' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '3' MONTH, d, CAST('1970-02-01' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' YEAR, d, CAST('1970-02-01' AS TIMESTAMP))",
        "DATE_BIN(INTERVAL '1' MONTH, d, origin)",
        "DATE_BIN(x, d, CAST('1970-01-01' AS TIMESTAMP))",
    ],
)
def test_a_bin_that_is_none_stays_as_it_is(text):
    assert "DATE_BIN" in written(text)


def test_a_quarter_put_together_from_its_parts():
    assert written(QUARTER.format(3, "DATE")) == "CAST(DATE_TRUNC('QUARTER', d) AS DATE)"
    assert written(QUARTER.format(4, "DATE")).startswith("CAST(EXTRACT")
    assert written(QUARTER.format(3, "VARCHAR")).startswith("CAST(EXTRACT")
    assert written(QUARTER.format(3, "DATE").replace("month FROM d", "month FROM e")).startswith(
        "CAST(EXTRACT"
    )
