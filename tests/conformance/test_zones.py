"""Instants have the hours, days, weeks, months, quarters and years of the collection's zone.

By every route, on every back-end that keeps instants, whatever zone the server's process is in.
"""

import datetime
import os
import subprocess
import sys
import zoneinfo

import pyarrow as pa
import pytest
from zone_readings import (
    CHAIN,
    DAYS,
    LEVELS,
    STAR,
    UTC,
    collection,
    instants,
    opened,
    sums,
    write,
)

from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import CatalogError, QueryError
from flightframe_server.language import parse
from flightframe_server.provenance import Route
from flightframe_server.resolver.resolve import resolve

SOME = "tells_entries_apart or where_reads or (star and Kathmandu)"
BACKENDS = ("duckdb", "polars")
EVERY_ZONE = pytest.mark.parametrize("zone", DAYS)
EVERY_BACKEND = pytest.mark.parametrize("name", BACKENDS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The readings of each zone, written once."""
    made = {}

    def of(zone):
        if zone not in made:
            made[zone] = tmp_path_factory.mktemp(zone.replace("/", "_"))
            write(made[zone], instants(zone))
        return made[zone]

    return of


@pytest.fixture
def engine(folders, tmp_path):
    """Open engines over the readings of a zone; they are closed with the test."""
    closing = []

    def make(zone, name, sources, *, timezone="", store="store", **options):
        ac = read_collection(collection(zone if timezone == "" else timezone, sources))
        backend = opened(folders(zone), name)
        made = MetricEngine(ac, tmp_path / store, backend, **options)
        closing.extend((made, backend))
        return made

    yield make
    for one in closing:
        one.close()


def asked(engine, text):
    """Return the rows of a question, and the routes of its parts."""
    served = engine.answer(lambda typed: resolve(parse(text), typed))
    table = served.table
    if table is None:
        table = pa.Table.from_batches(list(served.stream.open()))
    routes = {part.route for part in served.parts}
    return [tuple(row.values()) for row in table.to_pylist()], routes, table.schema


def plain(rows):
    """Return rows with instants in UTC."""
    return [
        (at.astimezone(UTC) if isinstance(at, datetime.datetime) else at, *rest)
        for at, *rest in rows
    ]


@EVERY_BACKEND
@EVERY_ZONE
@pytest.mark.parametrize("sources", [CHAIN, STAR], ids=["chain", "star"])
def test_every_period_from_the_database(engine, zone, name, sources):
    made = engine(zone, name, sources, enabled=False)
    for level in LEVELS:
        rows, routes, schema = asked(made, f"SELECT kwh AT {level}")
        assert routes == {Route.BACKEND}
        assert plain(rows) == sums(zone, level, instants(zone)), level
        wanted = pa.timestamp("us", zone) if level == "hour" else pa.date32()
        assert schema.field(level).type == wanted


@EVERY_BACKEND
@EVERY_ZONE
def test_every_period_rolled_up_from_the_hour_and_exact_and_after_a_restart(engine, zone, name):
    made = engine(zone, name, CHAIN)
    asked(made, "SELECT kwh AT hour")
    for level in LEVELS[1:]:
        rows, routes, _ = asked(made, f"SELECT kwh AT {level}")
        assert (routes, plain(rows)) == ({Route.ROLLUP}, sums(zone, level, instants(zone))), level
        rows, routes, _ = asked(made, f"SELECT kwh AT {level}")
        assert (routes, plain(rows)) == ({Route.EXACT}, sums(zone, level, instants(zone))), level
    made.close()
    again = engine(zone, name, CHAIN)
    for level in LEVELS:
        rows, routes, _ = asked(again, f"SELECT kwh AT {level}")
        assert (routes, plain(rows)) == ({Route.EXACT}, sums(zone, level, instants(zone))), level
    assert asked(again, "SELECT kwh AT hour")[2].field("hour").type == pa.timestamp("us", zone)


@EVERY_BACKEND
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_every_period_rolled_up_from_the_moments_and_streamed(engine, zone, name):
    made = engine(zone, name, STAR)
    asked(made, "SELECT kwh AT moment")
    streaming = engine(zone, name, STAR, store="other", stream_rows=0)
    for level in LEVELS:
        rows, routes, _ = asked(made, f"SELECT kwh AT {level}")
        assert (routes, plain(rows)) == ({Route.ROLLUP}, sums(zone, level, instants(zone))), level
        rows, _, _ = asked(streaming, f"SELECT kwh AT {level} ORDER BY {level}")
        assert plain(rows) == sums(zone, level, instants(zone)), level


@EVERY_BACKEND
def test_the_zone_alone_tells_entries_apart(engine, name):
    zones = ("Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", None)
    for _ in range(2):
        for zone in zones:
            made = engine("Europe/Berlin", name, CHAIN, timezone=zone)
            rows, _, _ = asked(made, "SELECT kwh AT day")
            assert rows == sums(zone or "UTC", "day", instants("Europe/Berlin"))
            made.close()


@EVERY_BACKEND
def test_where_reads_literals_by_the_zones_clock(engine, name):
    zone = "Europe/Berlin"
    made = engine(zone, name, CHAIN)
    moments = instants(zone)

    def total(text):
        rows, _, _ = asked(made, f"SELECT kwh AT () WHERE {text}")
        return rows[0][0] if rows else None

    def added(test):
        chosen = [count for count, moment in enumerate(moments, start=1) if test(moment)]
        return sum(chosen) if chosen else None

    def at(text):
        return datetime.datetime.fromisoformat(text)

    july = at("2024-06-30T22:00:00+00:00")
    assert total("moment >= '2024-07-01'") == added(lambda m: m >= july)
    assert total("moment >= TIMESTAMP '2024-07-01 00:00:00'") == added(lambda m: m >= july)
    assert total("hour = '2024-07-01 01:00:00'") == added(
        lambda m: july + datetime.timedelta(hours=1) <= m < july + datetime.timedelta(hours=2)
    )
    # An instant beside days is a time of the zone's clock.
    assert total("day >= '2024-06-30T22:00:00Z'") == added(lambda m: m >= july)
    assert total("day > '2024-06-30T22:00:00Z'") == added(
        lambda m: m >= july + datetime.timedelta(days=1)
    )
    # 02:30 is skipped in spring: whoever is before it is before the jump.
    jump = at("2024-03-31T01:00:00+00:00")
    assert total("moment < '2024-03-31 02:30:00'") == added(lambda m: m < jump)
    assert total("moment >= '2024-03-31 02:30:00'") == added(lambda m: m >= jump)
    for text, said in (
        ("moment = '2024-03-31 02:30:00'", "never shows"),
        ("moment < '2024-10-27 02:30:00'", "twice"),
    ):
        with pytest.raises(QueryError, match=said):
            total(text)
    first = at("2024-10-27T02:30:00+02:00")
    assert total("moment < '2024-10-27 02:30:00+02:00'") == added(lambda m: m < first)
    assert total("EXTRACT(hour FROM moment) = 0") == added(
        lambda m: m.astimezone(zoneinfo.ZoneInfo(zone)).hour == 0
    )
    assert total("CAST(hour AS timestamp) = '2024-10-27 02:00:00'") == added(
        lambda m: at("2024-10-27T00:00:00+00:00") <= m < at("2024-10-27T02:00:00+00:00")
    )
    assert total("CASE WHEN moment < '2024-07-01' THEN 1 ELSE 2 END = 2") == added(
        lambda m: m >= july
    )


@EVERY_BACKEND
def test_a_day_that_begins_at_one_is_bounded_by_its_date(engine, name):
    made = engine("America/Sao_Paulo", name, CHAIN)
    moments = instants("America/Sao_Paulo")
    began = datetime.datetime(2018, 11, 4, 3, tzinfo=UTC)
    wanted = sum(count for count, moment in enumerate(moments, start=1) if moment >= began)
    assert asked(made, "SELECT kwh AT () WHERE moment >= DATE '2018-11-04'")[0] == [(wanted,)]
    exactly = sum(count for count, moment in enumerate(moments, start=1) if moment == began)
    assert asked(made, "SELECT kwh AT () WHERE moment = DATE '2018-11-04'")[0] == [(exactly,)]
    cast = (
        "SELECT kwh AT () WHERE CASE WHEN moment = '2018-11-04T03:00:00Z'"
        " THEN CAST(moment AS date) END = '{}'"
    )
    assert asked(made, cast.format("2018-11-04"))[0] == [(exactly,)]


@EVERY_BACKEND
def test_a_day_that_never_was_is_refused_as_an_equal_and_taken_as_a_bound(engine, name):
    made = engine("Pacific/Apia", name, CHAIN)
    moments = instants("Pacific/Apia")
    jump = datetime.datetime(2011, 12, 30, 10, tzinfo=UTC)
    wanted = sum(count for count, moment in enumerate(moments, start=1) if moment < jump)
    assert asked(made, "SELECT kwh AT () WHERE moment < '2011-12-30'")[0] == [(wanted,)]
    with pytest.raises(QueryError, match="never shows"):
        asked(made, "SELECT kwh AT () WHERE moment = '2011-12-30'")


def test_a_zone_that_is_none_is_refused_when_the_file_is_read():
    with pytest.raises(CatalogError) as caught:
        read_collection(collection("Europe/Berln", CHAIN))
    assert (caught.value.code, caught.value.line, caught.value.path) == ("CATALOG", 3, "timezone")
    assert "Europe/Berlin" in (caught.value.hint or "")
    for zone in ("Nowhere/Land", "localtime", "+02:00", "Factory"):
        with pytest.raises(CatalogError):
            read_collection(collection(zone, CHAIN))
    assert read_collection(collection("europe/berlin", CHAIN)).timezone == "Europe/Berlin"


@pytest.mark.parametrize("process", ["Pacific/Apia", "America/Sao_Paulo"])
def test_the_zone_of_the_process_changes_nothing(process):
    found = subprocess.run(
        [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-k", SOME],
        env={**os.environ, "TZ": process},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-3000:]
    assert "8 passed" in found.stdout
