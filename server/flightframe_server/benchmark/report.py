"""What was measured, for a terminal of 80 columns, and as JSON.

What comes in: results. What goes out: lines of text, and values for `json.dumps`. It must never
round a ratio past what tells it from its goal.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

from flightframe_server.benchmark.figures import Figures, Measure
from flightframe_server.benchmark.measuring import Compared, PathResult

_WORDS = {Measure.TIME: "time", Measure.TAIL: "p99", Measure.RATE: "q/s"}
PACKAGES = ("flightframe", "pyarrow", "duckdb", "adbc-driver-flightsql", "roapi")


def lines(result: PathResult) -> Iterator[str]:
    """Yield the lines that tell of one path."""
    many = "1 client" if result.clients == 1 else f"{result.clients} clients"
    yield f"{result.path}, {many}"
    for name, rounds in result.figures.items():
        yield f"  {name:22} {_told(rounds)}"
    for one in result.compared:
        yield f"    {_compared(one)}"
    for name, why in result.absent.items():
        yield f"  {name:22} not run: {why}"


def _told(rounds: list[Figures]) -> str:
    p50, p99 = (median(getattr(one, name) for one in rounds) for name in ("p50_ms", "p99_ms"))
    rate = median(one.per_second for one in rounds)
    server = [one.server_us for one in rounds if one.server_us is not None]
    cost = f"  {median(server):7.0f} us/q" if server else ""
    return f"{p50:9.3f} ms  p99 {p99:9.3f}  {rate:8.1f} q/s{cost}"


def _compared(one: Compared) -> str:
    goal, found = one.goal, one.ratio
    kind = f"of the {_WORDS[goal.measure]} of"
    if goal.measure is not Measure.RATE and goal.at_most is None:
        kind = "times as fast as"
    wanted = ""
    if one.met is not None:
        bound = f"{goal.at_least:g}" if goal.at_most is None else f"at most {goal.at_most:g}"
        wanted = f", wanted {bound}: {'reached' if one.met else 'NOT reached'}"
    spread = f"{found.low:.2f}-{found.high:.2f}"
    return f"{found.median:.2f} {kind} {goal.against} ({spread}){wanted}"


def facts(results: Iterable[PathResult], memory: dict[str, int | None]) -> dict[str, Any]:
    """Return everything as JSON takes it.

    Args:
        results: what was measured.
        memory: the most memory that each side's process took, in bytes.
    """
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "peak_bytes": memory,
        "paths": [_path(result) for result in results],
    }


def _path(result: PathResult) -> dict[str, Any]:
    told = asdict(result)
    for one, found in zip(told["compared"], result.compared, strict=True):
        one["times_as_fast"], one["wanted"] = asdict(found.times_as_fast), found.wanted
    return told


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
