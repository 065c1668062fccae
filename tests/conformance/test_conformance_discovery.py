"""What discovery tells of levels, against SQL over the raw tables, on every back-end."""

import duckdb
import pytest
from conformance_tables import ORACLE, export, open_backends

from flightframe_server.catalog import read_collection
from flightframe_server.discovery.availability import availabilities
from flightframe_server.discovery.level_facts import level_facts
from flightframe_server.engine import MetricEngine

BACKENDS = ["duckdb", "sqlite", "polars"]

# A collection, a level, the schema asked (None: the one that knows it best), its members by hand.
MEMBERS = [
    ("shop", "store", None, "SELECT DISTINCT store FROM stores"),
    ("shop", "region", None, "SELECT DISTINCT region FROM stores"),
    ("shop", "store", "tx", "SELECT DISTINCT store FROM tx"),
    ("shop", "region", "tx", "SELECT DISTINCT region FROM tx LEFT JOIN stores USING (store)"),
    (
        "shop",
        "category",
        "tx",
        "SELECT DISTINCT category FROM tx LEFT JOIN products USING (product)",
    ),
    ("shop", "day", None, "SELECT DISTINCT day FROM tx"),
    ("shop", "week", "tx", "SELECT DISTINCT date_trunc('week', day)::date FROM tx"),
    ("shop", "month", "inv", "SELECT DISTINCT month FROM inv"),
    ("shop", "year", "tx", "SELECT DISTINCT date_trunc('year', day)::date FROM tx"),
    ("shop", "losing", "tx", "SELECT DISTINCT revenue < cost FROM tx"),
    ("shop", "txn", "nothing_sold", "SELECT DISTINCT txn FROM nothing_sold"),
    (
        "shop",
        "coast",
        "tx",
        "SELECT DISTINCT CASE region WHEN 'East' THEN 'Atlantic' WHEN 'West' THEN 'Pacific' END"
        " FROM tx LEFT JOIN stores USING (store)",
    ),
    ("press", "city_name", None, "SELECT DISTINCT city FROM cities"),
    ("press", "nation", "lines", "SELECT DISTINCT nation_id FROM by_hand.sold"),
    ("press", "instant", "visits", "SELECT DISTINCT seen FROM visits"),
    ("press", "hour", "visits", "SELECT DISTINCT date_trunc('hour', seen) FROM visits"),
    ("press", "agent", None, "SELECT DISTINCT agent FROM visits"),
    ("press", "length_band", "titles", "SELECT DISTINCT pages - pages % 100 FROM titles"),
    ("press", "day", "complaints", "SELECT DISTINCT day FROM complaints"),
]


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    """Each collection's raw tables beside an engine for each back-end, that remembers nothing."""
    folder = tmp_path_factory.mktemp("discovery")
    made, opened = {}, []

    def named(collection):
        if collection not in made:
            database = folder / f"{collection}.duckdb"
            with duckdb.connect(str(database)) as connection:
                connection.execute((ORACLE / collection / "tables.sql").read_text())
            backends = open_backends(export(database, folder))
            opened.extend(backends.values())
            raw = duckdb.connect()
            raw.execute((ORACLE / collection / "tables.sql").read_text())
            declared = read_collection((ORACLE / collection / "ac.yaml").read_text())
            made[collection] = (
                raw,
                {
                    name: MetricEngine(declared, folder, backend, enabled=False)
                    for name, backend in backends.items()
                },
            )
        return made[collection]

    yield named
    for raw, _ in made.values():
        raw.close()
    for backend in opened:
        backend.close()


def in_order(values):
    """Order members as they are told: text by code point, NULL last."""
    return sorted((value for value in values if value is not None), key=lambda value: value) + [
        value for value in values if value is None
    ]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("collection", "level", "schema", "sql"), MEMBERS, ids=lambda value: str(value)[:24]
)
def test_members_are_those_of_the_raw_tables(backend, collection, level, schema, sql, laid_out):
    raw, engines = laid_out(collection)
    expected = in_order([value for (value,) in raw.execute(sql).fetchall()])
    present = [value for value in expected if value is not None]
    found = level_facts(engines[backend], level, schema, limit=1000)
    assert list(found.members) == expected
    assert found.cardinality == len(expected)
    assert found.has_null is (len(present) < len(expected))
    assert (found.first, found.last) == ((present[0], present[-1]) if present else (None, None))
    assert str(found.served_from) == "backend"
    fewer = level_facts(engines[backend], level, schema, limit=2)
    assert list(fewer.members) == expected[:2]
    assert fewer.cardinality == len(expected)


@pytest.mark.parametrize("collection", ["shop", "press"])
def test_metrics_may_stand_at_the_same_levels_everywhere(collection, laid_out):
    _, engines = laid_out(collection)
    found = {
        name: [
            (one.reducer, one.required, one.levels, one.blocked)
            for family in engine.collection.metric_families.values()
            for one in availabilities(engine.typed, engine.attested()[1].violations, family)
        ]
        for name, engine in engines.items()
    }
    assert sorted(found) == sorted(BACKENDS)
    assert all(told == found["duckdb"] for told in found.values())
