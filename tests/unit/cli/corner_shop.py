"""The texts of a small shop: its tables, its collection, its manifest."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

AC = """\
version: 1
name: shop
description: A corner shop.
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, town: town}}
  - name: sales
    table: sales
    grain: [sale]
    columns: {sale: id, shop: shop, amount: amount}
dimension_families:
  - {name: place, levels: [shop, town], edges: [{from: shop, to: town, via: shops}]}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
    cache_hint: {materialize_at: [[town]]}
  - {name: double_amount, derived: {formula: "amount + amount", inputs: [amount]}}
"""

MANIFEST = """\
id: corner-shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
server: {host: 127.0.0.1, flight_port: 0, http_port: 0}
"""

TABLES = """
CREATE TABLE shops (shop VARCHAR, town VARCHAR);
INSERT INTO shops VALUES ('a', 'North'), ('b', 'South');
CREATE TABLE sales (id BIGINT, shop VARCHAR, amount DECIMAL(12,2));
INSERT INTO sales VALUES (1, 'a', 0.10), (2, 'a', 0.20), (3, 'b', 1.05);
"""
