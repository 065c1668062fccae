"""A soak: mixed clients for minutes, over data that moves and faults that come; `make soak`.

The demonstration is served by `flightframe serve`. Clients of five kinds ask at random and judge
every answer by hand-written SQL at the version of the data that it must be of; meanwhile the data
moves, kept answers are damaged, connections hang, and once the server is killed and started again.
What must be: no wrong answer, and a server that holds at the end what it held in the beginning.

It is run with this folder and `tests/hostile` on PYTHONPATH, as `make soak` does.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text
from server_process import Held, ServerProcess
from soak_checks import Checks, wrong
from soak_faults import Faults
from soak_world import World

HERE = Path(__file__).resolve().parent
KINDS = ("flightframe", "pyarrow.flight", "ADBC + polars", "HTTP", "hostile")
STEP_SECONDS = 0.5
MOVE_SECONDS = 15.0
FAULT_SECONDS = 4.0
# Shares of the time: when the server is killed, and how long after it came back it has settled.
KILL_AT = 0.2
SETTLE = 0.2
# The share of questions that may meet a handle which is no longer held.
ASKED_AGAIN = 0.01
MEMORY_GROWTH = 1.10
MEMORY_SLACK_MIB = 16.0
# A shorter run ends while the server still fills what it may hold, and says nothing of growth.
MEMORY_SECONDS = 120.0
# Its pools of threads fill as well, on a busy machine late; a thread or a file that each question
# left behind would be hundreds by then.
COUNT_SLACK, COUNT_SLACK_SHORT = 8, 32
# The share of answers to SQL that the server checks; a short run would check too few of them.
SHADOW, SHADOW_SHORT = 0.01, 0.2
SHORT_SECONDS = 120.0
# How many of the logged bugs are printed with their tracebacks.
STORIES = 3


def main(
    minutes: Annotated[float, typer.Option(help="How long the clients ask.")] = 10.0,
    seed: Annotated[int | None, typer.Option(help="Of everything that is chosen.")] = None,
    report: Annotated[Path | None, typer.Option(help="JSON of what was seen.")] = None,
) -> None:
    """Run the soak, print what was seen, and fail where something was wrong."""
    chosen = int(time.time()) if seed is None else seed
    console = Console()
    console.print(f"soak of {minutes:g} minutes, seed {chosen}")
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), Random(chosen), minutes * 60.0)
        with Progress(console=console, transient=True) as progress:
            soak.run(progress)
        found = soak.found()
    shown(found, console)
    if report is not None:
        report.write_text(json.dumps(found, indent=2))
    problems = judged(found)
    for problem in problems:
        console.print("[red]✗[/]", Text(problem))
    if problems:
        raise typer.Exit(1)
    flat = "memory, threads" if minutes * 60.0 >= MEMORY_SECONDS else "threads"
    console.print(f"[green]✓[/] no wrong answer; {flat} and files are flat")


class Soak:
    """One run.

    Args:
        folder: of the world and the store.
        random: chooses everything.
        seconds: how long.
    """

    def __init__(self, folder: Path, random: Random, seconds: float) -> None:
        shadow = SHADOW if seconds >= SHORT_SECONDS else SHADOW_SHORT
        self._world = World.made(folder / "world", shadow)
        self._store, self._log = folder / "store", folder / "server.log"
        self._random, self._seconds = random, seconds
        self._ports = free_ports(Random())
        self._checks = Checks(self._ports[1])
        self._reports: dict[str, dict[str, Any]] = {}
        self._samples: list[tuple[float, Held]] = []
        self._moves = self._kills = 0
        self._again = 0.0
        self._faults = Faults(self._store, self._ports[0], random)

    def run(self, progress: Progress) -> None:
        """Serve, ask, break, and stop in good order."""
        server = self._served()
        try:
            with self._clients():
                server = self._under_way(server, progress)
        finally:
            self._faults.close()
            server.end()

    def found(self) -> dict[str, Any]:
        """Return everything that was seen, as JSON."""
        settled = self._again + self._seconds * SETTLE
        late = [held for at, held in self._samples if at >= settled]
        third = max(1, len(late) // 3)
        return {
            "seconds": self._seconds,
            "versions of the data": self._moves,
            "faults": {**self._faults.made, "kill": self._kills},
            "clients": self._reports,
            "checked": self._checks.found(self._log),
            "settled": _median(late[:third]),
            "at the end": _median(late[-third:]),
            "bugs logged": bugs_of(self._log),
        }

    def _under_way(self, server: ServerProcess, progress: Progress) -> ServerProcess:
        bar = progress.add_task("soaking", total=self._seconds)
        begun = time.monotonic()
        until, kill = self._seconds, self._seconds * KILL_AT
        due = {"move": MOVE_SECONDS, "fault": FAULT_SECONDS}
        while (passed := time.monotonic() - begun) < until:
            progress.update(bar, completed=passed)
            if passed >= due["move"]:
                self._world.move()
                self._moves += 1
                due["move"] = passed + MOVE_SECONDS
            if passed >= due["fault"]:
                self._faults.one()
                due["fault"] = passed + FAULT_SECONDS
            if not self._kills and passed >= kill:
                self._checks.take()
                server.end()
                server = self._served()
                self._kills += 1
                self._again = time.monotonic() - begun
                # However long it took to come back, it is then watched for as long as planned.
                until = self._again + self._seconds * (1 - KILL_AT)
            assert server.alive, self._log.read_text()[-2000:]
            self._samples.append((passed, server.held()))
            time.sleep(STEP_SECONDS)
        self._checks.take()
        return server

    def _served(self) -> ServerProcess:
        flight, http = map(str, self._ports)
        command = [sys.executable, "-m", "flightframe_server", "serve", str(self._world.manifest)]
        command += ["--flight-port", flight, "--http-port", http, "--store", str(self._store)]
        return ServerProcess(command, self._log)

    @contextmanager
    def _clients(self) -> Iterator[None]:
        command = [sys.executable, str(HERE / "soak_client.py")]
        where = [str(self._world.folder), *map(str, self._ports)]
        started = {
            kind: subprocess.Popen(
                [*command, kind, *where, str(self._random.randrange(1 << 30))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for kind in KINDS
        }
        try:
            yield
        finally:
            for kind, process in started.items():
                said, _ = process.communicate()
                if process.returncode:
                    self._reports[kind] = {"asked": 0, "wrong": ["the client broke"], "met": {}}
                else:
                    self._reports[kind] = json.loads(said.splitlines()[-1])


def free_ports(random: Random) -> tuple[int, int]:
    """Return two ports that are free now, and that no outgoing connection is given.

    The server comes back on the same two; the kernel hands out ports from 32,768 on to whoever
    connects, also in that moment.
    """
    ports: list[int] = []
    while len(ports) < 2:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            ports.append(port)
    return ports[0], ports[1]


def bugs_of(log: Path) -> list[str]:
    """Return what the server's log tells of each call that ended in INTERNAL."""
    return [
        line.replace("\\n", "\n")
        for line in log.read_text().splitlines()
        if "flight.broke" in line or "web.broken" in line
    ]


def judged(found: dict[str, Any]) -> list[str]:
    """Return what must not be."""
    problems = [
        f"{kind}: {text}" for kind, seen in found["clients"].items() for text in seen["wrong"]
    ]
    idle = [kind for kind, seen in found["clients"].items() if not seen["asked"]]
    problems += [f"{kind} asked nothing" for kind in idle]
    problems += [
        f"{kind}: {again} of {seen['asked']} were told to ask again"
        for kind, seen in found["clients"].items()
        if (again := seen["met"].get("asked again", 0)) > seen["asked"] * ASKED_AGAIN + 3
    ]
    if bugs := found["bugs logged"]:
        stories = "\n".join(bugs[:STORIES])
        problems.append(f"{len(bugs)} calls ended in INTERNAL\n{stories}")
    problems += wrong(found["checked"], STORIES)
    before, after = found["settled"], found["at the end"]
    grown = after["mib"] > before["mib"] * MEMORY_GROWTH + MEMORY_SLACK_MIB
    if grown and found["seconds"] >= MEMORY_SECONDS:
        problems.append(f"memory grew from {before['mib']:.0f} to {after['mib']:.0f} MiB")
    slack = COUNT_SLACK if found["seconds"] >= MEMORY_SECONDS else COUNT_SLACK_SHORT
    problems += [
        f"{what} grew from {before[what]:.0f} to {after[what]:.0f}"
        for what in ("threads", "files")
        if after[what] > before[what] + slack
    ]
    return problems


def shown(found: dict[str, Any], console: Console) -> None:
    """Print what was seen as two tables."""
    clients = Table("client", "answers judged", "wrong", "met")
    for kind, seen in found["clients"].items():
        met = Counter(seen["met"])
        others = ", ".join(f"{what}: {count}" for what, count in met.items())
        clients.add_row(kind, str(seen["asked"]), str(len(seen["wrong"])), others)
    console.print(clients)
    held = Table("server", "settled", "at the end")
    for what in ("mib", "threads", "files"):
        held.add_row(what, f"{found['settled'][what]:.0f}", f"{found['at the end'][what]:.0f}")
    console.print(held)
    checked = found["checked"]
    console.print(
        f"answers to SQL sampled: {checked['sampled']}, compared with the facts: "
        f"{checked['compared']}, differed: {checked['differed']}; {checked['outcomes']}"
    )
    moved = found["versions of the data"]
    console.print(f"versions of the data: {moved}; faults: {found['faults']}")


def _median(samples: list[Held]) -> dict[str, float]:
    return {
        what: float(median(getattr(held, what) for held in samples))
        for what in ("mib", "threads", "files")
    }


if __name__ == "__main__":
    typer.run(main)
