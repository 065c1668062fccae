"""A sound collection: what each part of its text becomes."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from flightframe_server.algebra.types import decimal
from flightframe_server.catalog import (
    Collection,
    ComputedColumn,
    DerivedMetric,
    FunctionMap,
    LookupColumn,
    ReducerDeclaration,
    RootedMetric,
    Sibling,
    Snapshot,
    StoredColumn,
    TableMap,
    ValueMap,
    read_collection,
)
from flightframe_server.errors import CatalogError
from flightframe_server.language import parse_expression

TEXT = (Path(__file__).parent / "retail.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def retail() -> Collection:
    return read_collection(TEXT)


def rooted(collection: Collection, name: str) -> RootedMetric:
    meaning = collection.metric_families[name].meaning
    assert isinstance(meaning, RootedMetric)
    return meaning


def test_the_collection_itself(retail: Collection) -> None:
    assert (retail.name, retail.timezone, retail.file) == (
        "retail_full",
        "Europe/Berlin",
        "ac.yaml",
    )
    assert list(retail.schemas)[:2] == ["stores", "products"]
    assert re.fullmatch("[0-9a-f]{32}", retail.content_hash)


def test_a_table_has_the_schemas_name_unless_said(retail: Collection) -> None:
    assert retail.schemas["products"].table == "products"
    assert retail.schemas["region_daily_summary"].table == "summaries.region_daily"


def test_columns(retail: Collection) -> None:
    columns = retail.schemas["transactions"].columns
    assert columns["store"] == StoredColumn("store", "store_id")
    assert columns["unit_price"] == ComputedColumn(
        "unit_price", parse_expression("revenue / quantity"), decimal(18, 4)
    )
    assert columns["list_price"] == LookupColumn(
        "list_price", "price", "price_list", ("store", "product")
    )


def test_levels_are_described_one_by_one_or_by_their_family() -> None:
    text = TEXT.replace(
        "{name: location, levels: [store, region],",
        "{name: location, description: Where., level_descriptions: {Region: A part of it.},"
        " levels: [store, region],",
    ).replace("  - name: coast\n", "  - name: coast\n    description: The ocean.\n")
    location = read_collection(text).dimension_families["location"]
    assert [location.describes(level) for level in ("store", "region", "coast")] == [
        "Where.",
        "A part of it.",
        "The ocean.",
    ]


def test_an_edge_via_a_schema_is_found_by_level_names(retail: Collection) -> None:
    edge = retail.dimension_families["location"].edges[0]
    assert (str(edge), edge.map) == ("store -> region", TableMap("stores", "store", "region"))


def test_a_role_goes_through_its_key(retail: Collection) -> None:
    own, nation = retail.dimension_families["sourcing"].edges
    assert own.map == TableMap("supplier", "supplier", "supplier_nation_key")
    assert nation.map == TableMap("nation", "n_nationkey", "n_name")


def test_calendar_functions_are_read_in_any_case(retail: Collection) -> None:
    edges = {str(edge): edge.map for edge in retail.dimension_families["calendar"].edges}
    assert edges["day -> month"] == FunctionMap("MONTH_OF")


def test_a_derived_dimension_joins_the_family_of_its_source(retail: Collection) -> None:
    location = retail.dimension_families["location"]
    assert location.levels == ("store", "region", "coast")
    assert location.edges[-1].source == "region"
    assert location.edges[-1].map == ValueMap(
        (("East", "Atlantic"), ("West", "Pacific"), ("NO", "North Sea")),
        default="Inland",
        null="unknown",
    )
    assert retail.dimension_families["calendar"].edges[-1].map == ValueMap(
        ((datetime.date(2024, 2, 3), "winter"), (datetime.date(2024, 7, 1), "summer"))
    )


def test_a_source_in_no_family_gets_one_of_its_own(retail: Collection) -> None:
    family = retail.dimension_families["delivery"]
    assert set(family.levels) == {"delivery", "lane", "lane_kind"}
    assert {str(edge) for edge in family.edges} == {"delivery -> lane", "lane -> lane_kind"}


def test_reducers_and_hints(retail: Collection) -> None:
    assert rooted(retail, "on_hand").reducers == (
        ReducerDeclaration("SUM", ("calendar",), default=True),
        ReducerDeclaration("LAST", ("location",), order_by=("month",)),
        ReducerDeclaration("MAX", snapshot=Snapshot("month", "LAST", ("store",))),
    )
    revenue = rooted(retail, "revenue")
    assert revenue.materialize_at == (("region",), ("region", "day"))
    assert revenue.siblings == (Sibling("region_daily_summary", "revenue", "SUM"),)
    assert retail.metric_families["revenue"].description == "What customers paid."


def test_rows_filters_and_fills(retail: Collection) -> None:
    assert rooted(retail, "sales") == RootedMetric("transactions", None)
    returns = rooted(retail, "returns")
    assert (returns.fill, returns.closed) == (0, False)
    assert returns.filter == parse_expression("quantity < 0 AND calendar.year > DATE '2000-01-01'")
    assert rooted(retail, "customers").default_reducer == "COUNT_DISTINCT"


def test_derived_families_name_their_inputs_as_declared(retail: Collection) -> None:
    assert retail.metric_families["profit"].meaning == DerivedMetric(
        parse_expression("Revenue - cost"), ("revenue", "cost")
    )
    daily = retail.metric_families["daily"].meaning
    assert isinstance(daily, DerivedMetric)
    assert daily.inputs == ("revenue",)


def test_marks_are_lines_of_the_text(retail: Collection) -> None:
    lines = TEXT.splitlines()
    edge = retail.dimension_families["location"].edges[0]
    assert "from: store, to: region" in lines[edge.location.line - 1]
    assert edge.location.path == "dimension_families[0].edges[0]"
    for family in retail.metric_families.values():
        assert f"name: {family.name}" in lines[family.location.line - 1]


def test_references_are_shown_as_declared() -> None:
    text = """
version: 1
name: shop
schemas:
  - {name: Shops, grain: [STORE], columns: {store: s, Region: r}}
  - {name: facts, grain: [id], columns: {id: i, Store: s, x: x}}
dimension_families:
  - {name: Place, levels: [Store, region], edges: [{from: store, to: REGION, via: shops}]}
metric_families:
  - name: X2
    family_root: {schema: FACTS, column: X}
    ip_reducers: [{operator: sum, a_block: [place]}]
    cache_hint: {materialize_at: [[STORE]]}
"""
    found = read_collection(text)
    assert found.schemas["Shops"].grain == ("Store",)
    edge = found.dimension_families["Place"].edges[0]
    assert (str(edge), edge.map) == ("Store -> region", TableMap("Shops", "store", "Region"))
    assert rooted(found, "X2") == RootedMetric(
        "facts", "x", (ReducerDeclaration("SUM", ("Place",)),), materialize_at=(("Store",),)
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# The retail", "# Some retail"),
        ('description: "What customers paid."', "description: >-\n      Paid."),
        ("    cache_hint: {materialize_at: [[region], [region, day]]}\n", ""),
        ("{name: stores, table: stores,", "{table: stores,     name: 'stores',"),
        (
            "{name: location, levels: [store, region],",
            "{name: location, level_descriptions: {store: A shop}, levels: [store, region],",
        ),
    ],
)
def test_layout_prose_and_hints_leave_the_hash_alone(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert read_collection(TEXT.replace(old, new)).content_hash == (
        read_collection(TEXT).content_hash
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("store: store_id, region: region}", "store: store_id, region: area}"),
        ("revenue: revenue, cost: cost}", "revenue: revenue, cost: cost, description: cost}"),
        ("East: Atlantic", "East: atlantic"),
        ("{1: 10, 2: 20}", "{1: 10, 2: 30}"),
        ("{1: 10, 2: 20}", "{'1': 10, '2': 20}"),
        ("{2024-02-03: winter,", "{2024-02-04: winter,"),
        ("fill: 0}", "fill: 0.0}"),
        ("name: retail_full", "name: retail"),
    ],
)
def test_content_changes_the_hash(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert read_collection(TEXT.replace(old, new)).content_hash != (
        read_collection(TEXT).content_hash
    )


@pytest.mark.slow
def test_a_long_chain_of_derived_families_is_read() -> None:
    rows = "".join(
        f"  - {{name: d{at + 1}, derived: {{formula: d{at} + 0, inputs: [d{at}]}}}}\n"
        for at in range(1500)
    )
    head = "version: 1\nname: n\nschemas: [{name: s, grain: [i], columns: {i: i, x: x}}]\n"
    root = "  - {name: d0, family_root: {schema: s, column: x}, default_reducer: MAX}\n"
    text = f"{head}metric_families:\n{root}{rows}"
    assert len(read_collection(text).metric_families) == 1501
    circle = text.replace("formula: d0 + 0, inputs: [d0]", "formula: d1500, inputs: [d1500]")
    with pytest.raises(CatalogError, match=r"go in a circle: d1 -> d1500 -> d1499"):
        read_collection(circle)


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        ("pick: LAST", "pick: last"),
        ("pick: LAST", "pick: Last"),
        ("operator: SUM", "operator: sum"),
        ("name: stores, ", "name: stores, attest: Always, "),
        ("name: stores, ", "name: stores, attest: ALWAYS, "),
    ],
)
def test_words_stand_for_themselves_in_any_case(
    retail: Collection, written: str, otherwise: str
) -> None:
    assert written in TEXT
    said = read_collection(TEXT.replace(written, otherwise))
    assert said.metric_families == retail.metric_families
    assert said.schemas == retail.schemas


@pytest.mark.parametrize("word", ["rows", "Rows", "ROWS"])
def test_a_table_without_a_key_is_said_in_any_case(word: str) -> None:
    said = read_collection(TEXT.replace("grain: [transaction]", f"grain: {word}"))
    assert said.schemas["transactions"].grain == ()
