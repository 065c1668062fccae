"""Everybody who answers, over the same rows: our server, bare ones, a database, and peers.

What comes in: a folder. What goes out: for each side its address and its process, and of those that
could not be started the reason. It must never listen but at the loopback interface.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from flightframe_server.benchmark import bare_server
from flightframe_server.benchmark.callers import asking
from flightframe_server.benchmark.paths import (
    BARE,
    DUCKDB,
    HOOKED,
    OURS,
    REVENUE,
    ROAPI,
    Side,
)
from flightframe_server.benchmark.processes import free_port, program, running
from flightframe_server.benchmark.questions import Question
from flightframe_server.benchmark.targets import Target, Way
from flightframe_server.demo.files import DATABASE, INSTALLATION, write_demo
from flightframe_server.errors import SetupError

_ADBC = "adbc_driver_flightsql"
_OVER_HTTP = frozenset({Way.HTTP_JSON, Way.HTTP_ARROW})


@dataclass(slots=True)
class World:
    """Who answers.

    Attributes:
        folder: where the demonstration is.
        addresses: of each side, by its name.
        pids: the processes of those that are one.
        http: where we answer HTTP.
        absent: why a side is not there, by its name.
    """

    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    http: str = ""
    absent: dict[str, str] = field(default_factory=dict)

    def why_not(self, side: Side) -> str | None:
        """Return why a side cannot be asked in its way; None: it can."""
        if side.way in (Way.ADBC, Way.ADBC_REUSED) and find_spec(_ADBC) is None:
            return "the package adbc-driver-flightsql is not installed"
        return self.absent.get(side.name)

    def target(self, side: Side, questions: Iterable[Question]) -> Target:
        """Return a side as one that can be asked these questions."""
        is_sql = side.name in (DUCKDB, ROAPI)
        address = self.http if side.way in _OVER_HTTP else self.addresses[side.name]
        texts = tuple(one.sql if is_sql else one.frame_ql for one in questions)
        return Target(side.way, address, texts, side.bypasses_cache)


@contextmanager
def opened_world(folder: Path) -> Iterator[World]:
    """Write the demonstration, and start everybody who can be.

    Args:
        folder: where; what is there already is left.

    Raises:
        SetupError: our own server does not start.
    """
    write_demo(folder)
    world = World(folder, {DUCKDB: str(folder / DATABASE)})
    with ExitStack() as stack:
        _start_ours(world, stack)
        _start_bare(world, stack)
        try:
            _start_roapi(world, stack)
        except SetupError as error:
            world.absent[ROAPI] = error.message
        yield world


@dataclass(frozen=True, slots=True)
class OurServer:
    """Our server as a process, and where it answers."""

    pid: int
    flight: str
    http: str


@contextmanager
def our_server(manifest: Path, *options: str) -> Iterator[OurServer]:
    """Serve an installation at free ports until the end of the block.

    Args:
        manifest: of the installation.
        options: further options of `flightframe serve`.

    Raises:
        SetupError: it does not start.
    """
    command = [sys.executable, "-m", "flightframe_server", "serve", str(manifest), *options]
    with running([*command, "--flight-port", "0", "--http-port", "0"]) as started:
        facts = dict(part.split("=", 1) for part in started.line.split() if "=" in part)
        yield OurServer(started.pid, facts["flight"], facts["http"])


def _start_ours(world: World, stack: ExitStack) -> None:
    server = stack.enter_context(our_server(world.folder / INSTALLATION))
    world.addresses[OURS], world.http = server.flight, server.http
    world.pids[OURS] = server.pid


def _start_bare(world: World, stack: ExitStack) -> None:
    prepared = world.folder / "prepared.arrow"
    with asking(world.target(Side(OURS, Way.CLIENT), ())) as ask:
        table = ask(REVENUE.frame_ql)
    with pa.ipc.new_file(str(prepared), table.schema) as writer:
        writer.write_table(table)
    for name, flags in ((BARE, []), (HOOKED, [bare_server.HOOKED])):
        command = [sys.executable, "-m", bare_server.__name__, str(prepared), *flags]
        started = stack.enter_context(running(command))
        world.addresses[name], world.pids[name] = started.line, started.pid


def _start_roapi(world: World, stack: ExitStack) -> None:
    roapi = program("roapi")
    if roapi is None:
        raise SetupError("the package roapi is not installed")
    port = free_port()
    names = ("transactions", "stores", "products")
    tables = [f"{name}={world.folder / f'{name}.parquet'}" for name in names]
    listens = ["--addr-flight-sql", f"127.0.0.1:{port}", "--addr-http", f"127.0.0.1:{free_port()}"]
    command = [roapi, *(part for table in tables for part in ("--table", table)), *listens]
    started = stack.enter_context(running(command, port=port))
    world.addresses[ROAPI], world.pids[ROAPI] = f"grpc://127.0.0.1:{port}", started.pid
