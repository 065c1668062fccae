"""The 523,023 transactions of the retail demonstration, calibrated to the published totals.

What comes in: stores, products, trading days and the draws. What goes out: one frame, a row per
transaction, amounts in whole cents. It must never hold a float, and never leave a trading day of a
region without a transaction.

A transaction is one line of a till receipt. Its price is the list price less the week's promotion;
a return mirrors a sale with negative quantity, revenue and cost.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.demo.calibration import apportioned, calibrated
from flightframe_server.demo.categories import CATEGORIES
from flightframe_server.demo.products import season_tables
from flightframe_server.demo.randomness import Stream, WeightTables, below, between, words
from flightframe_server.demo.stores import STORES
from flightframe_server.demo.trading_days import DAY_COUNT, day_trade, days

TRANSACTION_COUNT = 523_023
# The totals that the walkthrough shows for Central, in cents.
CALIBRATED_REGION = "Central"
CALIBRATED_REVENUE_CENTS = 386_863_636
CALIBRATED_COST_CENTS = 271_083_020

# Weights of 1 to 12 pieces: single pieces, then goods that are bought in bulk.
_QUANTITIES = (
    (868, 98, 19, 9, 1, 4, 0, 0, 0, 0, 0, 1),
    (571, 236, 82, 58, 11, 29, 1, 4, 0, 2, 0, 6),
)
_RETURNED_QUANTITY_MAX = 2
_PROMOTION_PERCENT = (0, 5, 10, 15, 20)
_PROMOTION_WEIGHTS = (846, 34, 62, 38, 20)
_WEEKS_MAX = 100
# Cell weights are scaled down: their running sum times the row count has to stay within 64 bits.
_CELL_SCALE = 10_000_000_000
# Freight and rent: what a piece costs in a region, in per mille of its plain unit cost.
_REGION_COST_PER_MILLE = {"Central": 1014, "East": 1023, "West": 1002}


def transactions(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return the transactions.

    Args:
        catalogue: the products, as `products` returns them.

    Returns:
        Rows in order of day and transaction_id: transaction_id (from 1), store (position), product
        (position), day, quantity, revenue_cents, cost_cents.
    """
    sold = _with_products(_visits(), catalogue)
    priced = _with_amounts(sold, catalogue)
    return _calibrated(priced).select(
        "transaction_id", "store", "product", "day", "quantity", "revenue_cents", "cost_cents"
    )


def _visits() -> pl.DataFrame:
    """Return one row per transaction: its id, its day and its store."""
    counts = apportioned(_cell_trade(), TRANSACTION_COUNT)
    cells = pl.int_range(len(counts), eager=True, dtype=pl.Int64)
    cell = pl.DataFrame({"cell": cells, "count": counts}).select(
        pl.col("cell").repeat_by("count").explode()
    )["cell"]
    serial = pl.int_range(TRANSACTION_COUNT, eager=True, dtype=pl.Int64)
    stores = len(STORES)
    visits = pl.DataFrame(
        {
            "day_index": cell // stores,
            "store": cell % stores,
            "till": words(Stream.TILL_ORDER, serial),
            "serial": serial,
        }
    ).sort("day_index", "till", "serial")
    calendar = pl.Series(days(), dtype=pl.Date)
    return visits.select(
        (serial + 1).alias("transaction_id"),
        "day_index",
        "store",
        calendar.gather(visits["day_index"]).alias("day"),
    )


def _cell_trade() -> pl.Series:
    """Return the weight of each (day, store), day by day: store x day x both their noises."""
    stores = len(STORES)
    day_noise = between(words(Stream.DAY_TRADE, _range(DAY_COUNT)), 93, 107).to_list()
    noise = between(words(Stream.CELL_TRADE, _range(DAY_COUNT * stores)), 86, 114).to_list()
    weights = [
        trade * day_noise[day] * store.trade * noise[day * stores + index]
        for day, trade in enumerate(day_trade())
        for index, store in enumerate(STORES)
    ]
    return pl.Series([weight // _CELL_SCALE for weight in weights], dtype=pl.Int64)


def _range(count: int) -> pl.Series:
    return pl.int_range(count, eager=True, dtype=pl.Int64)


def _with_products(visits: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Add the product, how many pieces, and whether they came back."""
    ids = visits["transaction_id"]
    month = visits["day"].dt.month().cast(pl.Int64) - 1
    product = season_tables(catalogue).pick(words(Stream.PRODUCT, ids), month)
    category = catalogue["category"].gather(product)
    bulk = pl.Series([category.bulk for category in CATEGORIES], dtype=pl.Int64)
    pieces = WeightTables.of(_QUANTITIES).pick(words(Stream.QUANTITY, ids), bulk.gather(category))
    limits = pl.Series([category.returned_per_mille for category in CATEGORIES], dtype=pl.Int64)
    returned = below(words(Stream.RETURN, ids), 1000).cast(pl.Int64) < limits.gather(category)
    sold = pieces + 1
    quantity = (-sold.clip(upper_bound=_RETURNED_QUANTITY_MAX)).zip_with(returned, sold)
    return visits.with_columns(product=product, quantity=quantity)


def _with_amounts(sold: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Add revenue and cost, in cents."""
    week = (sold["day_index"] + 6) // 7
    promotion = words(Stream.PROMOTION, sold["product"] * _WEEKS_MAX + week)
    table = WeightTables.of([_PROMOTION_WEIGHTS])
    step = table.pick(promotion, pl.zeros(len(sold), dtype=pl.Int64, eager=True))
    percent = pl.Series(_PROMOTION_PERCENT, dtype=pl.Int64).gather(step)
    listed = catalogue["list_price_cents"].gather(sold["product"])
    price = listed - listed * percent // 100
    regional = pl.Series([_REGION_COST_PER_MILLE[store.region] for store in STORES], dtype=pl.Int64)
    unit_cost = catalogue["unit_cost_cents"].gather(sold["product"])
    cost = unit_cost * regional.gather(sold["store"]) // 1000
    return sold.with_columns(
        revenue_cents=price * sold["quantity"], cost_cents=cost * sold["quantity"]
    )


def _calibrated(priced: pl.DataFrame) -> pl.DataFrame:
    """Scale the calibrated region's revenue and cost to its published totals."""
    central = pl.Series([store.region == CALIBRATED_REGION for store in STORES])
    chosen = central.gather(priced["store"])
    return priced.with_columns(
        revenue_cents=calibrated(priced["revenue_cents"], chosen, CALIBRATED_REVENUE_CENTS),
        cost_cents=calibrated(priced["cost_cents"], chosen, CALIBRATED_COST_CENTS),
    )
