"""The five retail tables, generated: the same values in every run and on every machine.

What comes in: nothing. What goes out: five Arrow tables with declared schemas, no NULL in them, in
the row counts and with the totals that the walkthrough publishes. It must never read a file, a
clock or the environment, and never hold a float.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.demo.categories import CATEGORIES
from flightframe_server.demo.products import products
from flightframe_server.demo.randomness import Stream, between, words
from flightframe_server.demo.stores import STORES, store_id
from flightframe_server.demo.trading_days import MONTH_COUNT, MONTH_STOCK, months
from flightframe_server.demo.transactions import transactions

MONEY = pa.decimal128(12, 2)


def _declared(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


# In the order in which the tables are listed and loaded.
SCHEMAS: dict[str, pa.Schema] = {
    "products": _declared(
        sku=pa.string(), name=pa.string(), category=pa.string(), list_price=MONEY
    ),
    "region_daily_summary": _declared(
        region=pa.string(), day=pa.date32(), revenue=MONEY, cost=MONEY
    ),
    "store_monthly_inventory": _declared(
        store_id=pa.string(), month=pa.date32(), on_hand=pa.int64()
    ),
    "stores": _declared(
        store_id=pa.string(),
        region=pa.string(),
        name=pa.string(),
        city=pa.string(),
        opened=pa.date32(),
        square_metres=pa.int64(),
    ),
    "transactions": _declared(
        transaction_id=pa.int64(),
        store_id=pa.string(),
        sku=pa.string(),
        day=pa.date32(),
        quantity=pa.int64(),
        revenue=MONEY,
        cost=MONEY,
    ),
}
_PIECES_PER_SQUARE_METRE = 7


def generate() -> dict[str, pa.Table]:
    """Return the five tables by name, in the order of `SCHEMAS`, each sorted by its key.

    `transactions` is sorted by transaction_id, and so by day as well.
    """
    catalogue = products()
    facts = transactions(catalogue)
    frames = {
        "products": _products(catalogue),
        "region_daily_summary": _region_daily_summary(facts),
        "store_monthly_inventory": _store_monthly_inventory(),
        "stores": _stores(),
        "transactions": _transactions(facts, catalogue),
    }
    return {name: _table(frames[name], schema) for name, schema in SCHEMAS.items()}


def _products(catalogue: pl.DataFrame) -> pl.DataFrame:
    categories = pl.Series([category.name for category in CATEGORIES])
    return catalogue.select(
        "sku",
        "name",
        category=categories.gather(catalogue["category"]),
        list_price="list_price_cents",
    )


def _stores() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "store_id": _store_ids(),
            "region": _regions(),
            "name": [store.name for store in STORES],
            "city": [store.city for store in STORES],
            "opened": [store.opened for store in STORES],
            "square_metres": [store.square_metres for store in STORES],
        }
    )


def _transactions(facts: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    return facts.select(
        "transaction_id",
        _store_ids().gather(facts["store"]).alias("store_id"),
        catalogue["sku"].gather(facts["product"]).alias("sku"),
        "day",
        "quantity",
        revenue="revenue_cents",
        cost="cost_cents",
    )


def _region_daily_summary(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the detail's sums: a table of its own, but never a number of its own."""
    return (
        facts.select(
            _regions().gather(facts["store"]).alias("region"),
            "day",
            revenue="revenue_cents",
            cost="cost_cents",
        )
        .group_by("region", "day")
        .agg(pl.col("revenue", "cost").sum())
        .sort("region", "day")
    )


def _store_monthly_inventory() -> pl.DataFrame:
    """Return the pieces that each store has in stock on the first of each month."""
    cells = pl.int_range(len(STORES) * MONTH_COUNT, eager=True, dtype=pl.Int64)
    store, month = cells // MONTH_COUNT, cells % MONTH_COUNT
    calendar = pl.Series(months(), dtype=pl.Date).gather(month)
    season = pl.Series(MONTH_STOCK, dtype=pl.Int64).gather(calendar.dt.month().cast(pl.Int64) - 1)
    size = pl.Series([place.square_metres for place in STORES], dtype=pl.Int64).gather(store)
    noise = between(words(Stream.STOCK, cells), 910, 1090)
    return pl.DataFrame(
        {
            "store_id": _store_ids().gather(store),
            "month": calendar,
            "on_hand": size * _PIECES_PER_SQUARE_METRE * season * noise // 100_000,
        }
    )


def _store_ids() -> pl.Series:
    return pl.Series([store_id(position) for position in range(len(STORES))])


def _regions() -> pl.Series:
    return pl.Series([store.region for store in STORES])


def _table(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame as an Arrow table of the declared schema; money comes in as cents."""
    columns = []
    for field in schema:
        values = frame[field.name].to_arrow()
        columns.append(_money(values) if field.type == MONEY else values.cast(field.type))
    return pa.table(columns, schema=schema)


def _money(cents: pa.Array[Any]) -> pa.Array[Any]:
    """Return whole cents as DECIMAL(12,2), exactly."""
    return pc.multiply(cents.cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.01"))).cast(MONEY)
