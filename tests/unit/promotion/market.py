"""A market of two stalls on three days: its tables, its collection, its manifest."""

from pathlib import Path

import duckdb

AC = """\
# What the market's numbers mean.
version: 1
name: market
schemas:
  - {name: stalls, grain: [stall], columns: {stall: stall, region: region}}
  - name: sales
    grain: [sale]
    columns: {sale: id, stall: stall, day: day, amount: amount, price: price}
  - {name: stock, grain: [stall, day], columns: {stall: stall, day: day, pieces: pieces}}
dimension_families:
  - {name: place, levels: [stall, region], edges: [{from: stall, to: region, via: stalls}]}
  - name: calendar
    levels: [day, month]
    edges: [{from: day, to: month, derived_by: MONTH_OF}]
metric_families:
  - name: revenue
    family_root: {schema: sales, column: amount}
    ip_reducers:
      - {operator: SUM, a_block: []}
    cache_hint:
      materialize_at:
        - [region]
        - [region, day]

  - name: price   # a mean, so that two reducers are kept
    family_root: {schema: sales, column: price}
    default_reducer: AVG
    ip_reducers: [{operator: SUM}, {operator: AVG}]

  - name: on_hand
    family_root: {schema: stock, column: pieces}
    ip_reducers: [{operator: SUM, a_block: [calendar]}]

  - name: large
    family_root: {schema: sales, column: amount}
    filter: "amount > 5"
    ip_reducers: [{operator: SUM}]

  - {name: double_revenue, derived: {formula: "revenue + revenue", inputs: [revenue]}}
"""

MANIFEST = """\
id: market
collections: [ac.yaml]
backend: {type: duckdb, source: ./market.duckdb}
server: {host: 127.0.0.1, flight_port: 0, http_port: 0}
"""

TABLES = """
CREATE TABLE stalls (stall VARCHAR, region VARCHAR);
INSERT INTO stalls VALUES ('S1', 'East'), ('S2', 'West');
CREATE TABLE sales (id BIGINT, stall VARCHAR, day DATE, amount DECIMAL(12,2), price DOUBLE);
INSERT INTO sales VALUES (1, 'S1', '2024-01-30', 1.10, 1.0), (2, 'S2', '2024-01-30', 2.20, 2.0),
  (3, 'S1', '2024-02-01', 10.00, 4.0), (4, 'S2', '2024-02-02', 20.00, 5.0);
CREATE TABLE stock (stall VARCHAR, day DATE, pieces BIGINT);
INSERT INTO stock VALUES ('S1', '2024-01-30', 7), ('S2', '2024-01-30', 9);
"""

ONE_MORE_SALE = "INSERT INTO sales VALUES (5, 'S1', '2024-02-02', 1.00, 1.0)"


def write_data(folder: Path, sql: str = "") -> None:
    """Put a whole new database in place: the market's tables, changed by some statements."""
    coming = folder / "coming.duckdb"
    with duckdb.connect(str(coming)) as connection:
        connection.execute(TABLES + sql)
    coming.replace(folder / "market.duckdb")
