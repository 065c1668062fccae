"""The retail fixtures say what the walkthrough says, about columns that exist."""

import pytest
import yaml

from flightframe_server.demo.files import COLLECTION, INSTALLATION, fixture
from flightframe_server.demo.retail import SCHEMAS


@pytest.fixture(scope="module")
def collection():
    return yaml.safe_load(fixture(COLLECTION))


@pytest.fixture(scope="module")
def families(collection):
    return {family["name"]: family for family in collection["metric_families"]}


def test_the_installation_is_the_walkthroughs():
    assert yaml.safe_load(fixture(INSTALLATION)) == {
        "id": "retail-demo",
        "collections": ["retail.coframe/ac.yaml"],
        "backend": {"type": "duckdb", "source": "./retail_demo.duckdb"},
        "metric_engine": {
            "enabled": True,
            "max_bytes_per_ac": 1073741824,
            "store": "./metric_engine",
        },
        "server": {"host": "127.0.0.1", "flight_port": 8815, "http_port": 8000},
    }


def test_the_collection_declares_the_five_tables_and_columns_they_have(collection):
    assert collection["name"] == "retail_full"
    assert sorted(schema["table"] for schema in collection["schemas"]) == list(SCHEMAS)
    for schema in collection["schemas"]:
        assert set(schema["columns"].values()) <= set(SCHEMAS[schema["table"]].names)
        assert set(schema["grain"]) <= set(schema["columns"])


def test_a_level_has_one_type_wherever_it_stands(collection):
    levels = {level for family in collection["dimension_families"] for level in family["levels"]}
    types = {}
    for schema in collection["schemas"]:
        for name, column in schema["columns"].items():
            if name in levels:
                types.setdefault(name, set()).add(SCHEMAS[schema["table"]].field(column).type)
    assert {name for name, found in types.items() if len(found) != 1} == set()
    assert set(types) == {"store", "region", "product", "category", "day", "month"}


def test_revenue_cost_and_profit_are_the_walkthroughs_excerpts(families):
    for name, hint in (("revenue", [["region"], ["region", "day"]]), ("cost", [["region"]])):
        family = families[name]
        assert family["family_root"] == {"schema": "transactions", "column": name}
        assert family["ip_reducers"] == [{"operator": "SUM", "a_block": []}]
        assert family["cache_hint"] == {"materialize_at": hint}
        assert family["siblings"] == [
            {"schema": "region_daily_summary", "column": name, "operator": "SUM"}
        ]
    assert families["profit"]["derived"] == {
        "formula": "revenue - cost",
        "inputs": ["revenue", "cost"],
    }


def test_warm_up_finds_exactly_three_entries(families):
    hinted = [
        (name, anchor)
        for name, family in families.items()
        for anchor in family.get("cache_hint", {}).get("materialize_at", [])
    ]
    assert hinted == [
        ("revenue", ["region"]),
        ("revenue", ["region", "day"]),
        ("cost", ["region"]),
    ]


def test_stock_is_never_summed_over_time(families):
    assert families["on_hand"]["ip_reducers"] == [
        {"operator": "SUM", "a_block": ["calendar"], "default": True},
        {"operator": "LAST", "a_block": ["location"], "order_by": ["month"]},
    ]


def test_everything_has_a_description(collection):
    declared = [
        collection,
        *collection["schemas"],
        *collection["dimension_families"],
        *collection["metric_families"],
    ]
    assert all(item.get("description") for item in declared)
