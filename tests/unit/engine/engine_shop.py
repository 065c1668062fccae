"""A small shop in a DuckDB file of its own, its collection typed on it, and its data by hand."""

import os

import duckdb

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection

COLLECTION = """
version: 1
name: shop
schemas:
  - {name: stores, table: stores, grain: [store],
     columns: {store: store, region: region, zone: zone}}
  - {name: prices, table: prices, grain: [store], columns: {store: store, price: price}}
  - name: tx
    table: tx
    grain: [txn]
    columns:
      txn: txn
      store: store
      day: day
      revenue: revenue
      price: {lookup: price, via: {schema: prices, on: [store]}}
  - {name: daily, table: daily, grain: [store, day],
     columns: {store: store, day: day, revenue: revenue}}
  - {name: inv, table: inv, grain: [store, month],
     columns: {store: store, month: month, on_hand: on_hand}}
dimension_families:
  - name: location
    levels: [store, region, zone]
    edges:
      - {from: store, to: region, via: stores}
      - {from: region, to: zone, via: stores}
      - {from: store, to: zone, via: stores}
  - {name: calendar, levels: [day, month],
     edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - name: revenue
    family_root: {schema: tx, column: revenue}
    ip_reducers: [{operator: SUM}]
    siblings: [{schema: daily, column: revenue, operator: SUM}]
  - {name: price, family_root: {schema: tx, column: price}, default_reducer: MAX}
  - name: on_hand
    family_root: {schema: inv, column: on_hand}
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, order_by: [month]}
"""
TABLES = """
CREATE TABLE stores (store VARCHAR, region VARCHAR, zone VARCHAR);
INSERT INTO stores VALUES ('S1', 'East', 'Z1'), ('S2', 'East', 'Z1'), ('S3', NULL, NULL);
CREATE TABLE prices (store VARCHAR, price DECIMAL(10,2));
INSERT INTO prices VALUES ('S1', 1.50), ('S2', 2.50);
CREATE TABLE tx (txn BIGINT, store VARCHAR, day DATE, revenue DECIMAL(10,2));
INSERT INTO tx VALUES (1, 'S1', '2024-01-30', 10.10), (2, 'S1', '2024-01-30', 20.20),
  (3, 'S2', '2024-02-01', NULL), (4, NULL, '2024-02-01', 9.00), (5, 'S9', NULL, 7.00);
CREATE TABLE daily AS SELECT store, day, SUM(revenue) AS revenue FROM tx GROUP BY ALL;
CREATE TABLE inv (store VARCHAR, month DATE, on_hand BIGINT);
INSERT INTO inv VALUES ('S1', '2024-01-01', 100), ('S1', '2024-02-01', 80), (NULL, NULL, 1);
"""


def collection():
    """The shop's declarations."""
    return read_collection(COLLECTION)


def write(path, sql=""):
    """Put a whole new file in place: the shop's tables, changed by some statements."""
    coming = path.with_name("coming.duckdb")
    with duckdb.connect(str(coming)) as connection:
        connection.execute(TABLES + sql)
    os.replace(coming, path)


def opened(folder, sql=""):
    """Return a back-end over a shop of its own."""
    path = folder / "shop.duckdb"
    write(path, sql)
    return DuckDBBackend(path)
