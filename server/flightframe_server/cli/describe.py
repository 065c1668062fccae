"""`flightframe describe`: what can be asked of a server, from the command line.

What comes in: a name, or nothing. What goes out: levels with what the data holds of them, and
metrics with where they may be asked, as tables or as JSON. It must never read the database itself:
it is a client like any other.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from flightframe import (
    AnchorsDescription,
    CollectionDescription,
    Description,
    LevelDescription,
    LevelFacts,
    MetricDescription,
)
from flightframe.display import printable
from flightframe_server.cli.connection_options import (
    ClientCert,
    ClientKey,
    ConnectionOptions,
    RootCerts,
    User,
    as_text,
    connected,
)
from flightframe_server.cli.console import cell_text, counted, new_table, out, show_table, writable
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.query import (
    DEFAULT_URI,
    CollectionName,
    Timeout,
    Uri,
)

MEMBERS = 20
INDENT = 2


class Shape(StrEnum):
    """How a description is written."""

    TABLE = "table"
    JSON = "json"


Wanted = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="A level, metric or schema; its members and reasons are shown in full.",
        show_default="all of them",
        callback=as_text,
    ),
]
Members = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="How many members of each level are listed; 0 counts them.",
        show_default=f"{MEMBERS} of a named level, else the data is not asked",
    ),
]
SchemaName = Annotated[
    str | None,
    typer.Option(
        "--schema",
        help="Levels that rows of this schema reach, and the members these have.",
        show_default="the rows that know each level best",
        callback=as_text,
    ),
]
OutputShape = Annotated[Shape, typer.Option("--format", help="How it is written.")]


def describe(
    name: Wanted = None,
    uri: Uri = DEFAULT_URI,
    output: OutputShape = Shape.TABLE,
    members: Members = None,
    schema: SchemaName = None,
    collection: CollectionName = None,
    timeout: Timeout = None,
    user: User = None,
    tls_root_certs: RootCerts = None,
    tls_client_cert: ClientCert = None,
    tls_client_key: ClientKey = None,
) -> None:
    """Show what can be asked: levels and their members, metrics and their anchors.

    Of a level: how many members it has, from which to which, and the first of
    them. Of a metric: the levels it may be asked at, those it cannot do
    without, and of every other level the rule that forbids it.

    [bold]Examples[/bold]

      flightframe describe
      flightframe describe region --members 50
      flightframe describe day --schema transactions
      flightframe describe on_hand
    """
    most = MEMBERS if members is None and name is not None else members
    options = ConnectionOptions(user, tls_root_certs, tls_client_cert, tls_client_key)
    with reported_errors(), connected(uri, timeout, options) as connection:
        description = connection.describe(name, collection=collection, members=most, schema=schema)
    if output is Shape.JSON:
        print(
            writable(
                json.dumps(asdict(description), indent=2, ensure_ascii=False, default=_json_value)
            )
        )
    else:
        show(description, in_full=name is not None)


def show(description: Description, *, in_full: bool) -> None:
    """Draw a description; `in_full` adds the members of levels and the reasons of blocked ones."""
    for collection in description.collections:
        out.print(Text.assemble(("collection ", "bold"), (printable(collection.name), "bold cyan")))
        if collection.description:
            out.print(Text(f"  {printable(collection.description)}", "italic"))
        out.print()
        _levels(collection)
        _metrics(collection)
        _schemas(collection)
        if in_full:
            for level in collection.levels:
                _members(level)
            for metric in collection.metrics:
                for anchors in metric.anchors:
                    _blocked(metric, anchors)


def _levels(collection: CollectionDescription) -> None:
    if not collection.levels:
        return
    with_facts = any(level.facts or level.refused for level in collection.levels)
    table = new_table("level", "type", "dimension")
    if with_facts:
        table.add_column("members", justify="right", no_wrap=True)
        for heading in ("first", "last", "rows of", "served_from"):
            table.add_column(heading, overflow="fold")
    for level in collection.levels:
        facts = _fact_cells(level.facts) if with_facts else ()
        table.add_row(*map(_cell, (level.name, level.type, level.family, *facts)))
    show_table(table, INDENT)
    out.print()


def _fact_cells(facts: LevelFacts | None) -> tuple[str, ...]:
    if facts is None:
        return ("refused", "", "", "", "")
    ends = (cell_text(facts.first), cell_text(facts.last))
    return (f"{facts.cardinality:,}", *ends, facts.schema, facts.served_from)


def _metrics(collection: CollectionDescription) -> None:
    if not collection.metrics:
        return
    table = new_table("metric", "type", "reducer", "may be asked at", "and only with")
    for metric in collection.metrics:
        for at, anchors in enumerate(metric.anchors or (AnchorsDescription(""),)):
            own = (metric.name, metric.type) if at == 0 else ("", "")
            levels = (", ".join(anchors.levels), ", ".join(anchors.required))
            table.add_row(*map(_cell, (*own, anchors.reducer, *levels)))
    show_table(table, INDENT)
    out.print()


def _schemas(collection: CollectionDescription) -> None:
    if not collection.schemas:
        return
    table = new_table("schema", "grain")
    for schema in collection.schemas:
        table.add_row(_cell(schema.name), _cell(", ".join(schema.grain) or "rows"))
    show_table(table, INDENT)
    out.print()


def _members(level: LevelDescription) -> None:
    if level.refused:
        out.print(f"  {printable(level.name)} is refused: {printable(level.refused)}")
    if level.facts is None or not level.facts.members:
        return
    count = len(level.facts.members)
    first = "" if level.facts.complete else f" (the first {count:,})"
    out.print(f"  {counted(level.facts.cardinality, 'member')} of {printable(level.name)}{first}")
    for member in level.facts.members:
        out.print(f"    {cell_text(member)}")
    out.print()


def _blocked(metric: MetricDescription, anchors: AnchorsDescription) -> None:
    if not anchors.blocked:
        return
    what = f"{anchors.reducer}({metric.name})" if anchors.reducer else metric.name
    out.print(f"  {printable(what)} may not be asked at")
    for level in anchors.blocked:
        out.print(f"    {printable(level.level)}: {level.code}, {printable(level.reason)}")
    out.print()


def _cell(text: str) -> Text:
    return Text(printable(text))


def _json_value(value: Any) -> str:
    """Return a member as JSON holds it: dates and decimals as texts, exact."""
    return value.isoformat() if isinstance(value, datetime.date) else str(Decimal(value))
