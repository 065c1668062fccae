"""RANGE by every route on every back-end, beside numbers by hand and the SQL that means it.

A reducer that is made of others must be right however its parts are had: from the back-end, from
entries, rolled up, streamed, over cells, from siblings of its parts, under FILTER. The same is then
asked of a RANGE that keeps its least and greatest value as a state of its own: a row of the table
alone makes a reducer.
"""

import math
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from conformance_tables import export, open_backends

from flightframe_server.algebra import reducers
from flightframe_server.algebra.primitives import Primitive, summed
from flightframe_server.algebra.reducers import Over, Reducer, StateColumn
from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import ArithmeticOverflow, BlockedReduction, TypeMismatch
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve

MOST = 2**63 - 1
NAN, INF = math.nan, math.inf
# Reading, site, day, whole number, price, double, far number.
ROWS = [
    (1, "a", "2024-01-01", 3, "1.10", 2.5, MOST),
    (2, "a", "2024-01-01", -7, "-2.20", -0.5, 0),
    (3, "a", "2024-01-02", None, "9.99", 0.1, -1),
    (4, "b", "2024-01-01", None, None, None, None),
    (5, "b", "2024-01-03", 5, "5.00", INF, 5),
    (6, None, "2024-01-02", 11, "0.03", NAN, 6),
    (7, None, "2024-01-05", 12, "0.04", 4.0, 8),
    (8, "c", "2024-01-05", None, None, None, None),
]
AREAS = {"a": "north", "b": "north", "c": "south"}
COLLECTION = """
version: 1
name: readings
schemas:
  - {name: sites, table: sites, grain: [site], columns: {site: site, area: area}}
  - name: readings
    table: readings
    grain: [reading]
    columns: {reading: reading, site: site, day: day, i: i, d: d, x: x, far: far}
  - name: daily
    table: daily
    grain: [site, day]
    columns: {site: site, day: day, least: least, most: most}
dimension_families:
  - {name: places, levels: [site, area], edges: [{from: site, to: area, via: sites}]}
  - {name: numbers, levels: [reading]}
  - {name: calendar, levels: [day]}
metric_families:
  - {name: i, family_root: {schema: readings, column: i}, ip_reducers: [{operator: SUM}]}
  - {name: d, family_root: {schema: readings, column: d}, ip_reducers: [{operator: SUM}], fill: 0}
  - {name: x, family_root: {schema: readings, column: x}, ip_reducers: [{operator: RANGE}]}
  - {name: far, family_root: {schema: readings, column: far}, ip_reducers: [{operator: SUM}]}
  - {name: site_of, family_root: {schema: readings, column: site}, ip_reducers: [{operator: COUNT}]}
  - name: held
    family_root: {schema: readings, column: i}
    ip_reducers: [{operator: SUM}, {operator: RANGE, a_block: [calendar]}]
  - name: measured
    family_root: {schema: readings, column: i}
    ip_reducers: [{operator: SUM}]
    siblings: [{schema: daily, column: least, operator: MIN}]
"""
OWN = Reducer(
    "RANGE",
    (StateColumn("least", Primitive.MIN), StateColumn("most", Primitive.MAX)),
    finish=Over("subtract", ("most", "least")),
    gives=summed,
    numbers_only=True,
)


def lay(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sites (site VARCHAR, area VARCHAR)")
        connection.executemany("INSERT INTO sites VALUES (?, ?)", list(AREAS.items()))
        connection.execute(
            "CREATE TABLE readings (reading INTEGER, site VARCHAR, day DATE, i BIGINT,"
            " d DECIMAL(12,2), x DOUBLE, far BIGINT)"
        )
        connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", ROWS)
        connection.execute(
            "CREATE TABLE daily AS SELECT site, day, min(i) AS least, max(i) AS most"
            " FROM readings GROUP BY ALL"
        )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranges")
    lay(folder / "ranges.duckdb")
    return export(folder / "ranges.duckdb", folder)


@pytest.fixture(scope="module", params=["duckdb", "sqlite", "polars"])
def backend(request, source):
    opened = open_backends(source)
    yield opened[request.param]
    for one in opened.values():
        one.close()


@pytest.fixture(params=["made of MAX and MIN", "kept as a state"])
def row(request, monkeypatch):
    """The row of the table as it is, and one with a state of its own."""
    if request.param == "kept as a state":
        monkeypatch.setitem(reducers.REDUCERS, "RANGE", OWN)
    return request.param


def values_of(found):
    return dict(tuple(row.values()) for row in found.to_pylist())


def by_every_route(backend, folder, query, finer):
    """The answer cold, of an empty store, from its entries, rolled up, and streamed."""
    collection = read_collection(COLLECTION)

    def ask(engine, written, label=None):
        running = answer(Request(written), Runtime("test", {"readings": engine}))
        table = running.table
        if table is None:
            table = pa.Table.from_batches(list(running.open()), schema=running.schema)
        assert label in (None, str(running.provenance.served_from)), running.provenance
        return table

    forgetful = MetricEngine(collection, folder, backend, enabled=False)
    yield "cold", ask(forgetful, query, "backend")
    streaming = MetricEngine(collection, folder, backend, enabled=False, stream_rows=-1)
    yield "streamed", ask(streaming, query)
    remembering = MetricEngine(collection, folder / "remembering", backend)
    yield "made", ask(remembering, query, "engine_backend")
    yield "held", ask(remembering, query, "engine_cache")
    climbing = MetricEngine(collection, folder / "climbing", backend)
    ask(climbing, finer)
    yield "rolled up", ask(climbing, query, "engine_cache")


CASES = [
    # By hand: 3 - -7, one value alone, 12 - 11, none.
    (
        "RANGE(i)",
        "int64",
        {"a": 10, "b": 0, None: 1, "c": None},
        {"north": 12, "south": None, None: 1},
    ),
    (
        "RANGE(d)",
        "decimal128(38, 2)",
        {"a": Decimal("12.19"), "b": Decimal("0.00"), None: Decimal("0.01"), "c": None},
        {"north": Decimal("12.19"), "south": None, None: Decimal("0.01")},
    ),
    (
        "RANGE(d) FILTER (WHERE day <> DATE '2024-01-02')",
        "decimal128(38, 2)",
        {"a": Decimal("3.30"), "b": Decimal("0.00"), None: Decimal("0.00"), "c": None},
        {"north": Decimal("7.20"), "south": None, None: Decimal("0.00")},
    ),
    # NaN is above every number, and infinity less itself is none.
    (
        "RANGE(x)",
        "double",
        {"a": 3.0, "b": NAN, None: NAN, "c": None},
        {"north": INF, "south": None, None: NAN},
    ),
]


def alike(found, wanted):
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(found[key]), key
        else:
            assert (found[key], type(found[key])) == (value, type(value)), key


@pytest.mark.parametrize(("item", "type_", "sites", "areas"), CASES, ids=lambda case: str(case)[:9])
def test_a_range_is_the_same_by_every_route(item, type_, sites, areas, row, backend, tmp_path):
    for level, wanted in (("site", sites), ("area", areas)):
        query = f"SELECT {level}, {item} AS r AT {level} ORDER BY {item} DESC, {level}"
        finer = f"SELECT {item} AS r AT (site, day)"
        for route, table in by_every_route(backend, tmp_path / level, query, finer):
            assert str(table.schema.field("r").type) == type_, route
            alike(values_of(table), wanted)
            known = [value for value in table["r"].to_pylist() if value is not None]
            assert known == sorted(known, key=lambda n: (n != n, n), reverse=True)


def test_a_range_over_cells_is_of_finished_values(row, backend, tmp_path):
    # Of a's days 3 - 7 = -4 and NULL, of b's NULL and 5, of those without a site 11 and 12.
    query = "SELECT site, RANGE(i @ day) AS r AT site"
    finer = "SELECT i AT (site, day, reading)"
    for _, table in by_every_route(backend, tmp_path, query, finer):
        alike(values_of(table), {"a": 0, "b": 0, None: 1, "c": None})
    engine = MetricEngine(read_collection(COLLECTION), tmp_path / "double", backend)
    query = "SELECT RANGE(RANGE(x) @ site) AS r AT ()"
    found = answer(Request(query), Runtime("test", {"readings": engine})).table
    assert math.isnan(found["r"][0].as_py())


def drained(engine, query):
    """The whole answer, of which a stream computes each batch when it is taken."""
    running = answer(Request(query), Runtime("test", {"readings": engine}))
    return running.table if running.table is not None else list(running.open())


@pytest.mark.parametrize("stream_rows", [1_000_000, -1])
@pytest.mark.parametrize("item", ["RANGE(far)", "RANGE(far @ reading)"])
def test_a_range_that_does_not_fit_is_refused(item, stream_rows, row, backend, tmp_path):
    collection = read_collection(COLLECTION)
    engine = MetricEngine(collection, tmp_path, backend, enabled=False, stream_rows=stream_rows)
    # The greatest whole number less -1 is one more than it.
    with pytest.raises(ArithmeticOverflow):
        drained(engine, f"SELECT {item} AS r AT ()")
    assert drained(engine, f"SELECT {item} AS r WHERE site IS NULL AT ()")


def test_the_parts_of_a_range_are_read_from_siblings(backend, tmp_path):
    engine = MetricEngine(read_collection(COLLECTION), tmp_path, backend)
    serving = Runtime("test", {"readings": engine})
    found = answer(Request("SELECT site, RANGE(measured) AS r AT site"), serving)
    alike(values_of(found.table), {"a": 10, "b": 0, None: 1, "c": None})
    fresh = MetricEngine(read_collection(COLLECTION), tmp_path / "fresh", backend)
    resolved = parse("SELECT site, RANGE(measured) AS r AT site")
    answer(Request("SELECT MIN(measured) AS lo AT day"), Runtime("test", {"readings": fresh}))
    plan = fresh.plan(lambda typed: resolve(resolved, typed))
    assert {(query.table, str(query.metrics[0].operator)) for query in plan.queries} == {
        ("readings", "MAX"),
        ("daily", "MIN"),
    }


def test_a_range_needs_no_declaration_but_numbers(backend, tmp_path):
    engine = MetricEngine(read_collection(COLLECTION), tmp_path, backend)
    serving = Runtime("test", {"readings": engine})
    with pytest.raises(TypeMismatch, match="RANGE takes a number, and site_of is text"):
        answer(Request("SELECT RANGE(site_of) AS r AT ()"), serving)
    with pytest.raises(BlockedReduction):
        answer(Request("SELECT RANGE(held) AS r AT ()"), serving)


def test_entries_of_the_parts_answer_a_range(backend, tmp_path):
    engine = MetricEngine(read_collection(COLLECTION), tmp_path, backend)
    serving = Runtime("test", {"readings": engine})
    answer(Request("SELECT MIN(i) AS lo, MAX(i) AS hi AT (site, day)"), serving)
    found = answer(Request("SELECT area, RANGE(i) AS r AT area"), serving)
    assert str(found.provenance.served_from) == "engine_cache"
    alike(values_of(found.table), {"north": 12, "south": None, None: 1})
