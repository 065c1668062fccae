"""Texts of a column whose database holds some of them equal: each is a member of its own.

The numbers are added by hand from the six rows below.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from flightframe_server.answer import Request, answer
from flightframe_server.app import open_installation

AC = """
version: 1
name: shop
schemas:
  - {name: sales, table: sales, grain: [sale],
     columns: {sale: id, shop: shop, amount: amount, tag: tag}}
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, region: region}}
dimension_families:
  - {name: place, levels: [shop, region], edges: [{from: shop, to: region, via: shops}]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: tag, family_root: {schema: sales, column: tag},
     ip_reducers: [{operator: COUNT_DISTINCT, a_block: []}, {operator: MIN, a_block: []}]}
"""
ROWS = """
INSERT INTO sales VALUES (1, 'a', 1, 'x'), (2, 'A', 2, 'X'), (3, 'b', 4, 'y'), (4, 'B', 8, 'x'),
  (5, 'a', 16, 'X'), (6, NULL, 32, NULL);
INSERT INTO shops VALUES ('a', 'North'), ('A', 'north'), ('b', 'North'), ('B', 'South');
"""
TABLES = """
CREATE TABLE sales (id INTEGER, shop {text} {collated}, amount INTEGER, tag {text} {collated});
CREATE TABLE shops (shop {text} {collated} {key}, region {text} {collated});
"""
ANSWERS = {
    "SELECT amount AT shop": {("a", 17), ("A", 2), ("b", 4), ("B", 8), (None, 32)},
    "SELECT amount AT region": {("North", 21), ("north", 2), ("South", 8), (None, 32)},
    "SELECT amount WHERE shop = 'a' AT ()": {(17,)},
    "SELECT amount WHERE shop IN ('A', 'b') AT ()": {(6,)},
    "SELECT amount WHERE region = 'North' AT ()": {(21,)},
    "SELECT amount WHERE shop <> 'a' AT ()": {(14,)},
    "SELECT amount WHERE shop LIKE 'a%' AT ()": {(17,)},
    "SELECT COUNT_DISTINCT(tag) AS n AT ()": {(3,)},
    # Capitals stand before small letters.
    "SELECT MIN(tag) AS least AT shop": {
        ("a", "X"),
        ("A", "X"),
        ("b", "y"),
        ("B", "x"),
        (None, None),
    },
}


def duckdb_file(path: Path, collated: str) -> None:
    with closing(duckdb.connect(str(path))) as database:
        # Under a collation, its own key holds 'a' and 'A' apart.
        database.execute(TABLES.format(text="VARCHAR", collated=collated, key="PRIMARY KEY") + ROWS)


def sqlite_file(path: Path, collated: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        # Under a collation, a key of its own would refuse 'A' beside 'a'.
        database.executescript(TABLES.format(text="TEXT", collated=collated, key="") + ROWS)


@pytest.fixture(
    params=[
        ("duckdb", duckdb_file, ""),
        ("duckdb", duckdb_file, "COLLATE NOCASE"),
        ("duckdb", duckdb_file, 'COLLATE "noaccent.nocase"'),
        ("sqlite", sqlite_file, "COLLATE NOCASE"),
    ],
    ids=["plain", "duckdb", "duckdb-chained", "sqlite"],
)
def installation(request, tmp_path: Path) -> Path:
    kind, make, collated = request.param
    make(tmp_path / "shop.db", collated)
    (tmp_path / "ac.yaml").write_text(AC)
    manifest = tmp_path / "installation.yaml"
    manifest.write_text(
        f"id: shop\ncollections: [ac.yaml]\nbackend: {{type: {kind}, source: shop.db}}\n"
    )
    return manifest


@pytest.mark.parametrize("text", ANSWERS)
@pytest.mark.parametrize("first", ["", "SELECT amount AT (shop, region)"], ids=["cold", "rolled"])
def test_each_text_is_a_member_of_its_own(installation, text, first):
    opened = open_installation(installation)
    try:
        if first:
            answer(Request(first), opened.runtime)
        # The second time the look-up's column is known to be unique.
        for _ in range(2):
            table = answer(Request(text), opened.runtime).table
            assert table is not None
            assert set(zip(*table.to_pydict().values(), strict=True)) == ANSWERS[text]
    finally:
        opened.close()
