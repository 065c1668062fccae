"""One small collection, typed by hand, and the values that planning reads: no I/O anywhere."""

from functools import cache

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.language import parse
from flightframe_server.planner.holdings import CacheEntry, Holdings
from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Conditions, Rejected
from flightframe_server.planner.rollup import Target, judge
from flightframe_server.planner.route import entry_key
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection

COLLECTION = """
version: 1
name: shop
schemas:
  - {name: stores, table: t_stores, grain: [store], columns: {store: id, region: region}}
  - {name: products, table: t_products, grain: [product], columns: {product: sku, category: cat}}
  - name: tx
    table: t_tx
    grain: [txn]
    columns:
      txn: txn
      store: store
      product: product
      day: day
      revenue: revenue
      cost: cost
      gain: {expr: "revenue - cost", type: "decimal(12,2)"}
      price: {lookup: price, via: {schema: prices, on: [store, product]}}
  - name: prices
    table: t_prices
    grain: [store, product]
    columns: {store: store, product: product, price: price}
  - name: told
    table: t_told
    grain: [claim]
    columns: {claim: claim, store: store, region: region, amount: amount}
  - {name: daily, table: t_daily, grain: [store, day],
     columns: {store: store, day: day, revenue: revenue}}
  - {name: told_sums, table: t_told_sums, grain: [store], columns: {store: store, amount: amount}}
  - {name: inv, table: t_inv, grain: [store, month],
     columns: {store: store, month: month, on_hand: on_hand}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: goods, levels: [product, category],
     edges: [{from: product, to: category, via: products}]}
  - name: calendar
    levels: [day, week, month, year]
    edges:
      - {from: day, to: week, derived_by: WEEK_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: year, derived_by: YEAR_OF}
derived_dimensions:
  - {name: coast, source: region, mapping: {East: Atlantic}, default: Inland}
metric_families:
  - name: revenue
    family_root: {schema: tx, column: revenue}
    ip_reducers: [{operator: SUM, a_block: []}]
    siblings: [{schema: daily, column: revenue, operator: SUM}]
  - {name: cost, family_root: {schema: tx, column: cost},
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: gain, family_root: {schema: tx, column: gain},
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: price, family_root: {schema: tx, column: price}, default_reducer: MAX}
  - {name: eastern, family_root: {schema: tx, column: revenue}, filter: "region = 'East'",
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: amount, family_root: {schema: told, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}],
     siblings: [{schema: told_sums, column: amount, operator: SUM}]}
  - name: on_hand
    family_root: {schema: inv, column: on_hand}
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, order_by: [month]}
  - name: balance
    family_root: {schema: inv, column: on_hand}
    ip_reducers: [{operator: SUM, snapshot: {level: month, pick: LAST, per: []}}]
  - {name: profit, derived: {formula: "revenue - cost", inputs: [revenue, cost]}}
"""
MONEY = decimal(10, 2)
TABLES = {
    "t_stores": {"id": TEXT, "region": TEXT},
    "t_products": {"sku": TEXT, "cat": TEXT},
    "t_tx": {
        **{"txn": INTEGER, "store": TEXT, "product": TEXT, "day": DATE},
        **{"revenue": MONEY, "cost": MONEY},
    },
    "t_prices": {"store": TEXT, "product": TEXT, "price": MONEY},
    "t_told": {"claim": INTEGER, "store": TEXT, "region": TEXT, "amount": MONEY},
    "t_told_sums": {"store": TEXT, "amount": decimal(38, 2)},
    "t_daily": {"store": TEXT, "day": DATE, "revenue": decimal(38, 2)},
    "t_inv": {"store": TEXT, "month": DATE, "on_hand": INTEGER},
}
NOW = dict.fromkeys(TABLES, "1")
MAPS = frozenset({"store -> region", "product -> category"})


@cache
def typed():
    """The collection with its types."""
    return type_collection(read_collection(COLLECTION), TABLES)


def question(text):
    """A text resolved."""
    return resolve(parse(text), typed())


def key_of(text):
    """The identity of the one metric of a question."""
    (need,) = question(text).needs
    return entry_key(typed(), "db", need)


def held(text, name="e1", rows=10, tables=("t_tx",), sign="1", created=0.0):
    """An entry that a question of one metric left, made from these tables."""
    version = tuple((table, sign) for table in sorted(tables))
    return CacheEntry(key_of(text), name, rows, 100, version, (), created)


def conditions(*entries, **given):
    """What planning reads, with everything attested and at hand unless said."""
    usual = {"versions": NOW, "mapped": MAPS, "holdings": Holdings.of(entries)}
    return Conditions("db", **{**usual, **given})


def plan(text, *entries, **given):
    """The plan of a question over these entries."""
    return make_plan(question(text), typed(), conditions(*entries, **given))


def judged(text, entry, violations=None, mapped=MAPS, versions=NOW, current=NOW):
    """How an entry answers the one metric of a question, or why it does not."""
    asked = question(text)
    (need,) = asked.needs
    target = Target(
        need.metric,
        key_of(text),
        asked.filter,
        versions,
        violations or {},
        current,
        frozenset(mapped),
    )
    verdict = judge(typed().with_levels(asked.computed), target, entry)
    return verdict.rule if isinstance(verdict, Rejected) else verdict
