"""The graph of levels: by hand on the retail collection, and against naive oracles."""

from __future__ import annotations

from itertools import pairwise, permutations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.catalog import (
    Collection,
    DimensionFamily,
    Edge,
    FunctionMap,
    LevelGraph,
    Schema,
    StoredColumn,
    read_collection,
)
from flightframe_server.errors import InternalError


@pytest.fixture(scope="module")
def retail() -> LevelGraph:
    path = Path(__file__).parent / "retail.yaml"
    return LevelGraph(read_collection(path.read_text(encoding="utf-8")))


def shown(path: tuple[Edge, ...] | None) -> list[str] | None:
    return None if path is None else [str(edge) for edge in path]


def test_names_are_found_in_any_case(retail: LevelGraph) -> None:
    assert retail.level_names[:3] == ("store", "region", "coast")
    assert retail.find("REGION") == "region"
    assert retail.find("revenue") is None
    assert retail.find("Transaction") == "transaction"


def test_families(retail: LevelGraph) -> None:
    assert retail.family_of("coast") == "location"
    assert retail.family_of("season") == "calendar"
    assert retail.family_of("transaction") == "transaction"
    assert retail.family_of("lane_kind") == "delivery"


def test_closure(retail: LevelGraph) -> None:
    assert retail.determined(["store"]) == {"store", "region", "coast"}
    assert retail.determined(["month", "region"]) == {
        "month",
        "quarter",
        "year",
        "region",
        "coast",
    }
    assert retail.determined([]) == frozenset()


def test_paths(retail: LevelGraph) -> None:
    assert shown(retail.path(["day", "store"], "year")) == [
        "day -> month",
        "month -> quarter",
        "quarter -> year",
    ]
    assert retail.path(["day", "year"], "year") == ()
    assert retail.path(["week"], "month") is None
    assert retail.path([], "month") is None


def test_schemas(retail: LevelGraph) -> None:
    assert retail.own_levels("deliveries") == {
        "delivery": "delivery",
        "supplier": "Supplier",
        "day": "day",
    }
    assert retail.reachable("products") == {"product", "category"}
    assert "supplier_nation" in retail.reachable("deliveries")
    assert retail.schema_path("region_daily_summary", "region") == ()
    assert shown(retail.schema_path("transactions", "coast")) == [
        "store -> region",
        "region -> coast",
    ]
    assert retail.schema_path("transactions", "tag") is None


def test_bridges(retail: LevelGraph) -> None:
    assert retail.bridges(retail.reachable("transactions"), "tag") == ("tags",)
    assert retail.bridges(["product"], "tag") == ("tags",)
    assert retail.bridges(["product"], "category") == ()
    assert retail.bridges(["category"], "tag") == ()
    assert retail.bridges(["tag"], "supplier") == ()
    assert retail.bridges(["store", "month"], "product") == ("price_list", "transactions")
    assert retail.bridges(["store", "month"], "category") == ("price_list", "transactions")


def test_unknown_names_are_mistakes_of_the_caller(retail: LevelGraph) -> None:
    for ask in (
        lambda: retail.determined(["Region"]),
        lambda: retail.determined(["nothing"]),
        lambda: retail.path(["nothing"], "region"),
        lambda: retail.path(["region"], "nothing"),
        lambda: retail.family_of("nothing"),
        lambda: retail.own_levels("nothing"),
        lambda: retail.reachable("nothing"),
    ):
        with pytest.raises(InternalError):
            ask()


LEVELS = tuple("abcdefg")
PAIRS = [(a, b) for a, b in product(LEVELS, LEVELS) if a < b]


def graph_of(
    pairs: list[tuple[str, str]], columns: set[str], levels: tuple[str, ...] = LEVELS
) -> LevelGraph:
    edges = tuple(Edge(a, b, FunctionMap("DAY_OF")) for a, b in pairs)
    rows = Schema("rows", "rows", ("id",), {c: StoredColumn(c, c) for c in {"id", *columns}})
    family = DimensionFamily("all", levels, edges)
    return LevelGraph(Collection("c", {"rows": rows}, {"all": family}, {}, "", "", {}))


def naive_closure(levels: set[str], pairs: list[tuple[str, str]]) -> set[str]:
    """Add targets of edges until nothing changes."""
    held = set(levels)
    while True:
        grown = held | {b for a, b in pairs if a in held}
        if grown == held:
            return held
        held = grown


def naive_distance(levels: set[str], target: str, pairs: list[tuple[str, str]]) -> int | None:
    """Count the steps after which the target is first held, None for never."""
    held = set(levels)
    for steps in range(len(LEVELS) + 1):
        if target in held:
            return steps
        held |= {b for a, b in pairs if a in held}
    return None


GRAPHS = st.lists(st.sampled_from(PAIRS), unique=True, max_size=15)
SETS = st.sets(st.sampled_from(LEVELS))


@given(GRAPHS, SETS)
def test_closure_is_the_fixpoint(pairs: list[tuple[str, str]], levels: set[str]) -> None:
    graph = graph_of(pairs, levels)
    assert graph.determined(levels) == naive_closure(levels, pairs)
    assert graph.reachable("rows") == naive_closure(levels, pairs) | {"id"}


@given(GRAPHS, SETS, st.sampled_from(LEVELS))
def test_a_path_leads_there_and_is_shortest(
    pairs: list[tuple[str, str]], levels: set[str], target: str
) -> None:
    path = graph_of(pairs, set()).path(levels, target)
    assert (None if path is None else len(path)) == naive_distance(levels, target, pairs)
    if path:
        assert path[0].source in levels
        assert path[-1].target == target
        assert all(a.target == b.source for a, b in pairwise(path))
        assert all((edge.source, edge.target) in pairs for edge in path)


@given(GRAPHS, st.permutations(LEVELS[:3]), st.sampled_from(LEVELS))
def test_the_order_of_sources_does_not_matter(
    pairs: list[tuple[str, str]], sources: list[str], target: str
) -> None:
    graph = graph_of(pairs, set())
    assert graph.path(sources, target) == graph.path(sorted(sources), target)


@given(GRAPHS, SETS, st.sampled_from(LEVELS))
def test_there_is_a_way_from_each_column_that_leads_there_past_no_other(
    pairs: list[tuple[str, str]], columns: set[str], level: str
) -> None:
    graph = graph_of(pairs, columns)
    ways = graph.ways("rows", level)
    if level in columns:
        assert ways == ((),)
        return
    open_pairs = [(a, b) for a, b in pairs if b not in columns]
    expected = {
        column: steps
        for column in columns
        if (steps := naive_distance({column}, level, open_pairs)) is not None
    }
    assert {way[0].source: len(way) for way in ways} == expected
    assert [(len(way), way[0].source) for way in ways] == sorted(
        (steps, column) for column, steps in expected.items()
    )
    assert graph.schema_path("rows", level) == (ways[0] if ways else None)
    for way in ways:
        assert way[-1].target == level
        assert all(a.target == b.source for a, b in pairwise(way))
        assert columns.isdisjoint(edge.target for edge in way)


@given(GRAPHS, SETS, st.sampled_from(LEVELS), st.permutations(LEVELS))
def test_the_order_of_levels_does_not_matter(
    pairs: list[tuple[str, str]], columns: set[str], level: str, order: list[str]
) -> None:
    ways = graph_of(pairs, columns).ways("rows", level)
    assert graph_of(pairs, columns, tuple(order)).ways("rows", level) == ways


def test_of_two_ways_as_long_that_of_the_first_name_is_taken_in_any_order() -> None:
    pairs = [("b", "c"), ("a", "c")]
    for order in permutations("abc"):
        graph = graph_of(pairs, {"a", "b"}, order)
        assert [shown(way) for way in graph.ways("rows", "c")] == [["a -> c"], ["b -> c"]]


def test_of_equal_paths_the_one_declared_first_is_taken() -> None:
    graph = graph_of([("a", "c"), ("a", "b"), ("b", "d"), ("c", "d")], set())
    assert shown(graph.path(["a"], "d")) == ["a -> c", "c -> d"]
    assert shown(graph.path(["c", "b"], "d")) == ["b -> d"]


def test_a_schema_keyed_by_what_is_held_is_no_bridge() -> None:
    columns = {name: StoredColumn(name, name) for name in ("a", "b", "c")}
    keyed = Schema("keyed", "keyed", ("a",), {"a": columns["a"], "b": columns["b"]})
    linking = Schema("linking", "linking", ("a", "c"), {"a": columns["a"], "c": columns["c"]})
    family = DimensionFamily("all", ("a", "b", "c"))
    graph = LevelGraph(Collection("x", {"k": keyed, "l": linking}, {"all": family}, {}, "", "", {}))
    assert graph.bridges(["a"], "b") == ()
    assert graph.bridges(["a"], "c") == ("l",)


def test_a_table_without_a_key_is_a_bridge_whatever_is_held() -> None:
    columns = {name: StoredColumn(name, name) for name in ("a", "b")}
    rows = Schema("rows", "rows", (), columns)
    family = DimensionFamily("all", ("a", "b"))
    graph = LevelGraph(Collection("x", {"rows": rows}, {"all": family}, {}, "", "", {}))
    assert graph.bridges(["a"], "b") == ("rows",)
