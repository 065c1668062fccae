"""Exact apportioning: whole numbers in proportion to weights, with a prescribed sum.

What comes in: integer weights and an integer total. What goes out: integers that add up to the
total exactly. It must never round a share by itself: each is the difference of two points of one
scaled running sum, so what one row loses its neighbour gains, and no row is off by a whole unit.
"""

from __future__ import annotations

import polars as pl

from flightframe_server.errors import InternalError

_INT64_MAX = (1 << 63) - 1


def apportioned(weights: pl.Series, total: int) -> pl.Series:
    """Split `total` over rows in proportion to their weights.

    With weights w and running sums W, row i gets floor(W[i]*T/W[n]) - floor(W[i-1]*T/W[n]): the
    sum telescopes to T, and each value stands less than 1 from its exact share. Negative weights
    (returns) get negative shares of the same proportion.

    Args:
        weights: Int64, with a positive sum.
        total: what the result adds up to.

    Returns:
        Int64 values in the order of `weights`.

    Raises:
        InternalError: the weights do not add up to more than 0, or a product would pass 64 bits.
    """
    running = weights.cast(pl.Int64).cum_sum()
    weight_sum = 0 if running.is_empty() else int(running[-1])
    if weight_sum <= 0:
        raise InternalError("the weights to apportion by do not add up to more than 0")
    if int(running.abs().sort()[-1]) * abs(total) > _INT64_MAX:
        raise InternalError("the weights to apportion by are too large for exact arithmetic")
    scaled = (running * total) // weight_sum
    return scaled - scaled.shift(1, fill_value=0)


def calibrated(amounts: pl.Series, chosen: pl.Series, total: int) -> pl.Series:
    """Scale the chosen amounts so that they add up to `total`; leave the others as they are.

    Args:
        amounts: Int64 cents.
        chosen: which rows to scale.
        total: cents that the chosen rows add up to afterwards.

    Returns:
        Int64 cents in the order of `amounts`.
    """
    weights = pl.select(pl.when(chosen).then(amounts).otherwise(0)).to_series()
    return pl.select(
        pl.when(chosen).then(apportioned(weights, total)).otherwise(amounts)
    ).to_series()
