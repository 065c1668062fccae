"""Questions at the very grain of a table: nothing is grouped where nothing shares a point.

The rows are written out, and what is expected of them is added by hand.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from decimal import Decimal

import duckdb
import pytest

from flightframe_server.answer import Request, answer
from flightframe_server.app import open_installation
from flightframe_server.planner.plan import Freshness

AC = """
version: 1
name: shop
schemas:
  - {{name: sales, table: sales, grain: [sale, shop], attest: {attest},
     columns: {{sale: sale, shop: shop, amount: amount, size: size, day: day}}}}
  - {{name: shops, table: shops, grain: [shop], columns: {{shop: shop, region: region}}}}
dimension_families:
  - {{name: place, levels: [shop, region], edges: [{{from: shop, to: region, via: shops}}]}}
metric_families:
  - {{name: amount, family_root: {{schema: sales, column: amount}},
     ip_reducers: [{{operator: SUM, a_block: [], default: true}}, {{operator: COUNT, a_block: []}},
       {{operator: AVG, a_block: []}}, {{operator: MIN, a_block: []}}]}}
  - {{name: size, family_root: {{schema: sales, column: size}},
     ip_reducers: [{{operator: SUM, a_block: [], default: true}}, {{operator: MAX, a_block: []}},
       {{operator: COUNT_DISTINCT, a_block: []}}, {{operator: MEDIAN, a_block: []}}]}}
"""
TABLES = """
CREATE TABLE sales (sale INTEGER, shop VARCHAR, amount DECIMAL(12, 2), size DOUBLE, day DATE);
CREATE TABLE shops (shop VARCHAR, region VARCHAR);
INSERT INTO shops VALUES ('a', 'North'), ('b', 'South');
INSERT INTO sales VALUES (1, 'a', 1.25, -0.0, '2024-01-01'), (1, 'b', NULL, 2.5, '2024-01-02'),
  (2, 'a', 4.00, NULL, NULL), (3, NULL, 8.50, 0.5, '2024-01-01'), (4, 'z', NULL, NULL, NULL);
"""


COLD = Freshness(no_cache=True)


@contextmanager
def served(folder, more="", attest="always"):
    with closing(duckdb.connect(str(folder / "shop.duckdb"))) as database:
        database.execute(TABLES + more)
    (folder / "ac.yaml").write_text(AC.format(attest=attest), encoding="utf-8")
    manifest = folder / "installation.yaml"
    manifest.write_text(
        "id: shop\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: ./shop.duckdb}\n",
        encoding="utf-8",
    )
    opened = open_installation(manifest)

    def ask(text):
        table = answer(Request(text, freshness=COLD), opened.runtime).table
        return [tuple(row.values()) for row in table.to_pylist()]

    try:
        yield ask
    finally:
        opened.close()


def groups(ask, question) -> bool:
    """Whether the statement for a question groups."""
    ask(question)
    return any("GROUP BY" in str(row) for row in ask(f"EXPLAIN {question}"))


D = Decimal
QUESTIONS = {
    "SELECT sale, shop, amount AT (sale, shop)": [
        (1, "a", D("1.25")),
        (1, "b", None),
        (2, "a", D("4.00")),
        (3, None, D("8.50")),
        (4, "z", None),
    ],
    "SELECT sale, shop, COUNT(amount) AS n, AVG(amount) AS mean, MIN(amount) AS least,"
    " COUNT(*) AS rows AT (sale, shop)": [
        (1, "a", 1, 1.25, D("1.25"), 1),
        (1, "b", 0, None, None, 1),
        (2, "a", 1, 4.0, D("4.00"), 1),
        (3, None, 1, 8.5, D("8.50"), 1),
        (4, "z", 0, None, None, 1),
    ],
    "SELECT sale, shop, region, SUM(size) AS s, COUNT_DISTINCT(size) AS d AT (sale, shop, region)"
    " WHERE sale < 4": [
        (1, "a", "North", 0.0, 1),
        (1, "b", "South", 2.5, 1),
        (2, "a", "North", None, 0),
        (3, None, None, 0.5, 1),
    ],
    "SELECT sale, shop, SUM(amount) FILTER (WHERE region = 'North') AS north AT (sale, shop)": [
        (1, "a", D("1.25")),
        (1, "b", None),
        (2, "a", D("4.00")),
        (3, None, None),
        (4, "z", None),
    ],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_row_is_a_point_of_its_own(tmp_path, question):
    with served(tmp_path) as ask:
        assert sorted(map(str, ask(question))) == sorted(map(str, QUESTIONS[question]))
        assert not groups(ask, question)


@pytest.mark.parametrize(
    "question",
    [
        "SELECT sale, amount AT sale",
        "SELECT shop, amount AT shop",
        "SELECT sale, region, amount AT (sale, region)",
        # A median is of doubles, and made where the rows are reduced.
        "SELECT sale, shop, MEDIAN(size) AS m AT (sale, shop)",
    ],
)
def test_elsewhere_rows_are_grouped(tmp_path, question):
    with served(tmp_path) as ask:
        assert groups(ask, question)


DOUBLED = "INSERT INTO sales VALUES (2, 'a', 100.00, 7, NULL);"


def test_where_a_point_stands_on_two_rows_it_is_refused(tmp_path):
    with (
        served(tmp_path, DOUBLED) as ask,
        pytest.raises(Exception, match="stands on several rows"),
    ):
        ask("SELECT sale, shop, amount AT (sale, shop)")


def test_what_is_only_trusted_is_grouped(tmp_path):
    with served(tmp_path, DOUBLED, attest="trusted") as ask:
        rows = ask("SELECT sale, shop, amount AT (sale, shop)")
        assert (2, "a", D("104.00")) in rows
        assert len(rows) == 5
        assert groups(ask, "SELECT sale, shop, amount AT (sale, shop)")
