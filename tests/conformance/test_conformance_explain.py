"""EXPLAIN on every back-end: the same plan for the same reasons, and no statement run for it."""

import pytest
from conformance_tables import ORACLE

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

WARM = ["SELECT store, day, revenue AT (store, day)", "SELECT region, buyers AT region"]
QUERIES = {
    "rollup": "SELECT region, revenue AT region",
    "filtered": "SELECT month, revenue WHERE region = 'East' AND day > '2024-01-30' AT month",
    "off the grain": "SELECT revenue WHERE product = 'P1' AT ()",
    "derived": "SELECT region, margin, doubled_profit AT region ORDER BY margin LIMIT 1",
    "nested": "SELECT region, AVG(revenue @ day) AS a AT region",
    "never rolled up": "SELECT buyers AT ()",
    "side by side": "SELECT store, month, revenue, on_hand AT (store, month)",
    "snapshot": "SELECT account, balance AT account",
    "members": "SELECT store, region FROM tx AT (store, region)",
}


@pytest.mark.parametrize("enabled", [True, False], ids=["cache", "no cache"])
@pytest.mark.parametrize("name", QUERIES)
def test_the_plan_is_the_same_and_nothing_runs(name, enabled, backends, tmp_path, monkeypatch):
    collection = read_collection((ORACLE / "shop" / "ac.yaml").read_text())
    found = {}
    for which, backend in backends("shop").items():
        engine = MetricEngine(collection, tmp_path / which, backend, enabled=enabled)
        serving = Runtime("test", {"shop": engine})
        for query in WARM:
            answer(Request(query), serving)
        engine.attested()
        ran = []
        with monkeypatch.context() as patched:
            for method in ("run", "edge_map", "duplicate", "statistics"):
                patched.setattr(backend, method, lambda *_, at=method, to=ran, **__: to.append(at))
            steps = answer(Request(f"EXPLAIN {QUERIES[name]}"), serving).table.to_pylist()
        assert ran == [], which
        found[which] = [
            {**step, "source": step["source"] if step["route"] == "note" else ""} for step in steps
        ]
        serving.close()
    assert len(found) == 3
    assert found["duckdb"]
    assert all(steps == found["duckdb"] for steps in found.values())
    asked = [step for step in found["duckdb"] if step["route"] == "backend"]
    assert all(step["why_not"] for step in asked)
