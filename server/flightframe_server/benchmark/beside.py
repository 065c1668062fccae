"""Small questions while heavy ones run: what a hit takes beside misses, and beside other processes.

What comes in: everybody who answers. What goes out: two results. The machine is as busy in both of
what is compared: beside misses of ours, and beside processes that only count.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flightframe_server.benchmark.figures import Figures, Measure, figures_of
from flightframe_server.benchmark.measuring import Effort, PathResult, compared, expected_of
from flightframe_server.benchmark.paths import (
    OURS,
    REVENUE,
    Goal,
    Side,
)
from flightframe_server.benchmark.questions import Question
from flightframe_server.benchmark.rounds import Client, clients_of, run_round
from flightframe_server.benchmark.targets import Way
from flightframe_server.benchmark.world import World

HEAVY = 8
"""How many heavy questions, or foreign processes, run at once."""
BESIDE_MISSES = "hits beside 8 misses"
BESIDE_FOREIGN = "beside 8 foreign processes"
MISSES = Question(
    "SELECT store, product, day, SUM(revenue) AS revenue AT (store, product, day)",
    "SELECT store_id, sku, day, SUM(revenue) FROM transactions GROUP BY ALL",
)
_COUNT = "while True: pass"


def beside(world: World, effort: Effort) -> Iterator[PathResult]:
    """Yield how long hits take beside misses, and how long those misses take.

    Args:
        world: who answers.
        effort: how long.

    Raises:
        SetupError: somebody gives other values than the database, or ends.
    """
    hit = Side(OURS, Way.CLIENT)
    heavy = Side(OURS, Way.CLIENT, bypasses_cache=True)
    figures: dict[str, list[Figures]] = {OURS: [], BESIDE_FOREIGN: []}
    with ExitStack() as stack:
        (one,) = stack.enter_context(
            clients_of(world.target(hit, [REVENUE]), 1, expected_of(world, [REVENUE]))
        )
        misses = stack.enter_context(
            clients_of(world.target(heavy, [MISSES]), HEAVY, expected_of(world, [MISSES]))
        )
        pid = world.pids[OURS]
        for _ in range(effort.rounds):
            with _asked(misses, effort.seconds * 2):
                figures[OURS].append(figures_of(run_round([one], effort.seconds, pid)))
            with _counting():
                figures[BESIDE_FOREIGN].append(figures_of(run_round([one], effort.seconds, pid)))
    goal = Goal(BESIDE_FOREIGN, Measure.TAIL, at_most=1.5)
    how = (compared(OURS, goal, figures, 1),)
    yield PathResult(BESIDE_MISSES, 1, figures, how, {})


@contextmanager
def _asked(clients: list[Client], seconds: float) -> Iterator[None]:
    """Let clients ask for as long as the block takes, and a little longer."""
    for client in clients:
        client.begin(seconds)
    try:
        yield
    finally:
        for client in clients:
            client.end()


@contextmanager
def _counting() -> Iterator[None]:
    """Let processes count for as long as the block takes."""
    processes = [subprocess.Popen([sys.executable, "-c", _COUNT]) for _ in range(HEAVY)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
