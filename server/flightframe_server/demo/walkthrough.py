"""The walkthrough as a client: asks every step over the socket and compares what it gets.

What comes in: a connection to a demo server, and the demo's folder. What goes out: for each step
the answer and every way in which it differs from what is promised. It must never judge an answer
by numbers of our own making: there are the walkthrough's, and SQL by hand.

The labels promised for steps 3 and 4 hold where the grains are cold, as they are over a store that
holds nothing but what the warm-up made. Over a warm one EXPLAIN is asked before each step how the
answer will be made, and a promise is what follows from that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from flightframe import Connection, Result
from flightframe_server.catalog.collection import Collection
from flightframe_server.demo import steps
from flightframe_server.demo.by_hand import ByHand
from flightframe_server.demo.from_python import profit_from_python
from flightframe_server.demo.steps import CENTRAL_COST, CENTRAL_PROFIT, CENTRAL_REVENUE, Step

ROUTES = ("exact", "rollup", "backend")
"""The routes, the cheapest first."""

WARM = {"exact": "kept from an earlier one", "rollup": "rolled up from an entry of an earlier one"}

PYTHON_STEP = "7a"
PYTHON_COLUMNS = ("region", "revenue", "cost", "profit")
PYTHON_KNOWN = ("Central", CENTRAL_REVENUE, CENTRAL_COST, CENTRAL_PROFIT)
PYTHON_BY_HAND = """
SELECT region, SUM(revenue), SUM(cost), SUM(revenue) - SUM(cost)
FROM transactions JOIN stores USING (store_id) GROUP BY region ORDER BY region
"""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One step carried out.

    Attributes:
        step: what was asked and promised.
        table: the answer.
        served_from: who answered.
        routes: how its metrics were made, each route once.
        seconds: from the question to the last row, as the client saw it.
        differences: each promise that was not kept, in words.
        warm: whether an earlier run had made what the step is to make.
    """

    step: Step
    table: pa.Table
    served_from: str
    routes: tuple[str, ...]
    seconds: float
    differences: tuple[str, ...]
    warm: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PythonOutcome:
    """Step 7a carried out: the frame, and each promise that was not kept."""

    frame: pl.DataFrame
    differences: tuple[str, ...]


def walk(
    connection: Connection, folder: Path, *, labels: bool = True, warm: bool = False
) -> Iterator[Outcome]:
    """Ask every step in order and yield what came of it.

    Args:
        connection: to the demo server.
        folder: of the demo, with its Parquet files.
        labels: whether the labels are compared; nothing warms a server that skipped its warm-up.
        warm: whether the store held entries before the server started.

    Raises:
        flightframe.FlightframeError: a step was refused.
        SetupError: the Parquet files cannot be read.
    """
    # Opens the channel, so that the first step is not charged for it; EXPLAIN reads no data.
    connection.explain(steps.CANONICAL).close()
    with ByHand(folder) as by_hand:
        for promised in steps.STEPS:
            step = planned(promised, connection) if warm and labels else promised
            started = time.perf_counter()
            result = connection.query(step.source)
            table = result.to_arrow()
            seconds = time.perf_counter() - started
            routes = routes_of(result)
            wrong = [*wrong_label(step, result, routes)] if labels else []
            wrong += wrong_rows(step.row_count, step.known, result.rows, by_hand.rows(step.by_hand))
            label, differences = result.served_from, tuple(wrong)
            yield Outcome(step, table, label, routes, seconds, differences, step is not promised)


def planned(step: Step, connection: Connection) -> Step:
    """Return a step with what is promised of it over a store that is warm.

    What an earlier run kept is there already: an entry in place of a statement. A step that costs
    more than is promised of it over a cold store is not excused.

    Raises:
        flightframe.FlightframeError: the step was refused.
    """
    with connection.explain(step.source) as plan:
        routes = {row["route"] for row in plan.to_pylist()} & set(ROUTES)
    if len(routes) != 1:
        return step
    (route,) = routes
    if ROUTES.index(route) >= ROUTES.index(step.route):
        return step
    subject = step.title.partition(":")[0]
    title = f"{subject} in a first run; now {WARM[route]}"
    return replace(step, title=title, served_from="engine_cache", route=route)


def walk_in_python(collection: Collection, store_root: Path, folder: Path) -> PythonOutcome:
    """Carry step 7a out over the entries of the running server.

    Args:
        collection: the retail collection.
        store_root: the folder of its entries.
        folder: of the demo, with its Parquet files.

    Raises:
        FlightframeError: the entries or the Parquet files cannot be read.
    """
    frame = profit_from_python(collection, store_root)
    with ByHand(folder) as by_hand:
        wrong = wrong_rows(3, (PYTHON_KNOWN,), frame.rows(), by_hand.rows(PYTHON_BY_HAND))
    if tuple(frame.columns) != PYTHON_COLUMNS:
        wrong.append(f"promised the columns {', '.join(PYTHON_COLUMNS)}")
    return PythonOutcome(frame, tuple(wrong))


def routes_of(result: Result) -> tuple[str, ...]:
    """Return how the metrics of a result were made, each route once."""
    columns = result.provenance.columns
    return tuple(dict.fromkeys(part.route for column in columns for part in column.parts))


def wrong_label(step: Step, result: Result, routes: tuple[str, ...]) -> Iterator[str]:
    """Yield what differs in where an answer came from."""
    if result.served_from != step.served_from:
        yield f"promised served_from {step.served_from}, got {result.served_from}"
    if routes != (step.route,):
        yield f"promised the route {step.route}, got {', '.join(routes) or 'none'}"


def wrong_rows(
    row_count: int,
    known: tuple[tuple[object, ...], ...],
    rows: list[tuple[Any, ...]],
    expected: list[tuple[Any, ...]],
) -> list[str]:
    """Return what differs in the rows, their order included."""
    wrong = []
    if len(rows) != row_count:
        wrong.append(f"promised {row_count} rows, got {len(rows)}")
    wrong.extend(f"promised the row {shown_row(row)}" for row in known if row not in rows)
    if rows != expected:
        pairs = zip(rows, expected, strict=False)
        first = next((pair for pair in pairs if pair[0] != pair[1]), None)
        got = f": {shown_row(first[0])} is {shown_row(first[1])} there" if first else ""
        wrong.append(f"SQL by hand gives other rows{got}")
    return wrong


def shown_row(row: tuple[object, ...]) -> str:
    """Return a row as text."""
    return "(" + ", ".join(map(str, row)) + ")"
