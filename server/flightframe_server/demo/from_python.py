"""Step 7a of the walkthrough: profit derived in Python, from the entries that the server made.

What comes in: the demo's collection and the folder of its entries. What goes out: a Polars frame.
It must never ask the database: the engine here has none.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flightframe_server.catalog.collection import Collection
from flightframe_server.engine import Domain, MetricEngine

SNIPPET = """\
engine  = MetricEngine(ac=ac, store_root=store)
revenue = engine.serve(Domain.METRIC, "revenue", ("region",),
                       operator="SUM", partition_invariant=True)
cost    = engine.serve(Domain.METRIC, "cost",    ("region",),
                       operator="SUM", partition_invariant=True)

def derive(lf: pl.LazyFrame) -> pl.LazyFrame:
    return lf.with_columns((pl.col("revenue") - pl.col("cost")).alias("profit"))

engine.compose([revenue, cost], ("region",), frame_expression=derive)"""


def derive(lf: pl.LazyFrame) -> pl.LazyFrame:
    """Add profit to a frame of revenue and cost."""
    return lf.with_columns((pl.col("revenue") - pl.col("cost")).alias("profit"))


def profit_from_python(ac: Collection, store_root: Path) -> pl.DataFrame:
    """Return revenue, cost and profit by region, as `SNIPPET` does it.

    Args:
        ac: the retail collection.
        store_root: the folder of its entries; another engine may have it open.

    Raises:
        BackendError: the entries were not made before.
        SetupError: the folder was never used.
    """
    engine = MetricEngine(ac=ac, store_root=store_root)
    try:
        revenue, cost = (
            engine.serve(
                Domain.METRIC, family, ("region",), operator="SUM", partition_invariant=True
            )
            for family in ("revenue", "cost")
        )
        return engine.compose([revenue, cost], ("region",), frame_expression=derive)
    finally:
        engine.close()
