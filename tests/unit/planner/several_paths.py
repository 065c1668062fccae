"""A small collection in which several paths and ways lead to a level: no I/O anywhere."""

from functools import cache

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, TIMESTAMP, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.resolver.typed import type_collection

TRADE = """
version: 1
name: trade
schemas:
  - {name: suppliers, table: t_sup, grain: [supplier], columns: {supplier: id, nation: nation}}
  - {name: customers, table: t_cus, grain: [customer], columns: {customer: id, nation: nation}}
  - {name: orders, table: t_ord, grain: [order_key], columns: {order_key: id, customer: who}}
  - {name: stores, table: t_sto, grain: [store],
     columns: {store: id, district: district, region: region}}
  - {name: districts, table: t_dis, grain: [district], columns: {district: id, region: region}}
  - {name: regions, table: t_reg, grain: [region],
     columns: {region: id, zone: zone, bloc: bloc}}
  - {name: zones, table: t_zon, grain: [zone], columns: {zone: id, world: world}}
  - {name: blocs, table: t_blo, grain: [bloc], columns: {bloc: id, world: world}}
  - name: lines
    table: t_lines
    grain: [line]
    columns:
      line: id
      supplier: supplier
      order_key: order_id
      customer: {lookup: customer, via: {schema: orders, on: [order_key]}}
      day: day
      amount: amount
  - {name: log, table: t_log, grain: rows, columns: {day: at, amount: amount}}
  - {name: months, table: t_mon, grain: [month, customer],
     columns: {month: month, order_key: order_id,
       customer: {lookup: customer, via: {schema: orders, on: [order_key]}}}}
dimension_families:
  - name: trade
    levels: [supplier, customer, nation]
    edges:
      - {from: supplier, to: nation, via: suppliers}
      - {from: customer, to: nation, via: customers}
  - name: place
    levels: [store, district, region, zone, bloc, world]
    edges:
      - {from: store, to: district, via: stores}
      - {from: store, to: region, via: stores}
      - {from: district, to: region, via: districts}
      - {from: region, to: zone, via: regions}
      - {from: region, to: bloc, via: regions}
      - {from: zone, to: world, via: zones}
      - {from: bloc, to: world, via: blocs}
  - name: calendar
    levels: [day, month, year]
    edges:
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: year, derived_by: YEAR_OF}
      - {from: day, to: year, derived_by: YEAR_OF}
roles:
  - {name: supplier_nation, level: nation, from: supplier}
metric_families:
  - {name: amount, family_root: {schema: lines, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}]}
"""
MONEY = decimal(10, 2)
TABLES = {
    "t_sup": {"id": TEXT, "nation": TEXT},
    "t_cus": {"id": TEXT, "nation": TEXT},
    "t_ord": {"id": INTEGER, "who": TEXT},
    "t_sto": {"id": TEXT, "district": TEXT, "region": TEXT},
    "t_dis": {"id": TEXT, "region": TEXT},
    "t_reg": {"id": TEXT, "zone": TEXT, "bloc": TEXT},
    "t_zon": {"id": TEXT, "world": TEXT},
    "t_blo": {"id": TEXT, "world": TEXT},
    "t_lines": {
        **{"id": INTEGER, "supplier": TEXT, "order_id": INTEGER},
        **{"day": DATE, "amount": MONEY},
    },
    "t_log": {"at": TIMESTAMP, "amount": MONEY},
    "t_mon": {"month": DATE, "order_id": INTEGER},
}


@cache
def trade():
    """The collection with its types."""
    return type_collection(read_collection(TRADE), TABLES)
