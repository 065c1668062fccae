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
    connected,
)
from flightframe_server.cli.console import (
    cell_text,
    counted,
    err,
    new_table,
    out,
    show_table,
    show_text,
    writable,
)
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.layout import Column
from flightframe_server.cli.option_kinds import as_text
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


NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="A level, metric, schema or frame; its members and reasons are shown in full.",
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
    name: NameArgument = None,
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
    without, and of every other level the rule that forbids it; of a derived
    one its formula as well.

    [bold]Examples[/bold]

      flightframe describe
      flightframe describe region --members 50
      flightframe describe day --schema transactions
      flightframe describe on_hand
      flightframe describe margin
    """
    most = MEMBERS if members is None and name is not None else members
    options = ConnectionOptions(user, tls_root_certs, tls_client_cert, tls_client_key)
    with reported_errors(), connected(uri, timeout, options) as connection:
        description = connection.describe(name, collection=collection, members=most, schema=schema)
    if schema is not None and name is not None and not any(map(_parts, description.collections)):
        err.print(
            Text(f"note: rows of {printable(schema)} do not reach {printable(name)}", "yellow")
        )
    if output is Shape.JSON:
        print(
            writable(
                json.dumps(asdict(description), indent=2, ensure_ascii=False, default=_json_value)
            )
        )
    else:
        show(description, in_full=name is not None)


def show(description: Description, *, in_full: bool) -> None:
    """Draw a description; `in_full` adds members, formulas and the reasons of blocked levels."""
    for collection in description.collections:
        if in_full and not _parts(collection):
            continue
        out.print(Text.assemble(("collection ", "bold"), (printable(collection.name), "bold cyan")))
        if collection.description:
            show_text(printable(collection.description), INDENT, "italic")
        out.print()
        _levels(collection)
        _metrics(collection)
        _schemas(collection)
        _frames(collection)
        if in_full:
            _details(collection)


def _parts(collection: CollectionDescription) -> bool:
    """Return whether anything of a collection is described."""
    parts = (collection.levels, collection.metrics, collection.schemas, collection.frames)
    return any(parts)


def _details(collection: CollectionDescription) -> None:
    for level in collection.levels:
        _members(level)
    for metric in collection.metrics:
        _formula(metric)
        for anchors in metric.anchors:
            _blocked(metric, anchors)
    for frame in collection.frames:
        show_text(f"{printable(frame.name)}: {printable(frame.query)}", INDENT)
        out.print()


def _levels(collection: CollectionDescription) -> None:
    if not collection.levels:
        return
    with_facts = any(level.facts or level.refused for level in collection.levels)
    table = new_table("level", "type", "dimension")
    if with_facts:
        members = Column("members", numeric=True)
        table = new_table(*table.columns, members, "first", "last", "rows of", "served_from")
    for level in collection.levels:
        facts = _fact_cells(level.facts) if with_facts else ()
        table.add(*map(printable, (level.name, level.type, level.family, *facts)))
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
            table.add(*map(printable, (*own, anchors.reducer, *levels)))
    show_table(table, INDENT)
    out.print()


def _schemas(collection: CollectionDescription) -> None:
    if not collection.schemas:
        return
    table = new_table("schema", "grain")
    for schema in collection.schemas:
        table.add(printable(schema.name), printable(", ".join(schema.grain) or "rows"))
    show_table(table, INDENT)
    out.print()


def _frames(collection: CollectionDescription) -> None:
    if not collection.frames:
        return
    table = new_table("frame", "grain", "columns")
    for frame in collection.frames:
        columns = ", ".join(f"{column.name} {column.type}" for column in frame.columns)
        grain = ", ".join(frame.grain) or "one row"
        table.add(*map(printable, (frame.name, grain, columns)))
    show_table(table, INDENT)
    out.print()


def _members(level: LevelDescription) -> None:
    if level.refused:
        show_text(f"{printable(level.name)} is refused: {printable(level.refused)}", INDENT)
    if level.facts is None or not level.facts.members:
        return
    count = len(level.facts.members)
    first = "" if level.facts.complete else f" (the first {count:,})"
    out.print(f"  {counted(level.facts.cardinality, 'member')} of {printable(level.name)}{first}")
    for member in level.facts.members:
        show_text(cell_text(member), 2 * INDENT)
    out.print()


def _formula(metric: MetricDescription) -> None:
    if metric.formula:
        show_text(f"{printable(metric.name)} = {printable(metric.formula)}", INDENT)
        show_text(f"of {printable(', '.join(metric.inputs))}", 2 * INDENT)
        out.print()


def _blocked(metric: MetricDescription, anchors: AnchorsDescription) -> None:
    if not anchors.blocked:
        return
    what = f"{anchors.reducer}({metric.name})" if anchors.reducer else metric.name
    show_text(f"{printable(what)} may not be asked at", INDENT)
    for level in anchors.blocked:
        reason = f"{printable(level.level)}: {level.code}, {printable(level.reason)}"
        show_text(reason, 2 * INDENT)
    out.print()


def _json_value(value: Any) -> str:
    """Return a member as JSON holds it: dates and decimals as texts, exact."""
    return value.isoformat() if isinstance(value, datetime.date) else str(Decimal(value))
