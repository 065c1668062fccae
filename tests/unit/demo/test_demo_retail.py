"""The generated tables, held to the walkthrough's numbers by SQL written by hand."""

import ast
import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flightframe_server.demo

ROWS = {
    "products": 2231,
    "region_daily_summary": 1329,
    "store_monthly_inventory": 195,
    "stores": 13,
    "transactions": 523023,
}
MONEY = pa.decimal128(12, 2)
# BLAKE2b-128 of every value as text. A change of the data is a change of these, and meant.
DIGESTS = {
    "products": "07b99b01a91a09792dbb225a2d553c45",
    "region_daily_summary": "802eb077d428a9293dc83f6f1bca3001",
    "store_monthly_inventory": "a95d0a63a8cacb23b935e2d5aa0550dc",
    "stores": "1cabeb2d5d6c4cbdcbf3a72daeb6f5bf",
    "transactions": "b513a610dbbd1777ea6747822e078229",
}


@pytest.fixture(scope="module")
def sql(tables):
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register(name, table)

    def rows(query):
        return connection.sql(query).fetchall()

    yield rows
    connection.close()


def digest(table):
    """Hash names, types and values: every column as lines of text, so that no platform matters."""
    state = hashlib.blake2b(digest_size=16)
    for field, column in zip(table.schema, table.columns, strict=True):
        texts = column.cast(pa.large_string()).combine_chunks()
        listed = pa.LargeListArray.from_arrays(pa.array([0, len(texts)], pa.int64()), texts)
        state.update(f"{field.name} {field.type}\n".encode())
        state.update(pc.binary_join(listed, pa.scalar("\n", pa.large_string()))[0].as_buffer())
    return state.hexdigest()


def test_the_digest_sees_a_cent():
    one, other = (pa.table({"a": pa.array([Decimal(c)], MONEY)}) for c in ("1.00", "1.01"))
    assert digest(one) != digest(other)


def test_the_values_are_the_same_for_ever(tables):
    assert {name: digest(table) for name, table in tables.items()} == DIGESTS


def test_tables_and_row_counts_are_the_walkthroughs(tables):
    assert {name: table.num_rows for name, table in tables.items()} == ROWS
    assert list(tables) == sorted(tables)


def test_declared_types(tables):
    assert dict(zip(*columns_of(tables["transactions"]), strict=True)) == {
        "transaction_id": pa.int64(),
        "store_id": pa.string(),
        "sku": pa.string(),
        "day": pa.date32(),
        "quantity": pa.int64(),
        "revenue": MONEY,
        "cost": MONEY,
    }
    assert dict(zip(*columns_of(tables["region_daily_summary"]), strict=True)) == {
        "region": pa.string(),
        "day": pa.date32(),
        "revenue": MONEY,
        "cost": MONEY,
    }
    assert dict(zip(*columns_of(tables["store_monthly_inventory"]), strict=True)) == {
        "store_id": pa.string(),
        "month": pa.date32(),
        "on_hand": pa.int64(),
    }


def columns_of(table):
    return table.schema.names, table.schema.types


def test_nothing_is_null(tables):
    assert {column.null_count for table in tables.values() for column in table.columns} == {0}


def test_central_is_exactly_as_published(sql):
    assert sql(
        """SELECT SUM(revenue), SUM(cost), SUM(revenue) - SUM(cost)
           FROM transactions JOIN stores USING (store_id) WHERE region = 'Central'"""
    ) == [(Decimal("3868636.36"), Decimal("2710830.20"), Decimal("1157806.16"))]


def test_other_regions_have_a_similar_margin_of_their_own(sql):
    margins = sql(
        """SELECT region, ROUND(1000 * (1 - SUM(cost) / SUM(revenue)))::INT
           FROM transactions JOIN stores USING (store_id) GROUP BY region ORDER BY region"""
    )
    assert [region for region, _ in margins] == ["Central", "East", "West"]
    assert len({per_mille for _, per_mille in margins}) == 3
    assert all(280 <= per_mille <= 320 for _, per_mille in margins)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("stores", "store_id"),
        ("products", "sku"),
        ("products", "name"),
        ("transactions", "transaction_id"),
        ("store_monthly_inventory", "store_id, month"),
        ("region_daily_summary", "region, day"),
    ],
)
def test_keys_are_unique(sql, table, key):
    assert sql(f"SELECT COUNT(*) FROM (SELECT DISTINCT {key} FROM {table})") == [(ROWS[table],)]


@pytest.mark.parametrize(
    ("table", "key", "parent"),
    [
        ("transactions", "store_id", "stores"),
        ("transactions", "sku", "products"),
        ("store_monthly_inventory", "store_id", "stores"),
    ],
)
def test_every_fact_has_its_parent(sql, table, key, parent):
    assert sql(f"SELECT COUNT(*) FROM {table} ANTI JOIN {parent} USING ({key})") == [(0,)]
    assert sql(f"SELECT COUNT(*) FROM {parent} ANTI JOIN {table} USING ({key})") == [(0,)]


def test_the_summary_is_the_detail(sql):
    detail = """SELECT region, day, SUM(revenue) AS revenue, SUM(cost) AS cost
                FROM transactions JOIN stores USING (store_id) GROUP BY region, day"""
    stored = "SELECT region, day, revenue, cost FROM region_daily_summary"
    assert sql(f"({detail}) EXCEPT ALL ({stored})") == []
    assert sql(f"({stored}) EXCEPT ALL ({detail})") == []


def test_the_summary_is_dense(sql):
    assert sql(
        """SELECT region, COUNT(DISTINCT day), MIN(day), MAX(day), MAX(day) - MIN(day) + 1
           FROM region_daily_summary GROUP BY region ORDER BY region"""
    ) == [
        (region, 443, date(2023, 1, 1), date(2024, 3, 18), 443)
        for region in ("Central", "East", "West")
    ]


def test_the_inventory_is_dense_over_the_months_of_trade(sql):
    assert sql(
        """SELECT COUNT(DISTINCT store_id), COUNT(DISTINCT month), MIN(month), MAX(month),
                  BOOL_AND(month = DATE_TRUNC('month', month)), MIN(on_hand) > 0
           FROM store_monthly_inventory"""
    ) == [(13, 15, date(2023, 1, 1), date(2024, 3, 1), True, True)]


def test_sales_cost_less_than_they_bring_and_returns_mirror_them(sql):
    assert sql(
        """SELECT COUNT(*) FILTER (WHERE quantity > 0 AND 0 < cost AND cost < revenue)
                + COUNT(*) FILTER (WHERE quantity < 0 AND 0 > cost AND cost > revenue)
           FROM transactions"""
    ) == [(523023,)]


def test_two_to_three_per_cent_come_back(sql):
    [(per_mille,)] = sql("SELECT 1000 * AVG((quantity < 0)::INT) FROM transactions")
    assert 20 <= per_mille <= 30


def test_no_calibrated_row_looks_odd(sql):
    # Nine rows in ten are the list price less a promotion; the rest, by a cent or a hundredth
    # of a per cent.
    assert sql(
        """WITH steps(percent) AS (VALUES (0), (5), (10), (15), (20)),
                priced AS (SELECT transaction_id, ANY_VALUE(ABS(revenue)) AS amount,
                                  MIN(ABS(100 * revenue - quantity * (
                               100 * list_price - FLOOR(list_price * percent)))) AS cents_off
                           FROM transactions JOIN stores USING (store_id)
                                JOIN products USING (sku), steps
                           WHERE region = 'Central' GROUP BY transaction_id)
           SELECT BOOL_AND(cents_off <= 1 + amount / 100),
                  AVG((cents_off = 0)::INT) > 0.9
           FROM priced"""
    ) == [(True, True)]


def test_rows_run_by_day_and_transaction(sql, tables):
    ids = tables["transactions"]["transaction_id"]
    assert ids.equals(pa.chunked_array([pa.array(range(1, 523024), pa.int64())]))
    days = tables["transactions"]["day"].cast(pa.int32())
    assert pc.min(pc.pairwise_diff(days.combine_chunks())).as_py() == 0


def test_trade_has_a_week_a_year_and_favourites(sql):
    [(saturday, tuesday)] = sql(
        """SELECT COUNT(*) FILTER (WHERE ISODOW(day) = 6), COUNT(*) FILTER (WHERE ISODOW(day) = 2)
           FROM transactions"""
    )
    assert saturday > 1.4 * tuesday
    [(december, february)] = sql(
        """SELECT COUNT(*) FILTER (WHERE MONTH(day) = 12) / 31,
                  COUNT(*) FILTER (WHERE MONTH(day) = 2 AND YEAR(day) = 2023) / 28
           FROM transactions"""
    )
    assert december > 1.4 * february
    [(top_tenth,)] = sql(
        """SELECT SUM(sold) FILTER (WHERE place <= 223) / SUM(sold) FROM (
               SELECT COUNT(*) AS sold, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC) AS place
               FROM transactions GROUP BY sku)"""
    )
    assert 0.4 < top_tenth < 0.8
    [(largest, smallest)] = sql(
        """SELECT MAX(sold), MIN(sold) FROM (
               SELECT COUNT(*) AS sold FROM transactions GROUP BY store_id)"""
    )
    assert largest > 3 * smallest


def test_no_float_makes_a_value():
    folder = Path(flightframe_server.demo.__file__).parent
    modules = [path for path in sorted(folder.glob("*.py")) if path.name in GENERATING]
    assert len(modules) == len(GENERATING)
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Div), f"true division in {path.name}"
            constant = isinstance(node, ast.Constant) and isinstance(node.value, float)
            named = isinstance(node, ast.Name | ast.Attribute) and "float" in ast.unparse(node)
            assert not constant, f"float {node} in {path.name}"
            assert not named, f"the float type in {path.name}"


GENERATING = {
    "calibration.py",
    "categories.py",
    "products.py",
    "randomness.py",
    "retail.py",
    "stores.py",
    "trading_days.py",
    "transactions.py",
}
