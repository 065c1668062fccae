"""What tools are told of a collection: columns, how each may be asked, keys, and tables' rows."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.language import format_statement
from flightframe_server.resolver.typed import TypedCollection, type_collection
from flightframe_server.sql.table_frames import frame_columns, frame_statement
from flightframe_server.sql.tables import PublishedCollection, PublishedTable, published

MONEY = decimal(10, 2)
TYPES = {
    "sales": {"id": INTEGER, "s": TEXT, "p": TEXT, "d": DATE, "amount": MONEY, "n": INTEGER},
    "stores": {"s": TEXT, "region": TEXT, "boss": TEXT},
    "prices": {"s": TEXT, "p": TEXT, "price": MONEY},
    "monthly": {"region": TEXT, "m": DATE, "total": MONEY, "rows": INTEGER},
    "stock": {"s": TEXT, "d": DATE, "held": INTEGER},
    "metrics": {"x": INTEGER},
    "zones": {"s": TEXT, "zone": TEXT, "since": DATE},
    "nation": {"k": INTEGER, "name": TEXT},
    "makers": {"p": TEXT, "nk": INTEGER},
    "visits": {"v": INTEGER, "boss": TEXT},
}
TEXT_OF = """
version: 1
name: shop
description: A shop.
schemas:
  - name: sales
    grain: [sale]
    description: One row a sale
    columns:
      {sale: id, store: s, product: p, day: d, amount: amount, pieces: n,
       twice: {expr: pieces + pieces, type: integer},
       price: {lookup: price, via: {schema: prices, on: [product, store]}}}
  - {name: stores, grain: [store], columns: {store: s, region: region, boss: boss}}
  - {name: prices, grain: [store, product], columns: {store: s, product: p, price: price}}
  - name: monthly
    grain: [region, month]
    columns: {region: region, month: m, total: total, counted: rows}
  - {name: stock, grain: [store, day], columns: {Store: s, day: d, held: held}}
  - {name: metrics, grain: [thing], columns: {thing: x}}
  - {name: zones, grain: [store, since], columns: {store: s, since: since, zone: zone}}
  - {name: nation, grain: [nation_key], columns: {nation_key: k, nation_name: name}}
  - {name: makers, grain: [product], columns: {product: p, maker_nation: nk}}
  - name: visits
    grain: [visit]
    columns: {visit: v, boss: boss, near: {lookup: region, via: {schema: stores, on: [boss]}}}
dimension_families:
  - name: place
    levels: [store, region, zone, boss, since]
    description: Where.
    level_descriptions: {Region: The region of a store.}
    edges:
      - {from: store, to: region, via: stores}
      - {from: store, to: boss, via: stores}
      - {from: store, to: zone, via: zones}
  - name: calendar
    levels: [day, month]
    edges: [{from: day, to: month, derived_by: MONTH_OF}]
  - name: goods
    levels: [product, maker_nation, maker_name]
    edges:
      - {from: product, to: maker_nation, via: makers}
      - from: maker_nation
        to: maker_name
        via: {schema: nation, from: nation_key, to: nation_name}
derived_dimensions:
  - {name: coast, source: region, mapping: {East: Atlantic}, description: The nearest ocean.}
metric_families:
  - name: amount
    description: What was paid.
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM}]
    siblings: [{schema: monthly, column: total, operator: SUM}]
  - name: pieces_sold
    family_root: {schema: sales, column: pieces}
    ip_reducers: [{operator: SUM}, {operator: MAX}]
  - name: big
    family_root: {schema: sales, column: twice}
    ip_reducers: [{operator: SUM}]
    filter: "pieces > 3"
  - name: held
    family_root: {schema: stock, column: held}
    closed: true
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, order_by: [day], a_block: [place]}
  - name: last_held
    family_root: {schema: stock, column: held}
    closed: true
    ip_reducers: [{operator: LAST, order_by: [day]}]
  - name: share
    derived: {formula: "amount / pieces", inputs: [amount, pieces]}
  - name: pieces
    family_root: {schema: sales}
"""


@pytest.fixture(scope="module")
def typed() -> TypedCollection:
    return type_collection(read_collection(TEXT_OF), TYPES)


@pytest.fixture(scope="module")
def shop(typed: TypedCollection) -> PublishedCollection:
    return published("here", typed)


def table_of(shop: PublishedCollection, name: str) -> PublishedTable:
    (found,) = (table for table in shop.tables if table.name == name)
    return found


def said(field: pa.Field) -> dict[str, str]:
    metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
    return {
        key.removeprefix("flightframe:"): value
        for key, value in metadata.items()
        if key.startswith("flightframe:")
    }


def remarks(field: pa.Field) -> str | None:
    found = field.metadata.get(b"ARROW:FLIGHT:SQL:REMARKS")
    return None if found is None else found.decode()


def test_every_level_and_every_metric_is_a_column(shop):
    assert table_of(shop, "metrics").schema.names == [
        *("store", "region", "zone", "boss", "since", "coast", "day", "month"),
        *("product", "maker_nation", "maker_name", "sale", "thing", "nation_key", "visit"),
        *("amount", "pieces_sold", "big", "held", "last_held", "share", "pieces"),
    ]


def test_words_come_from_the_level_the_family_or_the_key(shop):
    metrics = table_of(shop, "metrics").schema
    assert [
        remarks(metrics.field(name)) for name in ("region", "store", "coast", "sale", "day")
    ] == [
        "The region of a store.",
        "Where.",
        "The nearest ocean.",
        "The key of sales.",
        None,
    ]
    assert remarks(metrics.field("amount")) == "What was paid."
    assert table_of(shop, "sales").description == "One row a sale"


def test_a_level_says_its_family_and_what_it_determines(shop):
    facts = said(table_of(shop, "metrics").schema.field("store"))
    determined = json.loads(facts.pop("determines"))
    assert determined == ["boss", "coast", "region", "zone"]
    assert facts == {"role": "level", "level": "store", "dimension_family": "place"}


def test_a_metric_says_its_reducers_and_where_each_may_be_asked(shop):
    facts = said(table_of(shop, "metrics").schema.field("held"))
    assert json.loads(facts["reducers"]) == {
        "SUM": {"type": "integer", "blocked": ["calendar"], "required": ["day"]},
        "LAST": {"type": "integer", "blocked": ["place"], "required": ["store"]},
    }
    assert facts["default"] == "SUM"
    levels = ["boss", "coast", "day", "month", "region", "store", "zone"]
    assert json.loads(facts["levels"]) == levels
    assert json.loads(facts["required"]) == ["day"]


def test_what_an_order_leaves_open_is_required(shop):
    facts = said(table_of(shop, "metrics").schema.field("last_held"))
    assert json.loads(facts["reducers"]) == {"LAST": {"type": "integer", "required": ["store"]}}
    assert json.loads(facts["required"]) == ["store"]


def test_a_metric_that_is_not_closed_takes_the_statistics_too(shop):
    facts = said(table_of(shop, "metrics").schema.field("amount"))
    reducers = {name: reducer["type"] for name, reducer in json.loads(facts["reducers"]).items()}
    assert reducers == {
        **dict.fromkeys(("SUM", "RANGE"), "decimal(38,2)"),
        **dict.fromkeys(("MIN", "MAX"), "decimal(10,2)"),
        **{"COUNT": "integer", "COUNT_DISTINCT": "integer"},
        **dict.fromkeys(("AVG", "MEDIAN", "QUANTILE", "VAR", "STDDEV"), "double"),
    }


def test_a_metric_without_a_default_is_listed_and_has_none(shop):
    field = table_of(shop, "metrics").schema.field("pieces_sold")
    assert field.type == pa.int64()
    assert "default" not in said(field)
    assert "required" not in said(field)


def test_rows_are_counted_and_nothing_else(shop):
    facts = said(table_of(shop, "metrics").schema.field("pieces"))
    assert json.loads(facts["reducers"]) == {"COUNT": {"type": "integer"}}


def test_a_derived_metric_says_its_formula(shop):
    field = table_of(shop, "metrics").schema.field("share")
    assert field.type == pa.float64()
    assert said(field)["formula"] == "amount / pieces"
    assert json.loads(said(field)["inputs"]) == ["amount", "pieces"]
    assert "reducers" not in said(field)


def test_a_table_shows_what_can_be_asked_of_it(shop):
    assert {table.name: table.schema.names for table in shop.tables if table.name != "metrics"} == {
        # `twice` is only asked through a filter, and no metric stands on `price` or `counted`.
        "sales": ["sale", "store", "product", "day", "amount", "pieces"],
        "stores": ["store", "region", "boss"],
        "prices": ["store", "product"],
        "monthly": ["region", "month", "total"],
        "stock": ["Store", "day", "held"],
        "zones": ["store", "since", "zone"],
        "nation": ["nation_key"],
        "makers": ["product", "maker_nation"],
        "visits": ["visit", "boss"],
    }
    pieces = table_of(shop, "sales").schema.field("pieces")
    assert said(pieces) == {"role": "fact", "metric": "pieces_sold", "reducer": "SUM"}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (
            "sales",
            "SELECT sale, store, product, day, SUM(amount) AS amount,"
            " SUM(pieces_sold) AS pieces FROM sales AT (sale, store, product, day)",
        ),
        (
            "monthly",
            "SELECT region, month, SUM(amount) AS total FROM monthly AT (region, month)",
        ),
        ("stock", "SELECT store AS Store, day, SUM(held) AS held FROM stock AT (store, day)"),
        ("stores", "SELECT store, region, boss FROM stores AT (store, region, boss)"),
    ],
)
def test_the_rows_of_a_table_are_a_frame_at_its_grain(typed, schema, text):
    columns = frame_columns(typed, schema)
    assert format_statement(frame_statement(typed, schema, columns)) == text


def test_grains_are_primary_keys(shop):
    assert [(key.name, key.columns) for key in shop.primary_keys] == [
        ("pk_sales", ("sale",)),
        ("pk_stores", ("store",)),
        ("pk_prices", ("store", "product")),
        ("pk_monthly", ("region", "month")),
        ("pk_stock", ("Store", "day")),
        ("pk_zones", ("store", "since")),
        ("pk_nation", ("nation_key",)),
        ("pk_makers", ("product",)),
        ("pk_visits", ("visit",)),
    ]


def test_a_table_without_a_key_has_no_primary_key_and_no_rows_to_list():
    text = TEXT_OF.replace("    grain: [visit]\n", "    grain: rows\n")
    assert text != TEXT_OF
    found = published("shop", type_collection(read_collection(text), TYPES))
    assert "pk_visits" not in [key.name for key in found.primary_keys]
    frames = {table.name: table.frame for table in found.tables}
    assert [name for name, frame in frames.items() if frame is None] == ["metrics", "visits"]


def test_edges_and_look_ups_along_a_whole_key_are_foreign_keys(shop):
    found = {
        key.name: (key.table, key.columns, key.key.table, key.key_columns)
        for key in shop.foreign_keys
    }
    assert found == {
        # One for both edges from store; none to zones, where store is only part of the key.
        "fk_sales_store_stores": ("sales", ("store",), "stores", ("store",)),
        "fk_prices_store_stores": ("prices", ("store",), "stores", ("store",)),
        "fk_stock_Store_stores": ("stock", ("Store",), "stores", ("store",)),
        "fk_zones_store_stores": ("zones", ("store",), "stores", ("store",)),
        "fk_sales_product_makers": ("sales", ("product",), "makers", ("product",)),
        "fk_prices_product_makers": ("prices", ("product",), "makers", ("product",)),
        # A role: the level has another name than the key.
        "fk_makers_maker_nation_nation": ("makers", ("maker_nation",), "nation", ("nation_key",)),
        # No more a key is a look-up along something else than the grain, as in visits.
        # A look-up, its columns in the order of the key.
        "fk_sales_store_product_prices": (
            *("sales", ("store", "product")),
            *("prices", ("store", "product")),
        ),
    }
    assert len(found) == len(shop.foreign_keys)
