"""`flightframe demo` and `flightframe init-demo`: the walkthrough, start to end.

What comes in: a folder. What goes out: the retail demonstration in it; and for `demo` the boot log,
a running server, and each of the walkthrough's queries with its answer, compared with what the
walkthrough promises. It must never show a label that the server did not give.

Its answers are kept beside the demo's files, where `flightframe serve` keeps them. The walkthrough
begins with grains that no query has used yet: in a later run they are kept already, and what is
promised of them is what EXPLAIN says of them then.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import flightframe
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.cli.collector import spared_imports
from flightframe_server.cli.console import out
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.logs import configure_logs
from flightframe_server.cli.progress import progress
from flightframe_server.cli.query import DEFAULT_URI
from flightframe_server.cli.reload_signal import Watch, reloading
from flightframe_server.cli.serve import FlightPort, HttpPort, SkipWarmUp
from flightframe_server.cli.servers import (
    ReservedPorts,
    Servers,
    chosen_ports,
    without_tracebacks,
)
from flightframe_server.cli.stop_signals import StopSignals, end_now
from flightframe_server.cli.walkthrough_output import show_outcome, show_python, verdict
from flightframe_server.cli.without_pandas import without_pandas
from flightframe_server.demo.files import (
    DATABASE,
    GENERATE,
    INSTALLATION,
    WrittenDemo,
    write_demo,
)
from flightframe_server.demo.walkthrough import PYTHON_STEP, walk, walk_in_python

DATA_DIR = Path(".flightframe-demo")
SUGGESTIONS = (
    "SELECT category, SUM(revenue) AS revenue AT category",
    "SELECT month, margin AT month",
)


def init_demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it does not exist.")],
) -> None:
    """Write the retail demonstration into a folder, and serve nothing.

    Five tables as Parquet and in one DuckDB file, the collection, and an
    installation.yaml. Files that are there already are left as they are.

    [bold]Example[/bold]

      flightframe init-demo shop
      flightframe serve shop/installation.yaml
    """
    with reported_errors():
        written = written_demo(folder)
        for name in written.written:
            out.print(f"  ✓ wrote {folder / name}")
        for name in written.skipped:
            out.print(f"  · found {folder / name}")
        out.print(f"\nflightframe serve {folder / INSTALLATION}")


def demo(
    data_dir: Annotated[
        Path,
        typer.Option(metavar="DIR", envvar="FLIGHTFRAME_DATA_DIR", help="Folder of the data."),
    ] = DATA_DIR,
    flight_port: FlightPort = None,
    http_port: HttpPort = None,
    skip_warmup: SkipWarmUp = False,
    watch: Watch = False,
    leave: Annotated[
        bool,
        typer.Option("--exit", help="End after the last query: with 1 if any answer differs."),
    ] = False,
) -> None:
    """Run the walkthrough: data, server, and every query with what it promises.

    Writes the retail demonstration where it is not there yet, warms up, serves,
    then asks each query of the walkthrough as a client over the socket and
    compares the answer with what is promised. Stays up until Ctrl-C, for queries
    of your own. What it made is kept: a second run is warm, and says where an
    answer comes from the cache for that. With --exit any free ports do.

    [bold]Examples[/bold]

      flightframe demo
      flightframe demo --exit
      flightframe query "SELECT category, SUM(revenue) AS r AT category"
    """
    configure_logs(logging.WARNING)
    if leave:
        flight_port = 0 if flight_port is None else flight_port
        http_port = 0 if http_port is None else http_port
    with without_tracebacks(), reported_errors(), StopSignals() as stop, ExitStack() as stack:
        stack.enter_context(without_pandas())
        written = boot(data_dir)
        stack.enter_context(spared_imports())
        opened = stack.enter_context(closing(open_installation(data_dir / INSTALLATION)))
        warm = holds_entries(opened)
        ports = chosen_ports(opened.installation.server, flight_port, http_port)
        reserved = stack.enter_context(closing(ReservedPorts(ports)))
        if not skip_warmup:
            warm_up(opened)
        servers = reserved.start(opened)
        try:
            show_addresses(servers, opened)
            passed = run_walkthrough(servers, opened, written, labels=not skip_warmup, warm=warm)
            stop.started()
            if not leave:
                invite(servers)
                with reloading(opened.reloader, watch=watch):
                    stop.wait()
        finally:
            ended = servers.close()
        code = 0 if passed or not leave else 1
        if not ended:
            stack.close()
            end_now(code)
    raise typer.Exit(code)


def written_demo(folder: Path) -> WrittenDemo:
    """Write what is missing of the demonstration, with a bar on a terminal.

    Raises:
        SetupError: the folder cannot be written.
    """
    with progress("looking", None) as bar:

        def report(step: str, done: int, total: int) -> None:
            bar.at("generating the tables" if step == GENERATE else step, done, total)

        return write_demo(folder, progress=report)


def boot(folder: Path) -> WrittenDemo:
    """Make or find the data, and log it as the walkthrough does."""
    out.print(Text("flightframe demo (DuckDB + Metric Engine)", "bold"))
    out.print(f"  data dir: {folder.resolve()}")
    database = folder / DATABASE
    if database.exists():
        out.print(f"  → found the retail tables in {database}")
    else:
        out.print(f"  → loading the retail tables into {database} …")
    written = written_demo(folder)
    for table, rows in written.rows.items():
        out.print(f"      {table}: {rows:,} rows")
    verb = "wrote" if INSTALLATION in written.written else "found"
    out.print(Text.assemble(("  ✓ ", "green"), f"{verb} {folder / INSTALLATION}"))
    return written


def warm_up(opened: OpenInstallation) -> None:
    """Make what is hinted, and log each entry."""
    made = kept = 0
    for name in opened.runtime.engines:
        out.print(f"  → warming up engine for AC {name!r} …")
    for _, warmed in opened.warm_up():
        if warmed.failure is None:
            made += not warmed.fresh
            kept += warmed.fresh
            since = " (kept from an earlier run)" if warmed.fresh else ""
            out.print(Text.assemble(("      ✓ ", "green"), str(warmed.hint), (since, "dim")))
        else:
            out.print(Text.assemble(("      ✗ ", "red"), f"{warmed.hint}: {warmed.failure}"))
    before = f", found {kept}" if kept else ""
    out.print(
        Text.assemble(
            ("  ✓ ", "green"), f"pre-materialised {made} (family, anchor) entries{before}"
        )
    )


def show_addresses(servers: Servers, opened: OpenInstallation) -> None:
    """Say where the demonstration answers."""
    out.print(Text.assemble("\n", ("Serving ", "bold"), (str(servers.http_url), "bold cyan")))
    out.print(f"  workbench:        {servers.http_url}/")
    out.print(f"  runtime:          {servers.http_url}/runtime/healthz")
    out.print(f"  flight:           {servers.flight_uri}")
    out.print(f"  installation_id:  {opened.installation.id}\n")


def run_walkthrough(
    servers: Servers,
    opened: OpenInstallation,
    written: WrittenDemo,
    *,
    labels: bool,
    warm: bool,
) -> bool:
    """Ask the walkthrough's queries as a client, show them, and return whether all is as promised.

    Args:
        servers: both servers.
        opened: what it serves.
        written: the demo's files.
        labels: whether where the answers came from is compared.
        warm: whether an earlier run left entries, so that grains need not be cold.

    Raises:
        flightframe.FlightframeError: a query was refused.
        FlightframeError: the entries or the Parquet files cannot be read.
    """
    if not labels:
        out.print("The warm-up was skipped: rows are compared, labels are not.\n")
    passed: list[bool] = []
    warm_steps = 0
    (engine,) = opened.runtime.engines.values()
    collection = engine.collection
    store = store_of(opened) / collection.name
    in_python = labels
    with flightframe.connect(servers.flight_uri) as connection:
        for outcome in walk(connection, written.folder, labels=labels, warm=warm):
            if in_python and outcome.step.number > PYTHON_STEP:
                python = walk_in_python(collection, store, written.folder)
                show_python(python)
                passed.append(not python.differences)
                in_python = False
            show_outcome(outcome)
            passed.append(not outcome.differences)
            warm_steps += outcome.warm
    out.print(verdict(passed, warm_steps))
    return all(passed)


def store_of(opened: OpenInstallation) -> Path:
    """Return the folder of an installation's entries."""
    return opened.folder / opened.installation.metric_engine.store


def holds_entries(opened: OpenInstallation) -> bool:
    """Return whether entries were kept before this run."""
    stores = (engine.store for engine in opened.runtime.engines.values())
    return any(store is not None and store.holdings().groups for store in stores)


def invite(servers: Servers) -> None:
    """Say what can be done with a server that stays up."""
    out.print("\nIt stays up until Ctrl-C. In another terminal:\n")
    command = own_command()
    here = "" if servers.flight_uri == DEFAULT_URI else f" --uri {servers.flight_uri}"
    for source in SUGGESTIONS:
        out.print(f'  {command} query{here} "{source}"')
    out.print(f"  {command} shell{here}")


def own_command() -> str:
    """Return what is typed to run this very program, where no environment is active."""
    script = Path(sys.argv[0])
    if script.name.startswith("__main__"):
        beside = Path(sys.executable).with_name("flightframe")
        if not beside.exists():
            return f"{shlex.quote(sys.executable)} -m flightframe_server"
        script = beside
    everywhere = shutil.which("flightframe", path=os.defpath)
    if everywhere is not None and os.path.samefile(everywhere, script):
        return "flightframe"
    return shlex.quote(str(script.absolute()))
