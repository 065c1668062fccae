"""SQL over Flight SQL: what a session's options make of it, and what EXPLAIN says it means."""

import re
from collections.abc import Iterator

import adbc_driver_manager
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions, dbapi

from flightframe_server.flight.server import FlightServer

COOKIES = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}
SUMMED = "SELECT region, SUM(margin) AS m FROM metrics GROUP BY region ORDER BY region"
BARE = "SELECT region, margin AS m FROM metrics GROUP BY region ORDER BY region"
MEASURED = "SELECT region, MEASURE(margin) AS m FROM metrics GROUP BY region ORDER BY region"


@pytest.fixture
def session(server: FlightServer) -> Iterator[dbapi.Connection]:
    """A connection with a session of its own."""
    with dbapi.connect(server.uri, db_kwargs=COOKIES, autocommit=True) as connected:
        yield connected


def choose(session: dbapi.Connection, **options: str) -> None:
    """Set options of a session, which an empty text sets back."""
    prefix = "adbc.flight.sql.session.option."
    session.adbc_connection.set_options(**{prefix + name: it for name, it in options.items()})


def answered(session: dbapi.Connection, text: str) -> pa.Table:
    """Return what a text gives."""
    with session.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetch_arrow_table()


@pytest.mark.parametrize(
    ("option", "value", "default", "text", "code"),
    [
        ("sum_means", "metric", "sum", SUMMED, "REDUCER_NOT_DECLARED"),
        ("bare_metric", "measure", "refuse", BARE, "NOT_SUPPORTED"),
    ],
)
def test_an_option_reads_a_metric_that_is_refused_without_it(
    session, option, value, default, text, code
):
    with pytest.raises(adbc_driver_manager.Error, match=code):
        answered(session, text)
    choose(session, **{option: value})
    table = answered(session, text)
    expected = answered(session, MEASURED)
    assert table.to_pylist() == expected.to_pylist() != []
    choose(session, **{option: default})
    with pytest.raises(adbc_driver_manager.Error, match=code):
        answered(session, text)


def test_an_answer_says_how_an_option_read_its_column(session):
    choose(session, sum_means="metric")
    note = b"SUM(margin) is read as margin"
    assert any(note in value for value in answered(session, SUMMED).schema.metadata.values())
    plain = answered(session, MEASURED).schema.metadata
    assert not any(note in value for value in plain.values())


def test_an_option_makes_no_other_aggregate_the_metric(session):
    choose(session, sum_means="metric", bare_metric="measure")
    for aggregate in ("AVG(margin)", "COUNT(margin)", "SUM(SUM(margin)) OVER ()"):
        text = f"SELECT region, {aggregate} AS m FROM metrics GROUP BY region"
        with pytest.raises(adbc_driver_manager.Error, match=r"REDUCER_NOT_DECLARED|NOT_SUPPORTED"):
            answered(session, text)


def test_another_session_reads_as_it_was_told(session, server):
    choose(session, sum_means="metric")
    answered(session, SUMMED)
    with (
        dbapi.connect(server.uri, autocommit=True) as other,
        pytest.raises(adbc_driver_manager.Error, match="REDUCER_NOT_DECLARED"),
    ):
        answered(other, SUMMED)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT region, SUM(revenue) AS r FROM metrics WHERE category LIKE 'T%' GROUP BY region",
        "SELECT DISTINCT region FROM metrics WHERE region IS NOT NULL",
        "SELECT MIN(day) AS lo, MAX(day) AS hi FROM metrics HAVING COUNT(1) > 0",
        "SELECT LEFT(region, 2) AS p, SUM(units) AS u FROM metrics GROUP BY 1",
        "SELECT region, SUM(units) / SUM(SUM(units)) OVER () AS share FROM metrics GROUP BY region",
    ],
)
def test_the_last_row_of_explain_is_frame_ql_that_gives_the_same(session, text):
    (*_, last) = answered(session, f"EXPLAIN {text}").to_pylist()
    assert last["route"] == "note"
    written = next(
        found[1]
        for value in last.values()
        if (found := re.match(r"in Frame-QL: (.+)$", str(value), re.DOTALL))
    )
    ours, theirs = answered(session, text), answered(session, written)
    assert ours.schema.remove_metadata() == theirs.schema.remove_metadata()
    assert sorted(map(str, ours.to_pylist())) == sorted(map(str, theirs.to_pylist())) != []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT date_trunc(?, day) AS m, SUM(revenue) AS r FROM metrics"
         " WHERE region = ? GROUP BY date_trunc(?, day) LIMIT ?", ("month", "East", "month", 3)),
        ("SELECT DISTINCT MAKE_DATE(EXTRACT(year FROM day), 1, 1) AS y FROM transactions", ()),
        ("SELECT CEIL(units) AS c FROM (SELECT SUM(units) AS units FROM metrics) q", ()),
        ("SELECT DATE_TRUNC('week', day + INTERVAL '1 day') AS w, COUNT(*) AS n, MAX(store) AS s,"
         " SUM(revenue) AS r FROM metrics GROUP BY 1", ()),
    ],
)  # fmt: skip
def test_a_text_is_typed_before_it_is_asked(session, text, values):
    with session.cursor() as cursor:
        typed = cursor.adbc_execute_schema(text)
        cursor.execute(text, values or None)
        table = cursor.fetch_arrow_table()
    assert typed.remove_metadata() == table.schema.remove_metadata()
    assert table.num_rows > 0
