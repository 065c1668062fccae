"""A dashboard: twenty questions of several anchors and filters, asked as often as people ask them.

What comes in: a seed. What goes out: the questions, and the order in which a user's sessions ask
them. It must never ask a question that only one of the sides can answer.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random

from flightframe_server.benchmark.questions import Question

USERS = 1000
"""How many users' sessions are replayed, one after the other."""
SESSION = 8
"""How many questions a session asks."""
SKEW = 1.1
"""The exponent of Zipf's law: the n-th question is asked n ** -SKEW as often as the first."""

_COLUMNS = {
    "region": "s.region",
    "store": "t.store_id",
    "category": "p.category",
    "product": "t.sku",
    "day": "t.day",
    "month": "date_trunc('month', t.day)::DATE",
    "quarter": "date_trunc('quarter', t.day)::DATE",
}
_METRICS = {"revenue": "t.revenue", "cost": "t.cost", "units": "t.quantity"}
_FROM = (
    "transactions t LEFT JOIN stores s ON t.store_id = s.store_id"
    " LEFT JOIN products p ON t.sku = p.sku"
)
_SHAPES: tuple[tuple[tuple[str, ...], tuple[str, ...], str, str], ...] = (
    (("region",), ("revenue",), "", ""),
    (("month",), ("revenue",), "", ""),
    ((), ("revenue", "cost", "units"), "", ""),
    (("category",), ("revenue",), "", ""),
    (("region", "month"), ("revenue",), "", ""),
    (("category", "month"), ("revenue", "units"), "", ""),
    (("store",), ("revenue",), "", ""),
    (("month",), ("revenue",), "region = 'East'", "s.region = 'East'"),
    (("quarter",), ("revenue", "cost"), "", ""),
    (("region", "category"), ("units",), "", ""),
    (("store", "month"), ("revenue",), "", ""),
    (("category",), ("revenue",), "region = 'West'", "s.region = 'West'"),
    (("day",), ("revenue",), "", ""),
    (("month",), ("units",), "category = 'Toys'", "p.category = 'Toys'"),
    (("product",), ("revenue", "units"), "", ""),
    (("store",), ("cost",), "month = '2023-06'", "date_trunc('month', t.day) = DATE '2023-06-01'"),
    (("region", "quarter"), ("revenue", "cost"), "", ""),
    (("product",), ("units",), "region = 'Central'", "s.region = 'Central'"),
    (("region", "day"), ("revenue",), "", ""),
    (
        ("category", "quarter"),
        ("cost",),
        "region IN ('East', 'West')",
        "s.region IN ('East', 'West')",
    ),
)


def _question(shape: tuple[tuple[str, ...], tuple[str, ...], str, str]) -> Question:
    levels, metrics, ours, theirs = shape
    sums = [f"SUM({name}) AS total_{name}" for name in metrics]
    where = f" WHERE {ours}" if ours else ""
    frame_ql = f"SELECT {', '.join((*levels, *sums))} AT ({', '.join(levels)}){where}"
    selected = [f"{_COLUMNS[name]} AS {name}" for name in levels]
    selected += [f"SUM({_METRICS[name]}) AS total_{name}" for name in metrics]
    sql = f"SELECT {', '.join(selected)} FROM {_FROM}"
    sql += f" WHERE {theirs}" if theirs else ""
    sql += f" GROUP BY {', '.join(map(str, range(1, len(levels) + 1)))}" if levels else ""
    return Question(frame_ql, sql)


QUESTIONS = tuple(map(_question, _SHAPES))
"""The questions, the most asked first."""


def sessions(seed: int = 1) -> tuple[Question, ...]:
    """Return what all users ask, in order: each session begins with the first question.

    Args:
        seed: of chance.
    """
    chance = Random(seed)
    weights = list(accumulate((n + 1) ** -SKEW for n in range(len(QUESTIONS))))
    asked: list[Question] = []
    for _ in range(USERS):
        asked.append(QUESTIONS[0])
        asked += chance.choices(QUESTIONS, cum_weights=weights, k=SESSION - 1)
    return tuple(asked)
