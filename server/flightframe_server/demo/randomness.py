"""Reproducible draws: SplitMix64 used as a counter-based generator, in integers only.

What comes in: a stream and counters. What goes out: 64-bit words, and integers drawn from them by
bounds or by tables of weights. The word of a counter depends on nothing but (seed, stream,
counter), so rows may be drawn in any order, in parts, and on any machine. It must never use a
float or a library's own random generator: neither promises the same values for ever.

SplitMix64 is the finaliser of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
Generators", OOPSLA 2014. Arrow's unchecked `add` and `multiply` are documented to wrap around,
which is exactly its arithmetic modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

SEED = 20230101
_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST = (30, 0xBF58476D1CE4E5B9)
_SECOND = (27, 0x94D049BB133111EB)
_LAST_SHIFT = 31
_HALF_WORD = 1 << 32


class Stream(IntEnum):
    """One independent sequence per decision, so that a new decision moves no old one."""

    PRODUCT_PRICE = 1
    BRAND_PRICE = 2
    UNIT_COST = 3
    POPULARITY = 4
    DAY_TRADE = 5
    CELL_TRADE = 6
    TILL_ORDER = 7
    PRODUCT = 8
    QUANTITY = 9
    RETURN = 10
    PROMOTION = 11
    STOCK = 12


def _mixed_scalar(word: int) -> int:
    for shift, factor in (_FIRST, _SECOND):
        word = ((word ^ (word >> shift)) * factor) & _MASK
    return word ^ (word >> _LAST_SHIFT)


def _constant(value: int) -> pa.UInt64Scalar:
    return pa.scalar(value, pa.uint64())


def words(stream: Stream, counters: pl.Series, *, seed: int = SEED) -> pl.Series:
    """Return the word of each counter in a stream.

    Args:
        stream: which sequence.
        counters: integers from 0, any order, repeats allowed.
        seed: the seed of all streams.

    Returns:
        UInt64 values, one per counter.
    """
    start = _constant(_mixed_scalar((seed + stream * _GAMMA) & _MASK))
    steps = pc.add(counters.cast(pl.UInt64).to_arrow(), _constant(1))
    state = pc.add(start, pc.multiply(steps, _constant(_GAMMA)))
    for shift, factor in (_FIRST, _SECOND):
        folded = pc.bit_wise_xor(state, pc.shift_right(state, _constant(shift)))
        state = pc.multiply(folded, _constant(factor))
    mixed = pc.bit_wise_xor(state, pc.shift_right(state, _constant(_LAST_SHIFT)))
    return pl.Series("words", mixed, dtype=pl.UInt64)


def below(draws: pl.Series, bound: int | pl.Series) -> pl.Series:
    """Return one integer in [0, bound) per word, by multiplication of its upper half.

    Args:
        draws: words.
        bound: one bound, or a UInt64 bound per word; each at least 1 and at most 2**32.

    Returns:
        UInt64 values. No product passes 64 bits, so nothing wraps.
    """
    return (draws // _HALF_WORD * bound) // _HALF_WORD


def between(draws: pl.Series, low: int, high: int) -> pl.Series:
    """Return one Int64 in [low, high], both ends included, per word."""
    return below(draws, high - low + 1).cast(pl.Int64) + low


@dataclass(frozen=True, slots=True)
class WeightTables:
    """Rows of integer weights, drawn from by one binary search over their running sum.

    Attributes:
        width: items in each row.
        running: the running sum over all rows, row after row.
        starts: the running sum before each row.
        totals: the sum of each row, from 1 to 2**32.
    """

    width: int
    running: pl.Series
    starts: pl.Series
    totals: pl.Series

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Self:
        """Build the tables.

        Args:
            rows: at least one row; all of one width, weights of 0 or more.

        Raises:
            ValueError: rows differ in width, or a row's sum cannot be drawn from.
        """
        width = len(rows[0])
        totals = [sum(row) for row in rows]
        if any(len(row) != width for row in rows):
            raise ValueError("weight rows differ in width")
        if not all(0 < total <= _HALF_WORD for total in totals):
            raise ValueError("a weight row sums to nothing, or past 2**32")
        running = list(accumulate(weight for row in rows for weight in row))
        starts = list(accumulate(totals, initial=0))[:-1]
        made = (pl.Series(values, dtype=pl.UInt64) for values in (running, starts, totals))
        return cls(width, *made)

    def pick(self, draws: pl.Series, row: pl.Series) -> pl.Series:
        """Return the item drawn for each word.

        Args:
            draws: words.
            row: which row of weights each word draws from.

        Returns:
            Int64 positions in [0, width); an item of weight 0 never appears.
        """
        place = self.starts.gather(row) + below(draws, self.totals.gather(row))
        flat = self.running.search_sorted(place, side="right")
        return flat.cast(pl.Int64) - row.cast(pl.Int64) * self.width
