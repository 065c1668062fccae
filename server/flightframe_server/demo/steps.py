"""The walkthrough's questions and what it promises of each: data, and nothing else.

What comes in: nothing. What goes out: the steps in their order. No number here comes from our own
output: `known` is what the walkthrough prints, and `by_hand` is SQL over the retail tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CENTRAL_REVENUE = Decimal("3868636.36")
CENTRAL_COST = Decimal("2710830.20")
CENTRAL_PROFIT = Decimal("1157806.16")

REVENUE_BY_REGION = """
SELECT region, SUM(revenue) FROM transactions JOIN stores USING (store_id)
GROUP BY region ORDER BY region
"""
REVENUE_BY_DAY = "SELECT day, SUM(revenue) FROM transactions GROUP BY day ORDER BY day"
REVENUE_BY_STORE = """
SELECT region, store_id, SUM(revenue) FROM transactions JOIN stores USING (store_id)
GROUP BY region, store_id ORDER BY region, store_id
"""
PROFIT_BY_REGION = """
SELECT region, SUM(revenue) - SUM(cost) FROM transactions JOIN stores USING (store_id)
GROUP BY region ORDER BY region
"""
REVENUE_AND_PROFIT_BY_REGION = """
SELECT region, SUM(revenue), SUM(revenue) - SUM(cost)
FROM transactions JOIN stores USING (store_id) GROUP BY region ORDER BY region
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the walkthrough and what is promised of its answer.

    Attributes:
        number: as the walkthrough counts: `2`, `7b`.
        title: what it shows.
        source: the Frame-QL.
        served_from: the label promised.
        route: how each metric of it is promised to be made.
        row_count: the rows promised.
        known: rows that the walkthrough prints.
        by_hand: SQL that gives the whole answer, rows in the same order.
    """

    number: str
    title: str
    source: str
    served_from: str
    route: str
    row_count: int
    by_hand: str
    known: tuple[tuple[object, ...], ...] = ()


CANONICAL = "SELECT region, SUM(revenue) AS total_revenue AT region"
COLD = "SELECT day, SUM(revenue) AS r AT day"
MISS = "SELECT region, store, SUM(revenue) AS r FROM transactions AT (region, store)"
DERIVED = "SELECT region, profit AT region"
MIXED = "SELECT region, revenue, profit AT region"

STEPS = (
    Step(
        "2",
        "the canonical query: warmed, so the back-end is not touched",
        CANONICAL,
        "engine_cache",
        "exact",
        3,
        REVENUE_BY_REGION,
        (("Central", CENTRAL_REVENUE),),
    ),
    Step(
        "2",
        "the same call again",
        CANONICAL,
        "engine_cache",
        "exact",
        3,
        REVENUE_BY_REGION,
        (("Central", CENTRAL_REVENUE),),
    ),
    Step(
        "3",
        "a cold grain: rolled up from (day, region), and kept",
        COLD,
        "engine_cache",
        "rollup",
        443,
        REVENUE_BY_DAY,
    ),
    Step("3", "again: now an exact entry", COLD, "engine_cache", "exact", 443, REVENUE_BY_DAY),
    Step(
        "4",
        "a genuine miss: no entry reaches the stores",
        MISS,
        "engine_backend",
        "backend",
        13,
        REVENUE_BY_STORE,
    ),
    Step(
        "4", "again: the back-end is skipped", MISS, "engine_cache", "exact", 13, REVENUE_BY_STORE
    ),
    Step(
        "7b",
        "a derived metric: profit = revenue - cost",
        DERIVED,
        "engine_cache",
        "exact",
        3,
        PROFIT_BY_REGION,
        (("Central", CENTRAL_PROFIT),),
    ),
    Step(
        "7b",
        "revenue and profit side by side",
        MIXED,
        "engine_cache",
        "exact",
        3,
        REVENUE_AND_PROFIT_BY_REGION,
        (("Central", CENTRAL_REVENUE, CENTRAL_PROFIT),),
    ),
)
