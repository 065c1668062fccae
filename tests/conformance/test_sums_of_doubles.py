"""Law 1 for doubles: every route and every back-end stays within one bound of the exact sum.

Doubles add up differently in another order. What is promised of n of them is that a sum is within
n * 2^-52 * (sum of |x|) of the exact one, and a mean within that over n and one rounding, however
they cancel; what is exact is reckoned in fractions.
"""

import datetime
import tempfile
from fractions import Fraction
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from conformance_tables import export, open_backends
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.planner.plan import Freshness

COLLECTION = read_collection("""
version: 1
name: readings
schemas:
  - {name: sites, grain: [site], columns: {site: site, area: area}}
  - {name: readings, grain: [reading], columns: {reading: reading, site: site, day: day, x: x}}
dimension_families:
  - {name: place, levels: [site, area], edges: [{from: site, to: area, via: sites}]}
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - {name: x, family_root: {schema: readings, column: x},
     ip_reducers: [{operator: SUM, a_block: []}]}
""")
AREAS = {"a": "North", "b": "North", "c": "South"}
DAYS = [datetime.date(2024, 1, 31), datetime.date(2024, 2, 1), datetime.date(2024, 2, 2)]
ANCHORS = {
    "(site, day)": lambda site, day: (site, day),
    "area": lambda site, day: (AREAS[site],),
    "month": lambda site, day: (day.replace(day=1),),
    "()": lambda site, day: (),
}
UNIT = Fraction(1, 2**52)

NUMBERS = st.one_of(
    st.sampled_from([1e16, -1e16, 1.0, -1.0, 0.1, 1e-300, -0.0, 3.3e15]),
    st.floats(-1e16, 1e16, allow_nan=False),
)
READINGS = st.lists(
    st.tuples(st.sampled_from(sorted(AREAS)), st.sampled_from(DAYS), NUMBERS),
    min_size=1,
    max_size=60,
)


def write(database, readings):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE sites (site VARCHAR, area VARCHAR)")
        connection.executemany("INSERT INTO sites VALUES (?, ?)", list(AREAS.items()))
        connection.execute(
            "CREATE TABLE readings (reading INTEGER, site VARCHAR, day DATE, x DOUBLE)"
        )
        rows = [(at, *reading) for at, reading in enumerate(readings)]
        connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?)", rows)


def by_definition(readings, point_of):
    """The exact sum of each point, how many there are, and the sum of their sizes."""
    found = {}
    for site, day, x in readings:
        total, count, size = found.get(point_of(site, day), (Fraction(0), 0, Fraction(0)))
        exact = Fraction(x)
        found[point_of(site, day)] = total + exact, count + 1, size + abs(exact)
    return found


def held_to_the_bound(table, exact, what):
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert {row[:-2] for row in rows} == set(exact), what
    for *point, total, mean in rows:
        true, count, size = exact[tuple(point)]
        bound = count * UNIT * size
        assert abs(Fraction(total) - true) <= bound, (what, point, total, float(true))
        assert abs(Fraction(mean) - true / count) <= bound / count + UNIT * size / count, what


def routes(engine, anchor):
    """The answer at an anchor cold, streamed, rolled up from finer entries, and exact."""
    serving = Runtime("test", {"readings": engine})
    query = f"SELECT SUM(x) AS s, AVG(x) AS m AT {anchor}"
    cold = Request(query, freshness=Freshness(no_cache=True))
    yield "cold", answer(cold, serving).table
    engine.stream_rows, before = -1, engine.stream_rows
    running = answer(cold, serving)
    yield "streamed", pa.Table.from_batches(list(running.open()), schema=running.schema)
    engine.stream_rows = before
    answer(Request("SELECT SUM(x) AS s, AVG(x) AS m AT (site, day)"), serving)
    yield "rolled up", answer(Request(query), serving).table
    yield "exact", answer(Request(query), serving).table


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@example([("a", DAYS[0], 1e16), ("b", DAYS[0], 1.0), ("a", DAYS[1], -1e16)])
@example([("a", day, sign * 1e16) for day in DAYS for sign in (1, -1)] + [("c", DAYS[0], 0.1)] * 50)
@given(READINGS)
def test_sums_of_doubles_stay_within_their_bound_by_every_route(readings):
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "readings.duckdb"
        write(database, readings)
        backends = open_backends(export(database, Path(folder)))
        try:
            for name, backend in backends.items():
                for anchor, point_of in ANCHORS.items():
                    store = Path(folder) / f"store-{name}-{len(anchor)}"
                    engine = MetricEngine(COLLECTION, store, backend)
                    exact = by_definition(readings, point_of)
                    for route, table in routes(engine, anchor):
                        held_to_the_bound(table, exact, f"{name}, {route}, AT {anchor}")
                    engine.close()
        finally:
            for backend in backends.values():
                backend.close()


def test_the_bound_is_one_that_a_lost_reading_passes():
    readings = [("a", DAYS[0], 1.0), ("a", DAYS[0], 2.0), ("b", DAYS[1], 1e-3)]
    exact = by_definition(readings, ANCHORS["()"])
    total, count, size = exact[()]
    assert (float(total), count, float(size)) == (3.001, 3, 3.001)
    assert abs(Fraction(3.0) - total) > count * UNIT * size
    with pytest.raises(AssertionError):
        held_to_the_bound(pa.table({"s": [3.0], "m": [1.0]}), exact, "without the least of them")
