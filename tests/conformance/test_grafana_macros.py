"""The macros of Grafana's Flight SQL plug-in, as it writes them out, against SQL by hand.

The plug-in replaces a macro before it sends a text. What it writes was read in its sources
(`pkg/flightsql/macro.go`, and `data/sqlutil/macros.go` of Grafana's kit) for the panel below.
"""

from __future__ import annotations

import re

import pytest
from bi_world import World, same_rows

from flightframe_server.errors import FlightframeError

FROM, TO = "2023-06-01T00:00:00Z", "2023-08-31T10:00:00Z"
SHIFTED = "2023-06-01T02:00:00+02:00"
ORIGIN = "timestamp '1970-01-01T00:00:00Z'"
BY_DAY = "SELECT day AS time, SUM(revenue) AS v FROM metrics WHERE {} GROUP BY day ORDER BY day"
BINS = "SELECT {}, SUM(revenue) AS v FROM metrics GROUP BY 1 ORDER BY 1"
DAYS = BY_DAY.format("{}").replace(" AS time", "")


def bin_of(seconds: int, alias: str = "") -> str:
    """Return what `$__dateBin(day)`, or with an alias `$__dateBinAlias(day)`, is at an interval."""
    return f"date_bin(interval '{seconds} second', day, {ORIGIN}){alias}"


def parts(*units: str, alias: bool = False) -> str:
    """Return what `$__timeGroup(day, ...)`, or `$__timeGroupAlias`, is: down to the last unit."""
    return ",".join(f"datepart('{one}', day)" + f" as day_{one}" * alias for one in units)


ANSWERED = {
    "$__timeFrom and $__timeTo": (
        BY_DAY.format(f"day >= cast('{FROM}' as timestamp) AND day < cast('{TO}' as timestamp)"),
        DAYS.format("day >= DATE '2023-06-01' AND day <= DATE '2023-08-31'"),
    ),
    "$__timeFrom in another zone": (
        BY_DAY.format(f"day >= cast('{SHIFTED}' as timestamp)"),
        DAYS.format("day >= DATE '2023-06-01'"),
    ),
    "$__timeFrom over a saved frame": (
        f"SELECT region, month, units FROM monthly_sales WHERE month >= cast('{FROM}' as timestamp)"
        f" AND month <= cast('{TO}' as timestamp)",
        "SELECT region, month, SUM(units) FROM metrics WHERE month >= DATE '2023-06-01'"
        " AND month <= DATE '2023-08-31' GROUP BY region, month",
    ),
    "$__dateBin at a day": (
        BINS.format(bin_of(86400) + " AS time"),
        BINS.format("DATE_TRUNC('day', day)"),
    ),
    "$__dateBin at an hour": (
        BINS.format(bin_of(3600) + " AS time"),
        BINS.format("DATE_TRUNC('hour', day)"),
    ),
    "$__dateBinAlias": (
        f"SELECT {bin_of(60, ' as day_binned')}, SUM(units) AS v FROM metrics"
        " GROUP BY day_binned ORDER BY day_binned",
        "SELECT DATE_TRUNC('minute', day), SUM(units) FROM metrics GROUP BY 1 ORDER BY 1",
    ),
    "$__interval": (
        BINS.format(f"date_bin(interval '86400 second', day, {ORIGIN}) AS time"),
        BINS.format("DATE_TRUNC('day', day)"),
    ),
    "$__timeGroup": (
        f"SELECT {parts('month', 'year')}, SUM(units) AS v FROM metrics"
        f" GROUP BY {parts('month', 'year')}",
        "SELECT EXTRACT(month FROM day), EXTRACT(year FROM day), SUM(units) FROM metrics"
        " GROUP BY 1, 2",
    ),
    "$__timeGroupAlias": (
        f"SELECT {parts('day', 'month', 'year', alias=True)}, SUM(units) AS v FROM metrics"
        " GROUP BY day_day, day_month, day_year",
        "SELECT EXTRACT(day FROM day), EXTRACT(month FROM day), EXTRACT(year FROM day), SUM(units)"
        " FROM metrics GROUP BY 1, 2, 3",
    ),
}

RANGES = {
    "$__timeFilter": f"day >= '{FROM}' AND day <= '{TO}'",
    "$__timeRange": f"day >= '{FROM}' AND day <= '{TO}'",
    "$__timeRangeFrom": f"day >= '{FROM}'",
    "$__timeRangeTo": f"day <= '{TO}'",
    "$__timeRangeFrom in another zone": f"day >= '{SHIFTED}'",
}

REFUSED = {
    "$__dateBin at ten seconds": (BINS.format(bin_of(10)), "NOT_SUPPORTED"),
    "$__dateBin at two hours": (BINS.format(bin_of(7200)), "NOT_SUPPORTED"),
    # Bins are counted from a Thursday, weeks begin on Mondays.
    "$__dateBin at a week": (BINS.format(bin_of(604800)), "NOT_SUPPORTED"),
    "$__dateBin below a second": (BINS.format(bin_of(0)), "NOT_SUPPORTED"),
    "$__timeGroup to hours": (
        f"SELECT {parts('hour', 'day', 'month', 'year')}, SUM(units) AS v FROM metrics"
        " GROUP BY 1, 2, 3, 4",
        "TYPE",
    ),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("grafana"))
    yield world
    world.close()


def check(world: World, sql: str, flat: str) -> None:
    """Check that a text gives what SQL by hand gives over the flat table."""
    expected = world.expected(flat)
    assert expected.num_rows > 1
    for backend, cold in (("duckdb", True), ("duckdb", False), ("sqlite", True), ("polars", True)):
        answer = world.served[backend].table(sql, cold=cold)
        assert same_rows(answer, expected, ordered="ORDER BY" in flat) is None, (backend, sql)


@pytest.mark.parametrize("macro", ANSWERED)
def test_a_macro_gives_what_it_says(world, macro):
    check(world, *ANSWERED[macro])


@pytest.mark.parametrize("macro", RANGES)
def test_a_text_of_a_moment_is_refused_and_its_hint_gives_the_range(world, macro):
    """A text beside a date is cut to its day by the reference, so that it is none of the two."""
    text, written = BY_DAY.format(RANGES[macro]), RANGES[macro]
    for _ in range(written.count("'") // 2):
        with pytest.raises(FlightframeError) as caught:
            world.served["duckdb"].table(text)
        assert caught.value.code == "TYPE"
        found = re.fullmatch(r"write (CAST\(('[^']+') AS TIMESTAMP\))", caught.value.hint)
        text = re.sub(rf"(?<!CAST\(){re.escape(found[2])}", found[1], text)
    days = {FROM: ">= DATE '2023-06-01'", SHIFTED: ">= DATE '2023-06-01'"}
    days[TO] = "<= DATE '2023-08-31'"
    meant = " AND ".join(f"day {days[moment]}" for moment in re.findall(r"'([^']+)'", written))
    check(world, text, DAYS.format(meant))


@pytest.mark.parametrize("macro", REFUSED)
def test_what_is_no_period_of_a_day_is_refused(world, macro):
    sql, code = REFUSED[macro]
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(sql)
    assert caught.value.code == code


@pytest.mark.parametrize("seconds", [10, 7200])
def test_the_hint_of_a_bin_gives_the_same_over_days(world, seconds):
    """A day is where each of its bins begins that holds a day: at midnight."""
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(BINS.format(bin_of(seconds)))
    (written,) = re.findall(r"INTERVAL '[^']+'$", caught.value.hint)
    text = BINS.format(f"date_bin({written}, day, {ORIGIN})")
    flat = BINS.format(f"time_bucket(INTERVAL '{seconds} seconds', day::TIMESTAMP)")
    check(world, text, flat)
