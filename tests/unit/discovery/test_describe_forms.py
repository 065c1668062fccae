"""The forms of a description: everything once, some in full, and of where metrics stand a part."""

import json

import pytest
from engine_shop import collection, opened

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.answer import Runtime
from flightframe_server.catalog import read_collection
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.metric_terms import MetricTerms
from flightframe_server.discovery.name_list import name_list
from flightframe_server.discovery.request import read_fields
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import UnknownName
from flightframe_server.resolver.typed import type_collection


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    engine = MetricEngine(collection(), folder / "store", opened(folder))
    yield Runtime("shop", {"shop": engine})
    engine.close()


def described(runtime, **fields):
    (found,) = json.loads(describe(read_fields(fields), runtime))["collections"]
    return found


def test_the_names_are_the_collection_once(shop):
    found = described(shop, detail="names")
    assert found["edges"] == [
        {"from": "store", "to": "region"},
        {"from": "store", "to": "zone"},
        {"from": "region", "to": "zone"},
        {"from": "day", "to": "month"},
    ]
    assert {level["name"]: level["family"] for level in found["levels"]} == {
        "store": "location",
        "region": "location",
        "zone": "location",
        "day": "calendar",
        "month": "calendar",
        "txn": "txn",
    }
    assert {schema["name"]: (schema["grain"], schema["levels"]) for schema in found["schemas"]} == {
        "stores": (["store"], ["region", "store", "zone"]),
        "prices": (["store"], ["store"]),
        "tx": (["txn"], ["day", "store", "txn"]),
        "daily": (["store", "day"], ["day", "store"]),
        "inv": (["store", "month"], ["month", "store"]),
    }
    assert {
        metric["name"]: (metric["type"], metric["default"], metric["schema"], metric["required"])
        for metric in found["metrics"]
    } == {
        "revenue": ("decimal(38,2)", "SUM", "tx", []),
        "price": ("decimal(10,2)", "MAX", "tx", []),
        "on_hand": ("integer", "SUM", "inv", ["month"]),
    }
    assert not any("anchors" in metric for metric in found["metrics"])


TWICE = "INSERT INTO tx VALUES (1, 'S1', '2024-01-30', 1.00);"
LEFT = {"the grain of inv", "the grain of daily", "daily holds revenue", "the rows of tx"}


def test_a_part_is_told_after_what_it_rests_on_was_looked_up_and_no_more(tmp_path):
    engine = MetricEngine(collection(), tmp_path / "store", opened(tmp_path, TWICE))
    runtime = Runtime("shop", {"shop": engine})
    (metric,) = described(runtime, names=["revenue"], at=["day"])["metrics"]
    ((blocked,),) = [one["blocked"] for one in metric["anchors"]]
    assert (blocked["level"], blocked["code"]) == ("day", "FD_VIOLATION")
    unattested = engine.snapshot().facts.known.unattested
    assert unattested >= LEFT | {"store -> region"}
    described(runtime, names=["region"])
    assert engine.snapshot().facts.known.unattested == unattested
    described(runtime, names=["revenue"], at=["region"])
    # The size of a table says whether the map of its edge is read.
    looked_at = {"store -> region", "the rows of stores"}
    assert unattested - engine.snapshot().facts.known.unattested == looked_at
    engine.close()


def test_the_names_are_told_before_the_data_were_asked(tmp_path):
    engine = MetricEngine(collection(), tmp_path / "store", opened(tmp_path))
    described(Runtime("shop", {"shop": engine}), detail="names")
    assert engine.snapshot().facts.known.violations == {}
    assert engine.snapshot().facts.known.unattested
    engine.close()


def test_what_names_and_the_full_form_share_is_the_same(shop):
    names, full = described(shop, detail="names"), described(shop)
    assert names["levels"] == full["levels"]
    for one, other in zip(names["metrics"], full["metrics"], strict=True):
        shared = one.keys() & other.keys()
        assert {key: one[key] for key in shared} == {key: other[key] for key in shared}
        assert one["required"] == other["anchors"][0]["required"]


def test_several_names_are_described_in_full(shop):
    full = described(shop)
    found = described(shop, names=["REVENUE", "inv", "zone"])
    assert found["metrics"] == [item for item in full["metrics"] if item["name"] == "revenue"]
    assert found["schemas"] == [item for item in full["schemas"] if item["name"] == "inv"]
    assert found["levels"] == [item for item in full["levels"] if item["name"] == "zone"]


def test_names_of_a_part_have_the_edges_between_them(shop):
    found = described(shop, detail="names", names=["store", "zone", "day"])
    assert found["edges"] == [{"from": "store", "to": "zone"}]
    assert (found["metrics"], found["schemas"]) == ([], [])


def test_at_tells_of_some_levels_what_the_full_form_tells_of_them(shop):
    at = ["month", "zone"]
    full, found = described(shop), described(shop, at=at)
    for one, other in zip(found["metrics"], full["metrics"], strict=True):
        for told, every in zip(one["anchors"], other["anchors"], strict=True):
            assert told["levels"] == [level for level in every["levels"] if level in at]
            assert told["blocked"] == [item for item in every["blocked"] if item["level"] in at]
            assert (told["required"], told["reducer"]) == (every["required"], every["reducer"])
            assert len(told["levels"]) + len(told["blocked"]) == len(at)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"names": ["revenue", "zoen"]}, "did you mean zone?"),
        ({"names": ["revenu"], "detail": "names"}, "did you mean revenue?"),
        ({"at": ["mont"]}, "did you mean month?"),
        ({"at": ["revenue"]}, None),
    ],
)
def test_an_unknown_name_is_refused(shop, fields, hint):
    with pytest.raises(UnknownName) as caught:
        described(shop, **fields)
    assert hint is None or caught.value.hint == hint


def chain(levels, metrics):
    """A collection of one fact, a chain of levels and some metrics, by its names."""
    edges = [f"{{from: l{at}, to: l{at + 1}, via: dim}}" for at in range(levels - 1)]
    names = ", ".join(f"l{at}" for at in range(levels))
    columns = ", ".join(f"l{at}: l{at}" for at in range(levels))
    families = "".join(
        f"  - {{name: m{at}, family_root: {{schema: fact, column: v}},"
        " ip_reducers: [{operator: SUM}]}\n"
        for at in range(metrics)
    )
    declared = read_collection(
        "version: 1\nname: chain\nschemas:\n"
        f"  - {{name: dim, table: dim, grain: [l0], columns: {{{columns}}}}}\n"
        "  - {name: fact, table: fact, grain: [row, day],"
        " columns: {row: row, day: day, l0: l0, v: v}}\n"
        f"dimension_families:\n  - {{name: d, levels: [{names}], edges: [{', '.join(edges)}]}}\n"
        f"metric_families:\n{families}"
    )
    types = {
        "dim": {f"l{at}": TEXT for at in range(levels)},
        "fact": {"row": INTEGER, "day": DATE, "l0": TEXT, "v": decimal(10, 2)},
    }
    return name_list(MetricTerms(type_collection(declared, types)), lambda name: True)


def leaves(value):
    """How many texts and numbers a value holds."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


@pytest.mark.parametrize(("levels", "metrics"), [(3, 2), (30, 20), (60, 40)])
def test_the_names_grow_as_their_number_does(levels, metrics):
    """By hand: of a level four texts, one as a column, two of its edge; of a metric six."""
    collection_, rows = 2, 2
    chained = levels * 4 + (levels - 1) * 2
    dim, fact = 2 + 1 + levels, 2 + 2 + 3
    of_metric = 4 + 1 + 1
    by_hand = collection_ + rows * 4 + chained + dim + fact + metrics * of_metric
    assert leaves(chain(levels, metrics)) == by_hand
