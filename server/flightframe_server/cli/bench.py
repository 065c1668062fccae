"""`flightframe bench`: how fast this server is, beside others, on this machine.

What comes in: options. What goes out: a table, JSON and a picture. It must never listen but at the
loopback interface, nor leave a process behind.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flightframe_server.benchmark.beside import BESIDE_MISSES, beside
from flightframe_server.benchmark.measuring import FULL, QUICK, PathResult, measured
from flightframe_server.benchmark.paths import PATHS
from flightframe_server.benchmark.plot import svg
from flightframe_server.benchmark.processes import peak_bytes
from flightframe_server.benchmark.report import facts, lines
from flightframe_server.benchmark.start_up import PAIRS, started
from flightframe_server.benchmark.tpch.cold import cold, medians
from flightframe_server.benchmark.world import opened_world
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.stop_signals import StopSignals
from flightframe_server.errors import SetupError

COLD = "TPC-H cold"
NAMES = (*(path.name for path in PATHS), BESIDE_MISSES, COLD, *(pair.name for pair in PAIRS))


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Few short rounds, and 16 clients at most.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the ratios as SVG.")
    ] = None,
    only: Annotated[
        str, typer.Option("--only", metavar="WORDS", help="Only paths whose names begin so.")
    ] = "",
) -> None:
    """Measure this server beside a bare Flight server, DuckDB and peers, on this machine.

    Starts everybody on the loopback interface over the same tables, checks that
    all answer the same values, asks them in turns, and tells how they compare.
    Who is not installed is named. Other work on the machine changes the times,
    and the ratios less.

    [bold]Examples[/bold]

      flightframe bench --quick
      flightframe bench --json now.json --plot now.svg
    """
    with reported_errors(), StopSignals():
        effort = QUICK if quick else FULL
        chosen = [name for name in NAMES if name.startswith(only)]
        if not chosen:
            raise SetupError(f"no path begins with {only!r}", hint=f"there are {', '.join(NAMES)}")
        for file in (json_file, plot_file):
            _check_writable(file)
        results: list[PathResult] = []
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flightframe-")))
            world = stack.enter_context(opened_world(folder))
            for result in measured(world, [one for one in PATHS if one.name in chosen], effort):
                results.append(_shown(result))
            if BESIDE_MISSES in chosen:
                results += map(_shown, beside(world, effort))
            memory = {name: peak_bytes(pid) for name, pid in world.pids.items()}
        if COLD in chosen:
            results += _cold(0.01 if quick else 1.0, effort.rounds)
        pairs = [pair for pair in PAIRS if pair.name in chosen]
        results += map(_shown, started(pairs, effort))
        _write(json_file, lambda: json.dumps(facts(results, memory), indent=1) + "\n")
        _write(plot_file, lambda: svg(results))


def _cold(scale: float, rounds: int) -> list[PathResult]:
    """Measure cold questions where their tables can be made, and tell their medians."""
    with tempfile.TemporaryDirectory(prefix="flightframe-") as folder:
        try:
            results = [_shown(result) for result in cold(Path(folder), scale, rounds)]
        except SetupError as error:
            print(f"{COLD} not run: {error.message}", flush=True)
            return []
    for kind, ratio in medians(results).items():
        print(f"{COLD}, {kind}: median {ratio.median:.2f}, {ratio.low:.2f} to {ratio.high:.2f}")
    return results


def _check_writable(file: Path | None) -> None:
    """Refuse a file that cannot be written before anything is measured for it.

    Raises:
        SetupError: it cannot be.
    """
    if file is not None:
        with _told(file), file.open("a", encoding="utf-8"):
            pass


def _write(file: Path | None, text: Callable[[], str]) -> None:
    """Write a file where one is asked for; raises as `_check_writable`."""
    if file is not None:
        with _told(file):
            file.write_text(text(), encoding="utf-8")


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(f"{file.name} cannot be written: {error.strerror}") from error


def _shown(result: PathResult) -> PathResult:
    for line in lines(result):
        print(line, flush=True)
    return result
