"""What an installation declares, at a glance.

What comes in: a manifest, and collections on their data. What goes out: tables on stdout. It must
never judge: problems are for `check`.
"""

from __future__ import annotations

from rich.text import Text

from flightframe.display import printable
from flightframe_server.catalog.collection import DerivedMetric, MetricFamily, TableMap
from flightframe_server.catalog.installation import Installation
from flightframe_server.cli.console import new_table, out, show_line, show_table, show_text
from flightframe_server.cli.layout import Column
from flightframe_server.engine.facts import Attested
from flightframe_server.language import format_statement
from flightframe_server.resolver.typed import TypedCollection

INDENT = 2


def show_installation(installation: Installation) -> None:
    """Show where an installation's numbers come from, and where it will answer."""
    engine, server = installation.metric_engine, installation.server
    kept = f"up to {size(engine.max_bytes_per_ac)} for each collection, in {engine.store}"
    _heading("installation", installation.id, installation.file)
    table = new_table("", "")
    table.headed = False
    table.add("database", f"{installation.backend.type}, {installation.backend.source}")
    table.add("answers kept", kept if engine.enabled else "none: the engine is off")
    table.add("Arrow Flight", f"{server.host}, port {server.flight_port}")
    table.add("HTTP", f"{server.host}, port {server.http_port}")
    show_table(table, INDENT)
    out.print()


def show_collection(typed: TypedCollection, attested: Attested) -> None:
    """Show the schemas, levels and metrics of a collection."""
    collection = typed.collection
    _heading("collection", collection.name, collection.file)
    if collection.description:
        show_text(printable(collection.description), INDENT, "italic")
    out.print()
    _schemas(typed, attested)
    _dimensions(typed)
    _metrics(typed)
    _frames(typed)


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that leaves at least one of it.

    >>> size(1073741824)
    '1.0 GiB'
    """
    amount, units = float(count), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:,.0f} {units[0]}" if units[0] == "bytes" else f"{amount:,.1f} {units[0]}"


def _heading(kind: str, name: str, file: str) -> None:
    show_line(Text.assemble((f"{kind} ", "bold"), (printable(name), "bold cyan"), f"  {file}"))


def _schemas(typed: TypedCollection, attested: Attested) -> None:
    table = new_table("schema", "table", Column("rows", numeric=True), "grain")
    for schema in typed.collection.schemas.values():
        rows = attested.rows.get(schema.table)
        counted = "?" if rows is None else f"{rows:,}"
        cells = (schema.name, schema.table, counted, ", ".join(schema.grain) or "rows")
        table.add(*map(printable, cells))
    show_table(table, INDENT)
    out.print()


def _dimensions(typed: TypedCollection) -> None:
    table = new_table("dimension", "levels", "edges")
    for family in typed.collection.dimension_families.values():
        edges = [
            f"{edge} by table" if isinstance(edge.map, TableMap) else str(edge)
            for edge in family.edges
        ]
        cells = (family.name, ", ".join(family.levels), ", ".join(edges))
        table.add(*map(printable, cells))
    show_table(table, INDENT)
    out.print()


def _metrics(typed: TypedCollection) -> None:
    table = new_table("metric", "made from", "reducers", "hints")
    for family in typed.collection.metric_families.values():
        table.add(*map(printable, _metric(family)))
    show_table(table, INDENT)
    out.print()


def _frames(typed: TypedCollection) -> None:
    frames = typed.collection.frames.values()
    if not frames:
        return
    table = new_table("frame", "asks")
    for frame in frames:
        table.add(printable(frame.name), printable(format_statement(frame.statement)))
    show_table(table, INDENT)
    out.print()


def _metric(family: MetricFamily) -> tuple[str, str, str, str]:
    meaning = family.meaning
    if isinstance(meaning, DerivedMetric):
        return family.name, f"derived of {', '.join(meaning.inputs)}", "", ""
    reducers = ", ".join(
        reducer.operator
        + (f" but not over {', '.join(reducer.a_block)}" if reducer.a_block else "")
        for reducer in meaning.reducers
    )
    hinted = ", ".join(f"({', '.join(anchor)})" for anchor in meaning.materialize_at)
    root = meaning.schema if meaning.column is None else f"{meaning.schema}.{meaning.column}"
    return family.name, root, reducers or meaning.default_reducer or "", hinted
