"""Saved frames as tables of SQL: on each back-end, what SQL over their rows gives.

The rows are those of views over the flat table of facts, written in SQL by hand.
"""

from __future__ import annotations

import sqlite3

import pytest
from bi_world import FLAT, World, same_rows

from flightframe_server.call_context import SERVER_CALL
from flightframe_server.discovery.describe import describe
from flightframe_server.discovery.request import DescribeRequest
from flightframe_server.engine.together import Asker
from flightframe_server.errors import FlightframeError
from flightframe_server.request import Request
from flightframe_server.sql.catalogue_query import meaning
from flightframe_server.sql.texts import type_text

FRAMES = """
frames:
  - name: by_region
    description: What each region sold.
    query: SELECT region, SUM(revenue) AS total_revenue, COUNT(DISTINCT store) AS stores AT region
  - name: by_month
    query: |
      SELECT month, revenue, units AT month HAVING units > 40 ORDER BY revenue DESC
  - name: best
    query: >-
      SELECT product, SUM(revenue) AS r WHERE product IS NOT NULL
      AT product ORDER BY r DESC LIMIT 3
  - name: Whole
    query: SELECT SUM(revenue) AS r, AVG(units) AS u AT ()
  - name: subtotals
    query: SELECT region, category, SUM(units) AS u AT ROLLUP (region, category)
  - name: by_year
    query: SELECT y, SUM(cost) AS c AT (EXTRACT(year FROM day) AS y)
  - name: stock
    query: SELECT region, month, on_hand, units AT (region, month)
"""
VIEWS = """
CREATE VIEW retail_full.by_region AS
SELECT region, SUM(revenue) AS total_revenue, COUNT(DISTINCT store) AS stores
FROM retail_full.metrics GROUP BY region;
CREATE VIEW retail_full.by_month AS
SELECT month, SUM(revenue) AS revenue, SUM(units) AS units
FROM retail_full.metrics GROUP BY month HAVING SUM(units) > 40;
CREATE VIEW retail_full.best AS
SELECT product, SUM(revenue) AS r FROM retail_full.metrics WHERE product IS NOT NULL
GROUP BY product ORDER BY r DESC LIMIT 3;
CREATE VIEW retail_full.whole AS
SELECT SUM(revenue) AS r, AVG(units) AS u FROM retail_full.metrics;
CREATE VIEW retail_full.subtotals AS
SELECT region, category, SUM(units) AS u FROM retail_full.metrics
GROUP BY ROLLUP (region, category);
CREATE VIEW retail_full.by_year AS
SELECT EXTRACT(year FROM day) AS y, SUM(cost) AS c FROM retail_full.metrics GROUP BY y;
CREATE VIEW retail_full.stock AS
SELECT COALESCE(h.region, t.region) AS region, COALESCE(h.month, t.month) AS month, h.on_hand,
    t.units FROM
    (SELECT region, month, SUM(on_hand) AS on_hand FROM retail_full.store_monthly_inventory
     GROUP BY region, month) h
FULL JOIN (SELECT region, month, SUM(units) AS units FROM retail_full.metrics
     GROUP BY region, month) t
ON h.region IS NOT DISTINCT FROM t.region AND h.month IS NOT DISTINCT FROM t.month;
"""
NAMES = ("by_region", "by_month", "best", "Whole", "subtotals", "by_year", "stock")

WHOLE = {
    "star": "SELECT * FROM {}",
    "more rows than there are": "SELECT * FROM {} LIMIT 100000",
    "qualified star": 'SELECT "$Table".* FROM "retail_full"."{}" "$Table" LIMIT 100000',
}

COMPUTED = {
    "condition": (
        "SELECT region, total_revenue FROM by_region WHERE region <> 'East' ORDER BY 2 DESC"
    ),
    "one column": "SELECT region FROM by_region",
    "another order": "SELECT stores, region, total_revenue FROM by_region",
    "renamed": "SELECT region AS r, total_revenue AS t, stores AS s FROM by_region",
    "a sum": "SELECT SUM(total_revenue) AS s FROM by_region",
    "rows": "SELECT COUNT(*) AS n FROM by_region",
    "no rows": "SELECT COUNT(*) AS n FROM by_month WHERE 1 = 0",
    "groups": (
        "SELECT stores, COUNT(*) AS n, MAX(total_revenue) AS m FROM by_region GROUP BY stores"
    ),
    "having": "SELECT category, SUM(u) AS s FROM subtotals GROUP BY category HAVING SUM(u) > 100",
    "distinct": "SELECT DISTINCT stores FROM by_region",
    "window": "SELECT month, SUM(revenue) OVER (ORDER BY month NULLS FIRST) AS s FROM by_month",
    "rank": "SELECT region, RANK() OVER (ORDER BY total_revenue DESC) AS p FROM by_region",
    "two frames": (
        "SELECT s.region, s.u, b.stores FROM subtotals s JOIN by_region b ON s.region = b.region"
    ),
    "itself": (
        "SELECT a.region, b.stores FROM by_region a LEFT JOIN by_region b"
        " ON a.region IS NOT DISTINCT FROM b.region"
    ),
    "an answer": (
        "SELECT q.region, q.u, b.total_revenue FROM (SELECT region, SUM(units) AS u FROM metrics"
        " GROUP BY region) q LEFT JOIN by_region b ON q.region = b.region"
    ),
    "facts": (
        "SELECT m.region, SUM(m.units) AS u, b.total_revenue AS t FROM metrics m"
        " JOIN by_region b ON m.region = b.region GROUP BY m.region, b.total_revenue"
    ),
    "union": "SELECT region, stores FROM by_region UNION ALL SELECT product, 0 FROM best",
    "except": "SELECT region FROM subtotals EXCEPT SELECT region FROM by_region WHERE stores > 1",
    "a share": "SELECT product, r / (SELECT SUM(r) FROM best) AS share FROM best",
    "one row": "SELECT b.product, w.u FROM best b CROSS JOIN Whole w",
    "sub-select": "SELECT region, SUM(t) AS t FROM (SELECT region, total_revenue AS t FROM"
    ' by_region) "$Table" GROUP BY region',
    "with": "WITH f AS (SELECT * FROM by_region LIMIT 50) SELECT region FROM f WHERE stores > 1",
    "members": (
        "SELECT region, SUM(revenue) AS r FROM metrics WHERE product IN (SELECT product FROM best)"
        " GROUP BY region"
    ),
    "not among members": (
        "SELECT product, SUM(units) AS u FROM metrics WHERE product NOT IN"
        " (SELECT product FROM best WHERE r > 0) GROUP BY product"
    ),
    "members of rows": "SELECT * FROM stock WHERE region IN (SELECT region FROM by_region)",
    "truncated": "SELECT DATE_TRUNC('year', month) AS y, SUM(units) AS u FROM by_month GROUP BY 1",
    "in any case": "SELECT By_Region.REGION AS r, STORES AS s FROM BY_REGION",
    "three parts": (
        "SELECT retail_full.by_region.region, sum(retail_full.by_region.stores) AS s"
        " FROM retail_full.by_region GROUP BY retail_full.by_region.region"
    ),
    "rows of a table": "SELECT s.store, b.stores FROM stores s LEFT JOIN by_region b"
    " ON s.region = b.region",
    "another month": (
        "SELECT a.month, a.units - b.units AS d FROM by_month a LEFT JOIN by_month b"
        " ON a.month = b.month + INTERVAL '1 month'"
    ),
    "above a frame": (
        "SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region"
        " HAVING SUM(revenue) > (SELECT AVG(total_revenue) FROM by_region)"
    ),
    "counted": "SELECT COUNT(*) AS n FROM (SELECT * FROM stock) dbvrcnt",
}

ORDERED = {
    "a shorter limit": ("SELECT * FROM best LIMIT 2", True),
    "a longer limit": ("SELECT * FROM best LIMIT 5", True),
    "an offset": ("SELECT * FROM best LIMIT 2 OFFSET 1", True),
    "past its end": ("SELECT * FROM best LIMIT 2 OFFSET 3", False),
    "another order": ("SELECT * FROM best ORDER BY product LIMIT 2", False),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("frames"), flat=FLAT + VIEWS, more=FRAMES)
    yield world
    world.close()


def is_outer(answer) -> bool:
    return any(column.outer for column in answer.provenance.columns)


def check(world, sql, *, outer, ordered=False):
    expected = world.expected(sql)
    for name, served in world.served.items():
        served.forget()
        for cold in (True, False, False):
            answer = served.answer(sql, cold=cold)
            difference = same_rows(answer.table, expected, ordered=ordered)
            assert difference is None, f"{name}, cold {cold}: {sql}\n{difference}"
            assert is_outer(answer) is outer, f"{name}: {sql}"
        assert str(answer.provenance.served_from) == "engine_cache"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", WHOLE.values(), ids=WHOLE.keys())
def test_a_frame_that_is_read_whole_is_its_question(world, shape, name):
    check(world, shape.format(name), outer=False)


@pytest.mark.parametrize("sql", COMPUTED.values(), ids=COMPUTED.keys())
def test_what_is_done_with_a_frame_is_done_with_its_rows(world, sql):
    check(world, sql, outer=True)


@pytest.mark.parametrize(("sql", "whole"), ORDERED.values(), ids=ORDERED.keys())
def test_a_frame_with_an_order_and_a_limit_keeps_both(world, sql, whole):
    check(world, sql, outer=not whole, ordered=True)


@pytest.mark.parametrize(
    "select", ["SELECT * FROM by_region", "SELECT region, u FROM (SELECT * FROM by_region) q"]
)
def test_a_name_of_with_hides_a_frame(world, select):
    own = "SELECT region, SUM(units) AS u FROM metrics GROUP BY region"
    check(world, f"WITH by_region AS ({own}) {select}", outer=False)


def test_pages_of_a_frame_are_all_of_it_and_none_twice(world):
    expected = world.expected("SELECT * FROM stock")
    for served in world.served.values():
        pages = [
            served.table(f"SELECT * FROM stock LIMIT 7 OFFSET {at}")
            for at in range(0, expected.num_rows + 7, 7)
        ]
        rows = [row for page in pages for row in page.to_pylist()]
        assert len(rows) == expected.num_rows
        assert len({(row["region"], row["month"]) for row in rows}) == expected.num_rows


def test_a_limit_may_be_bound(world):
    for served in world.served.values():
        for name in ("by_region", "best"):
            sql = f"SELECT * FROM {name} LIMIT ? OFFSET ?"
            assert served.table(sql, (2, 1)).num_rows == 2
            assert served.table(sql, (0, 0)).num_rows == 0


@pytest.mark.parametrize("shape", ["SELECT * FROM {} WHERE 1 = 0", "SELECT * FROM {} LIMIT 0"])
def test_a_probe_gives_the_columns_and_no_rows(world, shape):
    for name in NAMES:
        for served in world.served.values():
            empty = served.table(shape.format(name))
            whole = served.table(f"SELECT * FROM {name}")
            assert empty.num_rows == 0
            assert empty.schema.names == whole.schema.names
            assert empty.schema.types == whole.schema.types


def test_the_columns_that_are_said_are_those_that_are_given(world):
    for served in world.served.values():
        runtime, tables = served.parts()
        for name in NAMES:
            (published,) = (table for table in tables if table.name == name)
            sql = f"SELECT * FROM {name}"
            given = served.answer(sql).schema
            listed = served.table(
                "SELECT column_name, data_type, is_nullable, numeric_precision, numeric_scale"
                f" FROM information_schema.columns WHERE table_name = '{name}'"
                " ORDER BY ordinal_position"
            )
            assert published.schema.names == given.names == listed["column_name"].to_pylist()
            assert published.schema.types == given.types
            assert type_text(Request(sql), runtime, tables).schema.types == given.types
            computed = type_text(Request(f"{sql} ORDER BY 1"), runtime, tables).schema
            assert computed.types == given.types
            assert set(listed["is_nullable"].to_pylist()) == {"YES"}
            for field, row in zip(given, listed.to_pylist(), strict=True):
                said = {key.decode(): value.decode() for key, value in field.metadata.items()}
                assert said["ARROW:FLIGHT:SQL:TYPE_NAME"] == row["data_type"]
                precision, scale = row["numeric_precision"], row["numeric_scale"]
                assert said.get("ARROW:FLIGHT:SQL:PRECISION") in (None, str(precision), "10")
                assert scale is None or said["ARROW:FLIGHT:SQL:SCALE"] == str(scale)


def test_the_catalogue_lists_frames_as_views(world):
    served = world.served["duckdb"]
    sql = "SELECT table_name FROM information_schema.tables WHERE table_type = 'VIEW'"
    assert sorted(served.table(sql)["table_name"].to_pylist()) == sorted(NAMES)
    words = f"{sql} AND table_comment = 'What each region sold.'"
    assert served.table(words)["table_name"].to_pylist() == ["by_region"]
    described = served.table("DESCRIBE by_region")
    assert described["column_name"].to_pylist() == ["region", "total_revenue", "stores"]
    keys = "SELECT table_name FROM information_schema.table_constraints"
    assert not set(NAMES) & set(served.table(keys)["table_name"].to_pylist())


REFUSED = {
    "an unknown column": ("SELECT nope FROM by_region", "UNKNOWN_NAME", (1, 8)),
    "a metric": ("SELECT MEASURE(total_revenue) FROM by_region", "NOT_SUPPORTED", (1, 8)),
    "a level of the facts": ("SELECT category FROM by_region", "UNKNOWN_NAME", (1, 8)),
    "rows of facts": (
        "SELECT b.region FROM by_region b JOIN metrics m ON b.region = m.region",
        "NOT_SUPPORTED",
        (1, 22),
    ),
    "rows that are met twice": (
        "SELECT m.region, m.category, SUM(m.units) AS u, s.u AS t FROM metrics m JOIN subtotals s"
        " ON m.region IS NOT DISTINCT FROM s.region AND m.category IS NOT DISTINCT FROM s.category"
        " GROUP BY m.region, m.category, s.u",
        "NOT_SUPPORTED",
        (1, 78),
    ),
    "a sample": ("SELECT * FROM by_region TABLESAMPLE 10 PERCENT", "NOT_SUPPORTED", (1, 37)),
    "a share of the columns": (
        "SELECT * EXCLUDE (region) FROM by_region",
        "NOT_SUPPORTED",
        (1, 19),
    ),
    "a stranger's star": ("SELECT q.* FROM by_region", "UNKNOWN_NAME", (1, 8)),
}


@pytest.mark.parametrize(("sql", "code", "place"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_answered_is_refused_at_its_place(world, sql, code, place):
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(sql)
    assert caught.value.code == code
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == place


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM metrics LIMIT 200", "SELECT region, revenue FROM retail_full.metrics"]
)
def test_a_preview_of_metrics_names_what_has_rows_in_words(world, sql):
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(sql)
    assert caught.value.code == "NOT_SUPPORTED"
    assert caught.value.message.endswith(
        "; the saved frames have rows: by_region, by_month, best and 4 more"
    )
    assert "by_region" not in (caught.value.hint or "")


def test_a_plan_shows_the_question_of_a_frame(world):
    served = world.served["duckdb"]
    told = served.table("EXPLAIN SELECT * FROM by_region LIMIT 9")["source"].to_pylist()
    asked = (
        "SELECT region, SUM(revenue) AS total_revenue, COUNT(DISTINCT store) AS stores AT region"
    )
    assert told[-1] == f"in Frame-QL: {asked} LIMIT 9"
    told = served.table("EXPLAIN SELECT SUM(stores) AS s FROM by_region")["source"].to_pylist()
    assert f"island 1, in Frame-QL: {asked}" in told
    assert told[-1].startswith("over the islands: ")


def test_a_frame_that_stands_twice_is_asked_once(world):
    runtime, tables = world.served["duckdb"].parts()
    sql = "SELECT a.region FROM by_region a JOIN by_region b ON a.region = b.region"
    assert len(meaning(Request(sql), tables, runtime, "").program.islands) == 1


def test_a_frame_beside_metrics_is_of_their_version(tmp_path, monkeypatch):
    world = World(tmp_path, flat=FLAT + VIEWS, more=FRAMES)
    asked = []
    plain = Asker.ask

    def interrupted(self, resolve, max_rows):
        complete = plain(self, resolve, max_rows)
        asked.append(complete)
        if len(asked) % 2 and len(asked) < 4:
            with sqlite3.connect(world.files[0]) as writer:
                writer.execute(f"UPDATE transactions SET quantity = {len(asked)} * 1000")
        return complete

    monkeypatch.setattr(Asker, "ask", interrupted)
    sql = (
        "SELECT f.s, m.s AS t FROM (SELECT SUM(u) AS s FROM subtotals WHERE region IS NOT NULL"
        " AND category IS NOT NULL) f CROSS JOIN (SELECT SUM(units) AS s FROM metrics"
        " WHERE region IS NOT NULL AND category IS NOT NULL) m"
    )
    try:
        ((first,), (second,)) = (x.to_pylist() for x in world.served["sqlite"].table(sql).columns)
        assert first == second
        assert first % 1000 == 0
        assert len(asked) > 2
    finally:
        world.close()


def test_describe_tells_of_frames(world):
    runtime, _ = world.served["duckdb"].parts()
    for request in (DescribeRequest(name="best"), DescribeRequest(name="best", detail="names")):
        told = describe(request, runtime, SERVER_CALL).decode()
        assert '"frames":[{"name":"best","description":"","query":"SELECT product, ' in told
        assert (
            '"columns":[{"name":"product","type":"text"},{"name":"r","type":"decimal(38,2)"}]'
            in told
        )
