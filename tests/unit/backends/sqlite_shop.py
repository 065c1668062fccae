"""A small SQLite file and what is asked of it."""

import sqlite3
from contextlib import closing

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.backends.sqlite.decimals import DecimalForm
from flightframe_server.backends.sqlite.files import DESCRIPTORS
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

COLLECTION = """
version: 1
name: till
schemas:
  - name: lines
    table: lines
    grain: [line]
    columns:
      line: line
      price: price
      quantity: quantity
      day: day
      moment: moment
      paid: paid
      name: name
      weight: weight
      twice: {expr: "price + price", type: "decimal(38,2)"}
      finer: {expr: "price * price", type: "decimal(38,4)"}
      rounded: {expr: "price * price", type: "decimal(38,2)"}
      squared: {expr: "quantity * quantity", type: integer}
      grown: {expr: "weight * weight", type: double}
      less: {expr: "weight - weight", type: double}
dimension_families:
  - {name: free, levels: [price, quantity, paid, name]}
  - name: calendar
    levels: [second, minute, hour, moment, day, week, month, quarter, year]
    edges:
      - {from: moment, to: second, derived_by: SECOND_OF}
      - {from: second, to: minute, derived_by: MINUTE_OF}
      - {from: minute, to: hour, derived_by: HOUR_OF}
      - {from: hour, to: day, derived_by: DAY_OF}
      - {from: day, to: week, derived_by: WEEK_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: quarter, derived_by: QUARTER_OF}
      - {from: quarter, to: year, derived_by: YEAR_OF}
metric_families:
  - {name: n, family_root: {schema: lines}}
"""
SUMS = {
    "total": "price",
    "pieces": "quantity",
    "mass": "weight",
    "doubled": "twice",
    "fine": "finer",
    "coarse": "rounded",
    "squares": "squared",
    "growth": "grown",
    "lessened": "less",
}
COLLECTION += "".join(
    f"  - name: {name}\n    family_root: {{schema: lines, column: {column}}}\n"
    "    ip_reducers: [{operator: SUM, a_block: []}]\n"
    for name, column in SUMS.items()
)
TABLE = """
CREATE TABLE lines (
    line INTEGER, price DECIMAL(12, 2), quantity BIGINT, day DATE, moment TIMESTAMP,
    paid BOOLEAN, name TEXT, weight REAL
)
"""
COLUMNS = ("line", "price", "quantity", "day", "moment", "paid", "name", "weight")


def write(path, rows, *, journal="DELETE", price="DECIMAL(12, 2)"):
    """Write the file anew; each row is a mapping, and what it leaves out is NULL."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute(TABLE.replace("DECIMAL(12, 2)", price))
        add(connection, rows)


def held_files():
    """Return how many files the process keeps descriptors of beside SQLite."""
    return len(DESCRIPTORS._files)


def add(connection, rows):
    """Insert rows and commit."""
    values = [[row.get(name) for name in COLUMNS] for row in rows]
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.commit()


class Till:
    """A back-end on a file whose decimals are scaled, and an engine that remembers nothing."""

    def __init__(self, path, form=DecimalForm.SCALED):
        self.backend = SQLiteBackend(path, form=form)
        collection = read_collection(COLLECTION)
        self.engine = MetricEngine(collection, path.parent / "store", self.backend, enabled=False)
        self._serving = Runtime("test", {"till": self.engine})

    def table(self, query, *values):
        return answer(Request(query, tuple(enumerate(values))), self._serving).table

    def rows(self, query, *values):
        return [tuple(row.values()) for row in self.table(query, *values).to_pylist()]

    def one(self, query, *values):
        (row,) = self.rows(query, *values)
        (value,) = row
        return value

    def close(self):
        self._serving.close()
        self.backend.close()
