"""`flightframe recommend` and `flightframe promote`: what is asked often becomes a hint.

What comes in: the path of a manifest, thresholds, or families with their anchors. What goes out:
the recommendations with the stanzas to paste; or the difference that a promotion makes, and after a
yes the file with it. It must never write a file before it has shown what changes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.text import Text

from flightframe.display import printable
from flightframe_server.app import open_installation
from flightframe_server.cli.console import counted, err, new_table, out, show_table, writable
from flightframe_server.cli.describe import Shape
from flightframe_server.cli.error_output import print_error, reported_errors
from flightframe_server.cli.installation_options import (
    CollectionOption,
    InstallationPath,
    StoreOption,
    collection_names,
)
from flightframe_server.cli.layout import Column
from flightframe_server.cli.option_kinds import as_text
from flightframe_server.cli.overview import size
from flightframe_server.errors import FlightframeError
from flightframe_server.operations import Operations, Promoted
from flightframe_server.promotion.recommend import (
    MIN_AGE_DAYS,
    MIN_HITS,
    MIN_HITS_PER_DAY,
    NotCandidate,
    Recommendation,
    Recommendations,
    Thresholds,
)
from flightframe_server.promotion.stanza import Promotion, stanza

INDENT = 2

MinHits = Annotated[int, typer.Option(min=0, help="Hits from which on a question is hot.")]
MinAgeDays = Annotated[
    float, typer.Option(min=0, help="Days since it was first asked, at the least.")
]
MinHitsPerDay = Annotated[float, typer.Option(min=0, help="Hits a day, at the least.")]
OutputShape = Annotated[Shape, typer.Option("--format", help="How it is written.")]


def recommend(
    installation: InstallationPath,
    min_hits: MinHits = MIN_HITS,
    min_age_days: MinAgeDays = MIN_AGE_DAYS,
    min_hits_per_day: MinHitsPerDay = MIN_HITS_PER_DAY,
    output: OutputShape = Shape.TABLE,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """Show which questions are asked so often that they deserve a hint.

    Reads the statistics that the server keeps in its store, also while it
    serves. Of each: hits, days, hits a day, the bytes that its entry takes, how
    long making it took, and what that saves a day. The stanza below can be
    pasted into the collection; promote does it. Hot questions that no hint can
    keep are listed with the reason.

    [bold]Examples[/bold]

      flightframe recommend installation.yaml
      flightframe recommend installation.yaml --min-hits 10 --min-age-days 0
      flightframe recommend installation.yaml --format json
    """
    thresholds = Thresholds(min_hits, min_age_days, min_hits_per_day)
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        operations = opened.operations()
        by_collection = {
            name: operations.recommendations(name, thresholds)
            for name in collection_names(opened, collection)
        }
    if output is Shape.JSON:
        bodies = [{"ac_name": name, **one.to_json()} for name, one in by_collection.items()]
        print(writable(json.dumps(bodies, indent=2, ensure_ascii=False)))
        return
    for name, recommendations in by_collection.items():
        show_recommendations(name, recommendations)


def promote(
    installation: InstallationPath,
    anchors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FAMILY@LEVEL,LEVEL]...",
            help="What to hint, such as revenue@day,region.",
            show_default="what recommend shows",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the difference, and write nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    min_hits: MinHits = MIN_HITS,
    min_age_days: MinAgeDays = MIN_AGE_DAYS,
    min_hits_per_day: MinHitsPerDay = MIN_HITS_PER_DAY,
    collection: CollectionOption = None,
    store: StoreOption = None,
) -> None:
    """Put hints into the collection's file, which keeps every other letter.

    Shows the difference and asks before it writes. What the resolver would
    refuse is refused, and what is hinted already is left as it is. A server that
    runs makes the entries when it loads the file anew; warm makes them now.

    [bold]Examples[/bold]

      flightframe promote installation.yaml --dry-run
      flightframe promote installation.yaml revenue@day,region
      flightframe promote installation.yaml --min-hits 10 --min-age-days 0 --yes
    """
    named = [read_anchor(as_text(text) or "") for text in anchors or ()]
    thresholds = Thresholds(min_hits, min_age_days, min_hits_per_day)
    with reported_errors(), closing(open_installation(installation, store=store)) as opened:
        operations = opened.operations()
        proposed: list[Promoted] = []
        if named:
            proposed.append(proposed_of(operations, named, collection))
        else:
            for name in collection_names(opened, collection):
                hot = operations.recommendations(name, thresholds).candidates
                promotions = [one.promotion for one in hot]
                proposed.append(proposed_of(operations, promotions, name))
        changing = [one for one in proposed if one.proposal.diff]
        if not changing:
            say_nothing_changes(named, thresholds)
            return
        for one in changing:
            show_diff(one.proposal.diff)
        if dry_run:
            return
        agree(changing, yes=yes)
        for one in changing:
            done = operations.apply(one.proposal.hash).proposal
            hints = counted(len(done.promotions), "hint")
            out.print(Text.assemble(("✓ ", "bold green"), f"wrote {done.file}: {hints}"))
    out.print(f"made at the next start or reload, or now by: flightframe warm {installation}")


def read_anchor(text: str) -> Promotion:
    """Return what `revenue@day,region` or `revenue @ (day, region)` names.

    Raises:
        typer.BadParameter: it is no such text.
    """
    family, sign, levels = text.rpartition("@")
    if not sign or not family.strip():
        raise typer.BadParameter(f"{text!r} is not written as FAMILY@LEVEL,LEVEL")
    listed = levels.strip()
    if listed.startswith("(") and listed.endswith(")"):
        listed = listed[1:-1]
    names = [name.strip().strip('"') for name in listed.split(",")] if listed.strip() else []
    if not all(names):
        raise typer.BadParameter(f"{text!r} has an empty level")
    return Promotion(family.strip().strip('"'), tuple(names))


def proposed_of(
    operations: Operations, promotions: Sequence[Promotion], collection: str | None
) -> Promoted:
    """Return the proposal; where the file cannot be edited, show what to paste.

    Raises:
        FlightframeError: a hint would be refused.
        typer.Exit: the file cannot be edited; the stanza is shown.
    """
    try:
        return operations.propose(promotions, collection)
    except FlightframeError as error:
        pasted = error.details.get("stanza")
        if pasted is None:
            raise
        print_error(error)
        print(writable(str(pasted)))
        raise typer.Exit(1) from None


def agree(changing: Iterable[Promoted], *, yes: bool) -> None:
    """Ask whether the files may be written.

    Raises:
        typer.Exit: they may not.
    """
    if yes:
        return
    files = ", ".join(one.proposal.file for one in changing)
    if not sys.stdin.isatty():
        err.print(f"nothing is written: say --yes to write {files}")
        raise typer.Exit(1)
    if not typer.confirm(f"Write {files}?", err=True):
        raise typer.Exit(1)


def say_nothing_changes(named: Sequence[Promotion], thresholds: Thresholds) -> None:
    """Say why there is nothing to write."""
    if named:
        out.print("nothing changes: all of it is hinted already")
    else:
        out.print(f"nothing changes: no question without a hint has {words(thresholds)}")


def words(thresholds: Thresholds) -> str:
    """Return thresholds in words."""
    text = f"{counted(thresholds.min_hits, 'hit')} in {thresholds.min_age_days:g} days or more"
    rate = f", {thresholds.min_hits_per_day:g} a day" if thresholds.min_hits_per_day else ""
    return text + rate


def show_diff(diff: str) -> None:
    """Print a difference in colours where there is a terminal."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        out.print(Text(writable(printable(line)), styles.get(line[:1], "")))


def show_recommendations(name: str, recommendations: Recommendations) -> None:
    """Show what one collection's statistics say."""
    out.print(Text(printable(name), "bold"))
    if recommendations.candidates:
        show_candidates(recommendations.candidates)
    else:
        out.print(f"  no question without a hint has {words(recommendations.thresholds)}")
    if recommendations.others:
        out.print(Text("\n  hot, and nothing that a hint can keep\n", "bold"))
        show_others(recommendations.others)
    out.print()


def show_candidates(candidates: Sequence[Recommendation]) -> None:
    """Show recommendations as a table, and one stanza for each family."""
    numbers = ("hits", "days", "hits/day", "takes", "made in", "saves a day")
    table = new_table("family", "anchor", *(Column(heading, numeric=True) for heading in numbers))
    for one in candidates:
        table.add(
            printable(one.family),
            anchor_cell(one.anchor),
            f"{one.hits:,}",
            f"{one.age_days:,.1f}",
            f"{one.hits_per_day:,.1f}",
            size(one.bytes),
            seconds_cell(one.seconds),
            seconds_cell(one.saved_seconds_per_day),
        )
    out.print()
    show_table(table, INDENT)
    families = dict.fromkeys(one.family for one in candidates)
    for family in families:
        mine = [one for one in candidates if one.family == family]
        out.print()
        print(writable(stanza(family, mine[0].file, [one.promotion for one in mine])))


def show_others(others: Sequence[NotCandidate]) -> None:
    """Show the hot questions that no hint can keep."""
    table = new_table("family", "reducer", "anchor", Column("hits", numeric=True), "why")
    for one in others:
        table.add(
            printable(one.family),
            printable(one.operator),
            anchor_cell(one.anchor),
            f"{one.hits:,}",
            printable(one.reason),
        )
    show_table(table, INDENT)


def anchor_cell(anchor: Iterable[str]) -> str:
    """Return an anchor as it stands in a cell."""
    return writable(printable(f"({', '.join(anchor)})"))


def seconds_cell(seconds: float | None) -> str:
    """Return a time in the unit that fits it; empty where it is not known.

    >>> seconds_cell(0.0123), seconds_cell(4.94), seconds_cell(5400), seconds_cell(None)
    ('12 ms', '4.9 s', '90.0 min', '')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 600 else f"{seconds / 60:,.1f} min"
