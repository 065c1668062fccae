"""How long processes take from their start to their end, in pairs that run in turns.

What comes in: how often. What goes out: a result for each pair, as for a path. It must never time
the first run of a program: that compiles it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flightframe_server.benchmark.figures import Figures, Measure, RoundTimes, figures_of
from flightframe_server.benchmark.measuring import Effort, PathResult, compared
from flightframe_server.benchmark.paths import Goal
from flightframe_server.errors import SetupError

RUNS = 3
"""How often each program runs in a round."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of Python, by the arguments of the interpreter."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two programs, and how much longer ours may take."""

    name: str
    ours: Program
    other: Program
    at_most: float


PAIRS = (
    Pair(
        "start of the command line",
        Program("flightframe --version", ("-m", "flightframe_server", "--version")),
        Program("import typer, rich", ("-c", "import typer, rich")),
        1.5,
    ),
    Pair(
        "start of the client",
        Program("import flightframe", ("-c", "import flightframe")),
        Program("import pyarrow.flight", ("-c", "import pyarrow.flight")),
        1.2,
    ),
)


def started(pairs: Iterable[Pair], effort: Effort) -> Iterator[PathResult]:
    """Yield what comes of each pair; raises SetupError where a program fails."""
    for pair in pairs:
        figures: dict[str, list[Figures]] = {pair.ours.name: [], pair.other.name: []}
        for program in (pair.ours, pair.other):
            _run(program)
        for _ in range(effort.rounds):
            times: dict[str, list[int]] = {name: [] for name in figures}
            for _ in range(RUNS):
                for program in (pair.ours, pair.other):
                    times[program.name].append(_run(program))
            for name, found in times.items():
                figures[name].append(figures_of(RoundTimes(tuple(found), sum(found) / 1e9, 0.0)))
        goal = Goal(pair.other.name, Measure.TIME, at_most=pair.at_most)
        how = (compared(pair.ours.name, goal, figures, 1),)
        yield PathResult(pair.name, 1, figures, how, {})


def _run(program: Program) -> int:
    """Run a program to its end, and return how many nanoseconds it took."""
    began = time.perf_counter_ns()
    done = subprocess.run(
        [sys.executable, *program.arguments], capture_output=True, check=False, text=True
    )
    took = time.perf_counter_ns() - began
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise SetupError(f"{program.name} fails: {told[-1] if told else done.returncode}")
    return took
