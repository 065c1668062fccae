"""The 2,231 products of the retail demonstration, with prices, costs and popularity.

What comes in: the categories and the draws. What goes out: one frame with a row per product, all
amounts in whole cents. It must never order products by how well they sell: a sku says nothing.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.demo.categories import BRANDS, CATEGORIES, Category
from flightframe_server.demo.randomness import Stream, WeightTables, between, words

# Rank 0 sells about (this + count) / this times as often as the last: a long tail, no monopoly.
_TAIL_START = 16
_PRICE_START_CENTS = 2500
_WEIGHT_SCALE = 1_000_000_000
# Upper limit of the unit cost: what a fifth off the price still covers in every region.
_COST_PER_MILLE_MAX = 765


def products() -> pl.DataFrame:
    """Return the products.

    Returns:
        Rows in sku order: position, sku, name, category (position), list_price_cents,
        unit_cost_cents, popularity (a weight, at least 1).
    """
    listed = pl.concat(_named(index, category) for index, category in enumerate(CATEGORIES))
    listed = listed.with_row_index("position").cast({"position": pl.Int64})
    number = (pl.col("position") + 1).cast(pl.String).str.zfill(4)
    priced = listed.with_columns(
        sku=pl.lit("P") + number, list_price_cents=_list_price_cents(listed)
    )
    return priced.with_columns(
        unit_cost_cents=_unit_cost_cents(priced), popularity=_popularity(priced)
    )


def season_tables(catalogue: pl.DataFrame) -> WeightTables:
    """Return the weights of all products, one row per calendar month, January first."""
    weights = catalogue["popularity"].to_list()
    seasons = [CATEGORIES[index].season for index in catalogue["category"].to_list()]
    return WeightTables.of(
        [
            [weight * season[month] for weight, season in zip(weights, seasons, strict=True)]
            for month in range(12)
        ]
    )


def _named(index: int, category: Category) -> pl.DataFrame:
    """Return a category's products: every item in every brand, brand by brand, up to its count."""
    pairs = [(item, brand) for brand in range(len(BRANDS)) for item in range(len(category.items))]
    kept = pairs[: category.count]
    return pl.DataFrame(
        {
            "category": [index] * len(kept),
            "item_price_cents": [category.items[item][1] for item, _ in kept],
            "brand": [brand for _, brand in kept],
            "name": [f"{BRANDS[brand]} {category.items[item][0]}" for item, brand in kept],
        }
    )


def _by_category(listed: pl.DataFrame, attribute: str) -> pl.Series:
    values = pl.Series([getattr(category, attribute) for category in CATEGORIES], dtype=pl.Int64)
    return values.gather(listed["category"])


def _list_price_cents(listed: pl.DataFrame) -> pl.Series:
    """Return prices: the item's own times the brand's factor, give or take a little."""
    brand = between(words(Stream.BRAND_PRICE, listed["brand"]), 830, 1290)
    product = between(words(Stream.PRODUCT_PRICE, listed["position"]), 940, 1080)
    cents = listed["item_price_cents"] * brand * product // 1_000_000
    # Shelf prices end in 9; from 20.00 up they end in 99.
    small, large = cents // 10 * 10 + 9, cents // 100 * 100 + 99
    return small.zip_with(cents < 2000, large)


def _unit_cost_cents(priced: pl.DataFrame) -> pl.Series:
    """Return the all-in cost of one piece, from the category's share of the list price."""
    spread = between(words(Stream.UNIT_COST, priced["position"]), -35, 35)
    per_mille = (_by_category(priced, "cost_per_mille") + spread).clip(
        upper_bound=_COST_PER_MILLE_MAX
    )
    return priced["list_price_cents"] * per_mille // 1000


def _popularity(priced: pl.DataFrame) -> pl.Series:
    """Return weights: Zipf-like by a shuffled rank, less for dear products."""
    key = words(Stream.POPULARITY, priced["position"])
    rank = key.rank("ordinal").cast(pl.Int64) - 1
    tail = (rank + _TAIL_START) * (priced["list_price_cents"] + _PRICE_START_CENTS)
    return _WEIGHT_SCALE * _by_category(priced, "popularity") // tail // 10 + 1
