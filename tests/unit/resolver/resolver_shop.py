"""One small collection, typed by hand, in which each rule of the resolver has something to say.

Nothing is read: what a question means and whether it is legal is decided by the declarations.
"""

from functools import cache

import pytest

from flightframe_server.algebra.types import DATE, DOUBLE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.errors import QueryError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.typed import type_collection
from flightframe_server.resolver.values import Binding

# Sales reach a region through their store. Tags link stores many to many. Of a claim the region
# stands in a column of its own, beside the store. Readings count hours as numbers. Years are listed
# apart from the calendar, and months determine them all the same.
COLLECTION = """
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: store, region: region}}
  - {name: tags, grain: [store, tag], columns: {store: store, tag: tag}}
  - name: sales
    grain: [sale]
    columns: {sale: sale, store: store, day: day, amount: amount, cost: cost, note: note}
  - {name: daily, grain: [store, day], columns: {store: store, day: day, amount: amount}}
  - {name: stock, grain: [store, month], columns: {store: store, month: month, on_hand: on_hand}}
  - {name: claims, grain: [claim],
     columns: {claim: claim, store: store, region: region, size: size, weight: weight}}
  - {name: readings, grain: [meter, hour], columns: {meter: meter, hour: hour, level: level}}
  - {name: visits, grain: rows, columns: {store: store, day: day}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: labels, levels: [tag]}
  - name: calendar
    levels: [day, week, month, quarter]
    edges:
      - {from: day, to: week, derived_by: WEEK_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: quarter, derived_by: QUARTER_OF}
      - {from: month, to: year, derived_by: YEAR_OF}
  - {name: ledger, levels: [year]}
  - {name: meters, levels: [meter]}
  - {name: clock, levels: [hour]}
derived_dimensions:
  - {name: season, source: month, mapping: {"2024-01-01": winter}, default: other}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
    siblings: [{schema: daily, column: amount, operator: SUM}]
  - name: cost
    family_root: {schema: sales, column: cost}
    ip_reducers: [{operator: SUM}, {operator: MAX}]
  - {name: note, family_root: {schema: sales, column: note}}
  - name: eastern
    family_root: {schema: sales, column: amount}
    filter: "region = 'East' AND cost > 0"
    ip_reducers: [{operator: SUM}]
  - name: on_hand
    family_root: {schema: stock, column: on_hand}
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, order_by: [month]}
      - {operator: FIRST, order_by: [month]}
  - name: balance
    family_root: {schema: stock, column: on_hand}
    ip_reducers: [{operator: SUM, snapshot: {level: month, pick: LAST, per: [store]}}]
  - name: size
    family_root: {schema: claims, column: size}
    closed: true
    ip_reducers: [{operator: SUM, a_block: [location]}]
  - {name: weight, family_root: {schema: claims, column: weight}, default_reducer: AVG}
  - name: level
    family_root: {schema: readings, column: level}
    ip_reducers: [{operator: SUM, a_block: [clock]}]
  - {name: visits, family_root: {schema: visits}}
  - {name: profit, derived: {formula: "amount - SUM(cost)", inputs: [amount, cost]}}
  - {name: margin, derived: {formula: "profit / AVG(amount)", inputs: [profit, amount]}}
"""
TABLES = {
    "stores": {"store": TEXT, "region": TEXT},
    "tags": {"store": TEXT, "tag": TEXT},
    "sales": {
        **{"sale": INTEGER, "store": TEXT, "day": DATE},
        **{"amount": decimal(12, 2), "cost": INTEGER, "note": TEXT},
    },
    "daily": {"store": TEXT, "day": DATE, "amount": decimal(38, 2)},
    "stock": {"store": TEXT, "month": DATE, "on_hand": INTEGER},
    "claims": {
        **{"claim": INTEGER, "store": TEXT, "region": TEXT, "size": INTEGER, "weight": DOUBLE},
    },
    "readings": {"meter": TEXT, "hour": INTEGER, "level": INTEGER},
    "visits": {"store": TEXT, "day": DATE},
}


@cache
def typed():
    """The collection with its types."""
    return type_collection(read_collection(COLLECTION), TABLES)


def scope(source=None):
    """What names mean in a query without parameters."""
    return Scope(typed(), Binding(), source)


def resolved(text, *values):
    """A text resolved, with values for its `?`."""
    return resolve(parse(text), typed(), Binding(dict(enumerate(values))))


def refused(text, *values):
    """The error that refuses a text."""
    with pytest.raises(QueryError) as found:
        resolved(text, *values)
    return found.value
