"""`flightframe cache list|evict|verify` and `flightframe warm`: the store, from the command line.

What comes in: the path of a manifest, and which entries. What goes out: a list, or what was done.
It must never show a filter's values: such a list is shown to others than those who asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.text import Text

from flightframe.display import printable
from flightframe_server.algebra.reducers import POINTS
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.cli.console import new_table, out, show_table, writable
from flightframe_server.cli.describe import Shape
from flightframe_server.cli.error_output import print_error, reported_errors
from flightframe_server.cli.installation_options import (
    CollectionOption,
    InstallationPath,
    StoreOption,
    collection_names,
)
from flightframe_server.cli.layout import Column
from flightframe_server.cli.overview import size
from flightframe_server.cli.progress import progress
from flightframe_server.cli.promotion import OutputShape, anchor_cell
from flightframe_server.engine.warm_up import hints
from flightframe_server.errors import NotSupported
from flightframe_server.promotion.listing import ListedEntry, Listing

INDENT = 2
SHOWN_ID = 8

cache_app = typer.Typer(no_args_is_help=True, help="The store of kept answers.")


def warm(
    installation: InstallationPath,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """Make now what the collections ask for in cache_hint.

    What is there and fresh is left as it is. A server that runs on the same store
    finds the entries within a second. The exit code is 1 where one cannot be made.

    [bold]Example[/bold]

      flightframe warm installation.yaml
    """
    failed = 0
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        names = collection_names(opened, collection)
        engines = [opened.runtime.engines[name] for name in names]
        if any(engine.store is None for engine in engines):
            raise engine_is_off()
        total = sum(len(hints(engine)) for engine in engines)
        made = fresh = 0
        with progress("warming up", total) as bar:
            for done, (_, warmed) in enumerate(opened.warm_up(names), start=1):
                bar.at(f"warming up {warmed.hint}", done, total)
                if warmed.failure is not None:
                    failed += 1
                    out.print(Text.assemble(("✗ ", "bold red"), printable(str(warmed.hint))))
                    print_error(warmed.failure)
                    continue
                fresh, made = fresh + warmed.fresh, made + (not warmed.fresh)
                state = "found" if warmed.fresh else "made"
                hint = printable(str(warmed.hint))
                out.print(Text.assemble(("✓ ", "green"), f"{hint} · {state}"))
    out.print(f"{made} made, {fresh} found fresh{f', {failed} failed' if failed else ''}")
    if failed:
        raise typer.Exit(1)


@cache_app.command("list")
def list_entries(
    installation: InstallationPath,
    output: OutputShape = Shape.TABLE,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """List what is kept: anchors, rows, bytes, hits, and whether it is of the data now.

    Of a filter only the levels are shown that it names.

    [bold]Examples[/bold]

      flightframe cache list installation.yaml
      flightframe cache list installation.yaml --format json
    """
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        operations = opened.operations()
        listings = [operations.manifest(name) for name in collection_names(opened, collection)]
    if output is Shape.JSON:
        bodies = [listing.to_json() for listing in listings]
        print(writable(json.dumps(bodies, indent=2, ensure_ascii=False)))
        return
    for listing in listings:
        show_listing(listing)


@cache_app.command("evict")
def evict(
    installation: InstallationPath,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Entries, as cache list names them.", show_default="none"
        ),
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="Those that are not of the data as they are now.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """Take entries out of the store; the next question that needs one makes it again.

    How often they were asked for stays known. A server that runs on the same store
    sees it within a second.

    [bold]Examples[/bold]

      flightframe cache evict installation.yaml 46a35210
      flightframe cache evict installation.yaml --stale
    """
    if not ids and not stale and not every:
        raise typer.BadParameter("name entries, or say --stale or --all")
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        operations = opened.operations()
        names = collection_names(opened, collection)
        count = 0
        if ids:
            count += operations.evict(ids, collection)
        for name in names if stale or every else ():
            chosen = [
                entry.id for entry in operations.manifest(name).entries if every or not entry.fresh
            ]
            count += operations.evict(chosen, name)
    out.print(f"evicted {'1 entry' if count == 1 else f'{count:,} entries'}")


@cache_app.command("verify")
def verify(
    installation: InstallationPath,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """Read every file of the store and compare it with what was written.

    What is damaged is dropped, and made again by the next question that needs it.
    The exit code is 1 where something was.

    [bold]Example[/bold]

      flightframe cache verify installation.yaml
    """
    damaged = 0
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        for name in collection_names(opened, collection):
            damaged += verified(opened, name)
    if damaged:
        raise typer.Exit(1)


def verified(opened: OpenInstallation, name: str) -> int:
    """Verify the store of one collection, show the outcome, and return how many were damaged."""
    kept = opened.runtime.engines[name].store
    if kept is None:
        raise engine_is_off()
    # Files that are missing or of another size are dropped already when a store is opened.
    dropped = kept.damaged
    verification = opened.operations().verify(name)
    damaged = dropped + verification.damaged
    sound = "1 entry" if verification.sound == 1 else f"{verification.sound:,} entries"
    out.print(
        Text.assemble(
            ("✓ ", "bold green") if not damaged else ("✗ ", "bold red"),
            f"{printable(name)}: {sound} sound, {size(verification.bytes)} read",
            f"; {damaged:,} damaged, and dropped" if damaged else "",
        )
    )
    return damaged


def engine_is_off() -> NotSupported:
    """Return the error of a command on a store that there is not."""
    return NotSupported(
        "the engine is off and keeps nothing", hint="set metric_engine.enabled to true"
    )


def show_listing(listing: Listing) -> None:
    """Show the store of one collection."""
    out.print(Text(printable(listing.ac_name), "bold"))
    if not listing.enabled:
        out.print("  the engine is off and keeps nothing")
        return
    if listing.entries:
        show_entries(listing.entries)
    total = "1 entry" if len(listing.entries) == 1 else f"{len(listing.entries):,} entries"
    share = 100 * listing.bytes / listing.budget_bytes
    out.print(f"  {total}, {size(listing.bytes)} of {size(listing.budget_bytes)} ({share:.1f}%)\n")


def show_entries(entries: Sequence[ListedEntry]) -> None:
    """Show entries as a table."""
    numbers = (Column(heading, numeric=True) for heading in ("rows", "takes", "hits", "age"))
    table = new_table("metric", "anchor", *numbers, "state", "id")
    for entry in entries:
        state = ("hinted " if entry.pinned else "") + ("fresh" if entry.fresh else "older")
        filtered = f" where {', '.join(entry.filter) or '…'}" if entry.filtered else ""
        table.add(
            writable(printable(metric_cell(entry))),
            anchor_cell(entry.anchor) + writable(printable(filtered)),
            f"{entry.rows:,}",
            size(entry.bytes),
            f"{entry.hits:,}",
            age_cell(entry.age_seconds),
            state,
            entry.id.rpartition("-")[2][:SHOWN_ID],
        )
    show_table(table, INDENT)


def metric_cell(entry: ListedEntry) -> str:
    """Return what an entry is of, as a query writes it: `SUM(revenue)`, `QUANTILE(price, 0.9)`.

    What no query writes, the list of the members of a schema's levels, is told in words.
    """
    if entry.operator == POINTS:
        return f"members of {entry.family.removeprefix('members(').removesuffix(')')}"
    reducer, _, arguments = entry.operator.partition("(")
    further = f", {arguments.removesuffix(')')}" if arguments else ""
    return f"{reducer}({entry.family}{further})"


def age_cell(seconds: float) -> str:
    """Return an age in the unit that fits it.

    >>> age_cell(42), age_cell(7_200), age_cell(400_000)
    ('42 s', '2.0 h', '4.6 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
