"""Sources that move in every way, under clients that ask, for as long as it takes; `make moving`.

For each back-end: a server over a source, eight clients, and every kind of move some two hundred
times in an order by chance; the server is closed and opened again in between. What must be: each
answer of one version that stood while it was asked, no refusal where nothing had moved for a
second, most questions answered, and a server that answers everything in the end.

It is run with this folder on PYTHONPATH, as `make moving` does.
"""

from __future__ import annotations

import logging
import math
import tempfile
import time
from pathlib import Path
from typing import Annotated

import structlog
import typer
from moving_moves import KINDS, kinds_of
from moving_sources import BACKENDS
from moving_world import Report, World
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

FAULTS = ("wrong", "stale", "refused", "down")
SHARE = 0.8


def main(
    seed: Annotated[int | None, typer.Option(help="Of everything that is chosen.")] = None,
    backend: Annotated[list[str] | None, typer.Option(help="One of them; all.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each kind of move is made.")] = 200,
    answers: Annotated[int, typer.Option(help="How many a back-end gives at least.")] = 17_000,
    minutes: Annotated[float, typer.Option(help="Each back-end takes no longer.")] = math.inf,
) -> None:
    """Move, ask, print what was found, and fail where something is wrong."""
    chosen = int(time.time()) if seed is None else seed
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console()
    console.print(f"moving sources, seed {chosen}")
    reports = []
    for one in backend or BACKENDS:
        with (
            tempfile.TemporaryDirectory() as folder,
            Progress(console=console, transient=True) as progress,
        ):
            reports.append(
                ran(World(Path(folder), one, chosen), rounds, answers, minutes, progress)
            )
    shown(reports, console)
    problems = [problem for report in reports for problem in judged(report)]
    for problem in problems:
        console.print(f"[red]✗[/] {problem}", markup=True)
    if problems:
        raise typer.Exit(1)
    console.print("[green]✓[/] nothing wrong, nothing stale, never down")


def ran(world: World, rounds: int, answers: int, minutes: float, progress: Progress) -> Report:
    """Run one world to its end."""
    backend = world.source.backend
    bar = progress.add_task(backend, total=rounds * len(kinds_of(backend)))

    def told(report: Report) -> None:
        progress.update(bar, completed=report.moves.total())

    try:
        return world.run(rounds, answers, minutes * 60, told)
    finally:
        world.close()


def judged(report: Report) -> list[str]:
    """Return what must not be."""
    found = report.found
    problems = [f"{report.backend}: {found.faults[kind]} {kind}" for kind in found.faults]
    problems += [f"{report.backend}: {text}" for text in found.shown]
    if report.share < SHARE:
        problems.append(f"{report.backend}: only {report.share:.0%} were answered")
    missing = [kind.name for kind in kinds_of(report.backend) if not report.moves[kind.name]]
    problems += [f"{report.backend}: no move of the kind {name}" for name in missing]
    return problems


def shown(reports: list[Report], console: Console) -> None:
    """Print what was found: answers, then moves by kind."""
    every = Table("found", *(report.backend for report in reports))
    lines = {
        "answers": lambda report: report.found.answered,
        "refusals while it moved": lambda report: report.found.refused,
        "answered": lambda report: f"{report.share:.1%}",
        "answers where nothing moved": lambda report: report.found.calm,
        "restarts": lambda report: report.restarts,
        "inodes used again": lambda report: report.reused,
        "writers that readers kept out": lambda report: report.kept,
        "seconds": lambda report: f"{report.seconds:.0f}",
        **{kind: lambda report, kind=kind: report.found.faults[kind] for kind in FAULTS},
    }
    for name, value in lines.items():
        every.add_row(name, *(str(value(report)) for report in reports))
    console.print(every)
    for what in ("answers", "labels", "refusals"):
        table = Table(what, *(report.backend for report in reports))
        names = sorted({name for report in reports for name in getattr(report.found, what)})
        for name in names:
            table.add_row(name, *(str(getattr(report.found, what)[name]) for report in reports))
        console.print(table)
    moves = Table("moves", *(report.backend for report in reports))
    for kind in KINDS:
        counts = [
            str(report.moves[kind.name]) if report.backend in kind.backends else "-"
            for report in reports
        ]
        moves.add_row(kind.name, *counts)
    console.print(moves)


if __name__ == "__main__":
    typer.run(main)
