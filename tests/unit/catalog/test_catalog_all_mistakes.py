"""All mistakes of a file are told at once, each where it stands, and none that follows."""

import pytest

from flightframe_server.catalog import read_collection, read_installation
from flightframe_server.errors import CatalogError

# Lines are counted from the one after the quotes.
WRONG_SHAPES = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: store, columns: {store: id, region: region}}
  - {name: sales, grian: [sale], columns: {sale: id, store: store, amount: amount}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: 7}]}
metric_families:
  - name: revenue
    family_root: {schema: sales, column: amount}
    closed: maybe
"""

WRONG_NAMES = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: id, region: region}}
  - {name: sales, grain: [sael], columns: {sale: id, store: store, amount: amount}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: storse}]}
metric_families:
  - name: revenue
    family_root: {schema: sales, column: amonut}
    ip_reducers: [{operator: SUMM, a_block: []}]
  - name: cost
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: [locatoin]}]
    filter: "amount >"
  - {name: profit, derived: {formula: "revenue - cost", inputs: [revenue, cots]}}
"""

WRONG_WHOLE = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: id, region: region}}
  - {name: sales, grain: [sale], columns: {sale: id, store: store, amount: amount}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: calendar, levels: [day]}
metric_families:
  - name: revenue
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
    cache_hint: {materialize_at: [[day]]}
  - name: last
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: LAST, a_block: [], order_by: [day]}]
  - name: profit
    derived: {formula: "revenue - loss", inputs: [revenue]}
"""

WRONG_MANIFEST = """\
id: shop
collections: []
backend: {type: duckdb, sauce: shop.duckdb}
server: {flight_port: 70000, http_port: eight}
limits: {result_rows: -1}
"""


def mistakes(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(CatalogError) as caught:
        read_collection(text, "ac.yaml")
    return told(caught.value)


def told(error: CatalogError) -> list[tuple[int, str, str]]:
    return [(each.line, each.path, each.message.partition(": ")[2]) for each in error.each()]


def test_every_mistake_of_shape() -> None:
    assert mistakes(WRONG_SHAPES) == [
        (4, "schemas[0].grain", "expected a list, found text"),
        (5, "schemas[1].grian", "unknown key 'grian'"),
        (7, "dimension_families[0].edges[0].via", "expected text, found a number"),
        (11, "metric_families[0].closed", "expected true or false, found text"),
    ]


def test_every_unknown_name_and_expression_and_nothing_that_follows_from_them() -> None:
    assert mistakes(WRONG_NAMES) == [
        (5, "schemas[1].grain[0]", "there is no column of schema sales 'sael'"),
        (7, "dimension_families[0].edges[0].via", "there is no schema 'storse'"),
        (
            10,
            "metric_families[0].family_root.column",
            "there is no column of schema sales 'amonut'",
        ),
        (11, "metric_families[0].ip_reducers[0].operator", "there is no reducer 'SUMM'"),
        (
            14,
            "metric_families[1].ip_reducers[0].a_block[0]",
            "there is no dimension family 'locatoin'",
        ),
        (
            15,
            "metric_families[1].filter",
            "not an expression: found the end of the expression, expected an expression",
        ),
        (16, "metric_families[2].derived.inputs[1]", "there is no metric family 'cots'"),
    ]


def test_everything_that_only_the_whole_shows() -> None:
    found = mistakes(WRONG_WHOLE)
    assert [(line, path) for line, path, _ in found] == [
        (13, "metric_families[0].cache_hint.materialize_at[0][0]"),
        (16, "metric_families[1].ip_reducers[0].order_by[0]"),
        (18, "metric_families[2].derived.formula"),
    ]


def test_every_mistake_of_a_manifest() -> None:
    with pytest.raises(CatalogError) as caught:
        read_installation(WRONG_MANIFEST)
    assert [(line, path) for line, path, _ in told(caught.value)] == [
        (2, "collections"),
        (3, "backend.sauce"),
        (4, "server.flight_port"),
        (4, "server.http_port"),
        (5, "limits.result_rows"),
    ]


def test_the_one_error_is_its_first_mistake_and_counts_the_others() -> None:
    with pytest.raises(CatalogError) as caught:
        read_collection(WRONG_NAMES, "ac.yaml")
    error = caught.value
    assert error.code == "CATALOG"
    assert error.line == 5
    assert error.hint == "did you mean sale? (6 more mistakes in the file)"
    assert [each.hint for each in error.each()][:2] == [
        "did you mean sale?",
        "did you mean stores?",
    ]
    assert all(each.file == "ac.yaml" and not each.others for each in error.each())


def test_mistakes_of_several_files_are_one_error() -> None:
    with pytest.raises(CatalogError) as first:
        read_collection(WRONG_NAMES, "a.yaml")
    with pytest.raises(CatalogError) as second:
        read_collection(WRONG_SHAPES, "b.yaml")
    both = CatalogError.of_all([first.value, second.value])
    assert [each.file for each in both.each()] == ["a.yaml"] * 7 + ["b.yaml"] * 4
    assert both.hint == "did you mean sale? (10 more mistakes)"
