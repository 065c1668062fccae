"""One promise attested on one version of the data.

What comes in: a promise, and the version to look at. What goes out: None where the data keep it,
else the row that breaks it, in words. It must never repair anything: a broken promise withdraws
exactly the answers that need it, and the rest go on.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.catalog.collection import RootedMetric, StoredColumn
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.level_lookup import follow
from flightframe_server.composer.moments import is_first
from flightframe_server.engine.grains import doubled, several_rows
from flightframe_server.engine.reading import VersionReader
from flightframe_server.engine.siblings import difference, word
from flightframe_server.engine.ways import way_disagreement
from flightframe_server.errors import ArithmeticOverflow
from flightframe_server.planner.hops import Hop, TableHop
from flightframe_server.planner.promises import (
    ColumnHoldsPeriods,
    ColumnIsUnique,
    EdgeIsFunction,
    Fact,
    GrainIsKey,
    KeyIsUnique,
    PathsAgree,
    SiblingIsEqual,
    TableSize,
    WaysAgree,
)
from flightframe_server.planner.route import members_metric
from flightframe_server.planner.source import source_query
from flightframe_server.resolver.typed import TypedCollection

MapOf = Callable[[TableHop], pa.Table]
"""Gives the map of an edge, on the version that is looked at."""


def attest(typed: TypedCollection, fact: Fact, reader: VersionReader, map_of: MapOf) -> str | None:
    """Look one fact up in the data.

    Args:
        typed: the collection with the types of that version.
        fact: what to look at.
        reader: reads that version.
        map_of: gives the maps of edges on that version.

    Returns:
        The row that breaks a promise, in words, or None where it holds; the rows of a table as
        digits.

    Raises:
        SourceMoved: the data are of another version.
        BackendError: the database failed, or has too much to do.
    """
    try:
        return _looked_up(typed, fact, reader, map_of)
    except ArithmeticOverflow as error:
        # The text says why the values of the rows cannot be had.
        return error.message


def _looked_up(
    typed: TypedCollection, fact: Fact, reader: VersionReader, map_of: MapOf
) -> str | None:
    match fact:
        case EdgeIsFunction(hop=hop):
            return counter_example(map_of(hop))
        case PathsAgree():
            return _disagreement(fact, map_of)
        case WaysAgree(hops=hops):
            # Where an edge is no function, that is what is told.
            if any(counter_example(map_of(hop)) is not None for hop in hops):
                return None
            return way_disagreement(typed, reader, fact.schema, fact.level)
        case ColumnHoldsPeriods():
            return _off_period(typed, fact, reader)
        case KeyIsUnique(table=table, columns=columns):
            return several_rows(reader.duplicate(table, columns))
        case GrainIsKey(schema=schema):
            return doubled(typed, reader, schema)
        case SiblingIsEqual(family=name, schema=schema):
            family = typed.collection.metric_families[name]
            assert isinstance(family.meaning, RootedMetric)
            there = (one for one in family.meaning.siblings if one.schema == schema)
            differences = (difference(typed, reader, family, family.meaning, one) for one in there)
            return next((words for words in differences if words is not None), None)
        case TableSize() | ColumnIsUnique():
            return _measured(fact, reader)


def _measured(fact: TableSize | ColumnIsUnique, reader: VersionReader) -> str | None:
    """Return what is no promise: the rows of a table, or the value that a column has twice."""
    if isinstance(fact, TableSize):
        return str(reader.rows(fact.table))
    return several_rows(reader.duplicate(fact.table, (fact.column,)))


def counter_example(known: pa.Table) -> str | None:
    """Return a source that has several targets, NULL counted as one, in words; or None."""
    if len(pc.unique(known["source"])) == known.num_rows:
        return None
    counts = known.group_by("source").aggregate([([], "count_all")])
    several = counts.filter(pc.greater(counts["count_all"], 1))
    if several.num_rows == 0:
        return None
    source = sorted(several["source"].to_pylist(), key=str)[0]
    rows = known.filter(pc.equal(known["source"], pa.scalar(source, known["source"].type)))
    targets = sorted(rows["target"].to_pylist(), key=lambda value: (value is None, str(value)))
    return f"{word(source)} has {' and '.join(word(target) for target in targets[:3])}"


def _disagreement(fact: PathsAgree, map_of: MapOf) -> str | None:
    hops = {hop.edge: hop for pair in fact.pairs for path in pair for hop in path}
    maps = {edge: map_of(hop) for edge, hop in hops.items() if isinstance(hop, TableHop)}
    for one, other in fact.pairs:
        known = [maps[hop.edge] for hop in (*one, *other) if hop.edge in maps]
        # Where an edge is no function, that is what is told.
        if not any(counter_example(table) is not None for table in known):
            text = _first_apart(one, other, maps)
            if text is not None:
                return text
    return None


def _first_apart(
    one: tuple[Hop, ...], other: tuple[Hop, ...], maps: dict[str, pa.Table]
) -> str | None:
    sources = [maps[path[0].edge]["source"] for path in (one, other) if path[0].edge in maps]
    if not sources:
        return None
    chunks = [chunk for column in sources for chunk in column.chunks]
    members = pc.unique(pa.chunked_array(chunks, sources[0].type))
    ends: list[pa.Array] = []
    for path in (one, other):
        values = members
        for hop in path:
            values = follow(values, hop, maps)
        ends.append(values)
    for member, here, there in zip(
        members.to_pylist(), *(end.to_pylist() for end in ends), strict=True
    ):
        if here != there:
            return (
                f"{word(member)} leads to {word(here)} by {one[0].edge}"
                f" and to {word(there)} by {other[0].edge}"
            )
    return None


def _off_period(
    typed: TypedCollection, fact: ColumnHoldsPeriods, reader: VersionReader
) -> str | None:
    members = _members(typed, fact.schema, fact.level, reader)
    for function in sorted(fact.functions):
        off = members.filter(pc.invert(pc.fill_null(is_first(function, members), True)))
        if len(off):
            return f"{off[0].as_py()} in {fact.schema} is not the first day of its period"
    return None


def _members(typed: TypedCollection, schema: str, level: str, reader: VersionReader) -> pa.Array:
    """Return a level's members in a schema as its column holds them, cut to no other type."""
    column = typed.graph.own_levels(schema)[level]
    declared = typed.schema(schema).columns[column]
    if isinstance(declared, StoredColumn):
        type_, stored = typed.column_types[schema, column], typed.stored_type(schema, column)
        table = typed.schema(schema).table
        types = (stored, stored)
        hop = TableHop(level, level, table, declared.source, declared.source, type_, type_, types)
        return as_array(reader.edge_map(hop)["target"])
    query = source_query(typed, schema, (level,), (), (members_metric(schema),))
    return as_array(reader.collect(query)[level])
