"""Which nodes of a tree are aggregates.

What comes in: a node. What goes out: whether it is one, and the reducer of those that have one name
in both languages. It must never list what `aggregates.py` does not read.
"""

from __future__ import annotations

from sqlglot import exp

REDUCER_OF: dict[type[exp.Expr], str] = {
    exp.Sum: "SUM",
    exp.Min: "MIN",
    exp.Max: "MAX",
    exp.Avg: "AVG",
    exp.Median: "MEDIAN",
    exp.Stddev: "STDDEV",
    exp.StddevSamp: "STDDEV",
    exp.Variance: "VAR",
}
MEASURES = frozenset({"MEASURE", "AGG"})
_CALLED = frozenset({"MEASURE", "QUANTILE_CONT"})
AGGREGATES = (*REDUCER_OF, exp.Count, exp.Agg, exp.Filter, exp.WithinGroup, exp.Window)


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate."""
    if isinstance(node, exp.Anonymous):
        return node.name.upper() in _CALLED
    return isinstance(node, AGGREGATES)


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate stands anywhere in an expression."""
    return any(is_aggregate(part) for part in node.walk())
