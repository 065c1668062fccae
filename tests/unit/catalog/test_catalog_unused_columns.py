"""Columns that nothing in a collection uses, each use being one way to be mentioned."""

import pytest

from flightframe_server.catalog import LevelGraph, read_collection
from flightframe_server.catalog.unused_columns import unused_columns

TEXT = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: id, key: k, region: r, phone: p}}
  - {name: nations, grain: [nation_key], columns: {nation_key: k, nation_name: n, anthem: a}}
  - {name: rates, grain: [rate_key], columns: {rate_key: k, code: c, rate: r, since: s}}
  - name: sales
    grain: [sale]
    columns:
      sale: id
      store: store_id
      code: rate_code
      amount: amount
      state: state
      gross: gross
      net: {expr: "GROSS - tax", type: "decimal(12,2)"}
      tax: tax
      rate: {lookup: rate, via: {schema: rates, on: [code]}}
      note: note
  - {name: daily, grain: [store], columns: {store: s, total: t, state: st}}
dimension_families:
  - name: place
    levels: [store, region, home_key, home]
    edges:
      - {from: store, to: region, via: stores}
      - {from: home_key, to: home, via: {schema: nations, from: nation_key, to: nation_name}}
metric_families:
  - name: amount_sold
    family_root: {schema: sales, column: amount}
    filter: "state = 'done'"
    ip_reducers: [{operator: SUM, a_block: []}]
    siblings: [{schema: daily, column: total, operator: SUM}]
  - {name: sales_made, family_root: {schema: sales}}
  - {name: doubled, derived: {formula: "amount_sold * 2", inputs: [amount_sold]}}
"""

UNUSED = {
    *(("stores", "key"), ("stores", "phone"), ("nations", "anthem"), ("rates", "since")),
    # What is fetched or computed and then used by no metric is unused itself.
    *(("sales", "net"), ("sales", "rate"), ("sales", "note")),
    # A filter names the columns of its own schema alone.
    ("daily", "state"),
}


def unused(text: str) -> set[tuple[str, str]]:
    collection = read_collection(text)
    found = list(unused_columns(collection, LevelGraph(collection)))
    assert len(found) == len(set(found))
    return set(found)


def test_a_column_that_nothing_uses_is_named_with_its_schema() -> None:
    assert unused(TEXT) == UNUSED


@pytest.mark.parametrize(
    ("old", "new", "freed"),
    [
        # The last use of a column gone, it is unused: of a metric, a filter, a sibling,
        ("column: amount}", "column: note}", {("sales", "amount")}),
        ("    filter: \"state = 'done'\"\n", "", {("sales", "state")}),
        (
            "    siblings: [{schema: daily, column: total, operator: SUM}]\n",
            "",
            {("daily", "total")},
        ),
        # of a computed column in any case, of a fetched one, of an edge.
        ("GROSS - tax", "tax", {("sales", "gross")}),
        (
            "{lookup: rate, via: {schema: rates, on: [code]}}",
            "raw",
            {("rates", "rate"), ("rates", "code"), ("sales", "code")},
        ),
        (
            "from: nation_key, to: nation_name",
            "from: nation_key, to: anthem",
            {("nations", "nation_name")},
        ),
    ],
)
def test_each_use_alone_keeps_a_column(old: str, new: str, freed: set[tuple[str, str]]) -> None:
    assert TEXT.count(old) == 1
    assert unused(TEXT.replace(old, new)) - UNUSED == freed


def test_a_column_that_a_metric_comes_to_use_is_named_no_more() -> None:
    assert UNUSED - unused(TEXT.replace("column: amount}", "column: net}")) == {("sales", "net")}
