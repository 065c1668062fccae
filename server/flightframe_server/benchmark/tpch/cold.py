"""Cold questions of TPC-H: asked of a server that has just started and holds nothing.

What comes in: a scale. What goes out: for each question how long its first answer takes, and how
long it takes past the cache once the data are known, beside its SQL in the same process. It must
never time a question whose answer it does not compare.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa

import flightframe
from flightframe_server.benchmark.figures import Figures, Measure, Ratio, RoundTimes, figures_of
from flightframe_server.benchmark.measuring import PathResult, compared
from flightframe_server.benchmark.paths import DUCKDB, OURS, Goal
from flightframe_server.benchmark.questions import Question
from flightframe_server.benchmark.targets import digest
from flightframe_server.benchmark.tpch.questions import TPCH
from flightframe_server.benchmark.tpch.tables import DATABASE, INSTALLATION, Decimals, write_tpch
from flightframe_server.benchmark.world import our_server
from flightframe_server.errors import SetupError

TYPES = (Decimals(15, 2), Decimals(30, 4))
FIRST, AGAIN = "first answer", "past the cache"
MOST, MOST_MEDIAN = 3.0, 1.5
"""How many times the time of its SQL a question may take, and half of them."""

Times = dict[tuple[str, str], list[tuple[int, int]]]
"""Of each question, first or again: our nanoseconds and those of its SQL, round by round."""


def cold(folder: Path, scale: float, rounds: int) -> Iterator[PathResult]:
    """Yield what comes of each question, with each type of decimals.

    Args:
        folder: where the tables are written.
        scale: 1 for six million line items.
        rounds: how many servers are started.

    Raises:
        SetupError: the tables cannot be made, or somebody gives other values.
    """
    for decimals in TYPES:
        place = folder / f"tpch-{decimals.digits}-{decimals.places}"
        place.mkdir()
        write_tpch(place, scale, decimals)
        times: Times = {}
        for turn in range(rounds):
            with ExitStack() as stack:
                _round(place, turn, stack, times)
        for (name, when), pairs in times.items():
            yield _result(f"TPC-H {name}, {decimals}, {when}", pairs)


def _round(place: Path, turn: int, stack: ExitStack, times: Times) -> None:
    """Start a server over an empty store, and ask it each question beside its SQL."""
    store = place / f"store-{turn}"
    server = stack.enter_context(our_server(place / INSTALLATION, "--store", str(store)))
    connection = stack.enter_context(flightframe.connect(server.flight))
    for name, question in TPCH.items():
        for when, bypasses in ((FIRST, False), (AGAIN, True)):
            with _database(place) as theirs:
                try:
                    pair = _timed(connection, theirs, question, bypasses)
                except SetupError as error:
                    raise SetupError(f"TPC-H {name}: {error.message}") from error
            times.setdefault((name, when), []).append(pair)


@contextmanager
def _database(place: Path) -> Iterator[Callable[[str], pa.Table]]:
    """Open the file anew: the first run of a statement is compared with a first answer."""
    with duckdb.connect(str(place / DATABASE), read_only=True) as connection:
        yield lambda sql: connection.sql(sql).to_arrow_table()


def _timed(
    connection: flightframe.Connection,
    theirs: Callable[[str], pa.Table],
    question: Question,
    bypasses: bool,
) -> tuple[int, int]:
    """Return how many nanoseconds our answer takes, and that of its SQL.

    Raises:
        SetupError: the values differ.
    """
    began = time.perf_counter_ns()
    one = connection.query(question.frame_ql, no_cache=bypasses).to_arrow()
    between = time.perf_counter_ns()
    other = theirs(question.sql)
    ended = time.perf_counter_ns()
    if digest(one) != digest(other):
        raise SetupError("the values differ from those of its SQL")
    return between - began, ended - between


def _result(name: str, pairs: list[tuple[int, int]]) -> PathResult:
    figures: dict[str, list[Figures]] = {OURS: [], DUCKDB: []}
    for pair in pairs:
        for side, nanoseconds in zip(figures, pair, strict=True):
            figures[side].append(figures_of(RoundTimes((nanoseconds,), nanoseconds / 1e9, 0.0)))
    goal = Goal(DUCKDB, Measure.TIME, at_most=MOST)
    return PathResult(name, 1, figures, (compared(OURS, goal, figures, 1),), {})


def medians(results: list[PathResult]) -> dict[str, Ratio]:
    """Return the median of the questions' ratios, for each type and kind of answer."""
    kinds: dict[str, list[float]] = {}
    for result in results:
        kind = result.path.partition(", ")[2]
        kinds.setdefault(kind, []).extend(one.ratio.median for one in result.compared)
    return {kind: Ratio(median(all_), min(all_), max(all_)) for kind, all_ in kinds.items()}
