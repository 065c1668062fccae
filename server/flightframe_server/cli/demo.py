"""`flightframe demo` and `flightframe init-demo`: the walkthrough, start to end.

What comes in: a folder. What goes out: the retail demonstration in it; and for `demo` the boot log,
a running server, and each of the walkthrough's queries with its answer, compared with what the
walkthrough promises. It must never show a label that the server did not give.

The walkthrough begins with grains that no query has used yet, so each run of `demo` keeps its
answers in a new folder among the system's temporary files, removed at the end. What
`flightframe serve` keeps beside the demo's files is neither read nor touched.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import flightframe
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.cli.console import out, progress
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.logs import configure_logs
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
STORE_PREFIX = "flightframe-demo-"


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
    of your own. With --exit any free ports do.

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
        written = boot(data_dir)
        store = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=STORE_PREFIX)))
        opened = stack.enter_context(
            closing(open_installation(data_dir / INSTALLATION, store=store))
        )
        ports = chosen_ports(opened.installation.server, flight_port, http_port)
        reserved = stack.enter_context(closing(ReservedPorts(ports)))
        if not skip_warmup:
            warm_up(opened)
        servers = reserved.start(opened)
        try:
            show_addresses(servers, opened)
            kept = run_walkthrough(servers, opened, written, store, stop, labels=not skip_warmup)
            if not leave and not stop.requested:
                invite(servers)
                with reloading(opened.reloader, watch=watch):
                    stop.wait()
        finally:
            ended = servers.close()
        code = 0 if kept or not leave else 1
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
    made = 0
    for name in opened.runtime.engines:
        out.print(f"  → warming up engine for AC {name!r} …")
    for _, warmed in opened.warm_up():
        if warmed.failure is None:
            made += 1
            out.print(Text.assemble(("      ✓ ", "green"), str(warmed.hint)))
        else:
            out.print(Text.assemble(("      ✗ ", "red"), f"{warmed.hint}: {warmed.failure}"))
    out.print(Text.assemble(("  ✓ ", "green"), f"pre-materialised {made} (family, anchor) entries"))


def show_addresses(servers: Servers, opened: OpenInstallation) -> None:
    """Say where the demonstration answers."""
    out.print(Text.assemble("\n", ("Serving ", "bold"), (servers.flight_uri, "bold cyan")))
    out.print(f"  http:             {servers.http_url}")
    out.print(f"  runtime:          {servers.http_url}/runtime/healthz")
    out.print(f"  installation_id:  {opened.installation.id}\n")


def run_walkthrough(
    servers: Servers,
    opened: OpenInstallation,
    written: WrittenDemo,
    store: Path,
    stop: StopSignals,
    *,
    labels: bool,
) -> bool:
    """Ask the walkthrough's queries as a client, show them, and return whether all is as promised.

    Args:
        servers: both servers.
        opened: what it serves.
        written: the demo's files.
        store: the folder of its entries.
        stop: looked at between steps.
        labels: whether where the answers came from is compared.

    Raises:
        flightframe.FlightframeError: a query was refused.
        FlightframeError: the entries or the Parquet files cannot be read.
    """
    if not labels:
        out.print("The warm-up was skipped: rows are compared, labels are not.\n")
    kept: list[bool] = []
    (engine,) = opened.runtime.engines.values()
    collection = engine.collection
    in_python = labels
    with flightframe.connect(servers.flight_uri) as connection:
        for outcome in walk(connection, written.folder, labels=labels):
            if in_python and outcome.step.number > PYTHON_STEP:
                python = walk_in_python(collection, store / collection.name, written.folder)
                show_python(python)
                kept.append(not python.differences)
                in_python = False
            show_outcome(outcome)
            kept.append(not outcome.differences)
            if stop.requested:
                return False
    out.print(verdict(kept))
    return all(kept)


def invite(servers: Servers) -> None:
    """Say what can be done with a server that stays up."""
    out.print("\nIt stays up until Ctrl-C. In another terminal:\n")
    here = "" if servers.flight_uri == DEFAULT_URI else f"--uri {servers.flight_uri} "
    for source in SUGGESTIONS:
        out.print(f'  flightframe query {here}"{source}"')
