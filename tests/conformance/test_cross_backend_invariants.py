"""Same query, every back-end, identical frames; the same promises kept, the same members found."""

from contextlib import closing

import pytest
from conformance_tables import ORACLE, assert_same, pairs

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.planner.violations import edge_key, grain_key

NAMES = ["duckdb", "sqlite", "polars"]
PAIRS = [pytest.param(one, other, id=f"{one}-{other}") for one, other in pairs(NAMES)]

CANONICAL = {
    "region": "SELECT region, SUM(revenue) AS total_revenue, COUNT(revenue) AS lines AT region",
    "day": "SELECT day, SUM(revenue) AS r AT day",
    "store": "SELECT region, store, SUM(revenue) AS r FROM transactions AT (region, store)",
    "profit": "SELECT category, profit, margin WHERE day >= '2023-10-01' AT category",
    "distinct": "SELECT COUNT(DISTINCT product) AS sold, MIN(units) AS u FROM transactions AT ()",
    "stock": "SELECT region, month, on_hand AT (region, month) ORDER BY on_hand DESC LIMIT 20",
}
EDGES = ["store -> region", "product -> category"]


@pytest.fixture(scope="session")
def canonical(retail_engines):
    """Each canonical query's frame, by query and back-end, asked once."""
    found = {}

    def frame(query, backend):
        if (query, backend) not in found:
            serving = Runtime("test", {"retail_full": retail_engines[backend]})
            found[query, backend] = answer(Request(CANONICAL[query]), serving)
        return found[query, backend]

    return frame


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("query", CANONICAL)
def test_canonical_frames_are_identical(query, one, other, canonical):
    mine, theirs = canonical(query, one), canonical(query, other)
    assert mine.table.num_rows > 0
    assert_same(mine.table, theirs.table, f"{query}: {one} and {other}")
    assert str(mine.provenance.served_from) == str(theirs.provenance.served_from) == "backend"


def test_the_published_total_is_everybodys(canonical):
    for backend in NAMES:
        rows = canonical("region", backend).table.to_pylist()
        total = {row["region"]: str(row["total_revenue"]) for row in rows}
        assert total["Central"] == "3868636.36", backend


def maps_of(engine):
    """The maps of an engine's edges, by edge."""
    return engine.attested()[0].facts.known_maps


def broken_in(collection, backend, folder):
    """The promises that the data of a back-end break, by key."""
    with closing(MetricEngine(collection, folder, backend, enabled=False)) as engine:
        return dict(engine.attested()[1].violations)


@pytest.mark.parametrize("edge", EDGES)
def test_edges_are_attested_equal(edge, retail_engines):
    maps = {
        name: sorted(maps_of(engine)[edge].to_pylist(), key=lambda row: row["source"])
        for name, engine in retail_engines.items()
    }
    assert len(maps["duckdb"]) == {"store -> region": 13, "product -> category": 2231}[edge]
    assert all(found == maps["duckdb"] for found in maps.values())


def test_nothing_of_the_retail_data_is_broken_anywhere(retail_engines):
    for name, engine in retail_engines.items():
        _, attested = engine.attested()
        assert dict(attested.violations) == {}, name
        assert len(attested.siblings) == 2
        assert set(attested.siblings.values()) == {None}, name


BROKEN = {
    "two regions": (
        "INSERT INTO stores VALUES ('S2', 'West');",
        {
            edge_key("store -> region"): "S2 has East and West",
            grain_key("stores"): "(S2) stands on several rows",
        },
    ),
    "a region and none": (
        "INSERT INTO stores VALUES ('S3', NULL);",
        {
            edge_key("store -> region"): "S3 has West and NULL",
            grain_key("stores"): "(S3) stands on several rows",
        },
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_edge_is_found_everywhere_by_the_same_row(how, backends, tmp_path):
    more, expected = BROKEN[how]
    collection = read_collection((ORACLE / "shop" / "ac.yaml").read_text())
    for name, backend in backends("shop", more).items():
        assert broken_in(collection, backend, tmp_path) == expected, name


def test_a_repeated_key_is_found_everywhere(backends, tmp_path):
    more = "INSERT INTO price_list VALUES (NULL, 'P1', 98.00);"
    collection = read_collection((ORACLE / "shop" / "ac.yaml").read_text())
    found = {
        name: broken_in(collection, backend, tmp_path)
        for name, backend in backends("shop", more).items()
    }
    # The grain of the list, and the key that prices are fetched along.
    assert len(found["duckdb"]) == 2
    assert set(found["duckdb"].values()) == {"(NULL, P1) stands on several rows"}
    assert all(broken == found["duckdb"] for broken in found.values())


MEMBERS = {
    "region": ("stores", 3),
    "store": ("stores", 13),
    "category": ("products", 12),
    "product": ("products", 2231),
    "day": ("region_daily_summary", 443),
    "week": ("region_daily_summary", None),
    "month": ("store_monthly_inventory", 15),
    "quarter": ("store_monthly_inventory", 5),
    "year": ("store_monthly_inventory", 2),
}


@pytest.mark.parametrize("level", MEMBERS)
def test_members_of_levels_are_equal(level, retail_engines):
    schema, count = MEMBERS[level]
    found = {}
    for name, engine in retail_engines.items():
        serving = Runtime("test", {"retail_full": engine})
        query = f"SELECT {level} FROM {schema} AT {level}"
        found[name] = answer(Request(query), serving).table
    assert count is None or found["duckdb"].num_rows == count
    for name, members in found.items():
        assert_same(found["duckdb"], members, f"{level} on {name}")


def test_types_of_columns_are_equal(retail_engines):
    types = {name: dict(engine.typed.column_types) for name, engine in retail_engines.items()}
    assert str(types["duckdb"]["transactions", "revenue"]) == "decimal(12,2)"
    assert all(found == types["duckdb"] for found in types.values())
