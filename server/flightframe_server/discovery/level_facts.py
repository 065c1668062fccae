"""What the data say of a level: its members, how many they are, and their range.

What comes in: an engine. What goes out: the members of a level, how many they are and what range
they span. Members are entries of the domain QM: found in the cache, rolled up, evicted and
versioned like any other. It must never count by another rule than a query would: NULL is a member
where some row has it. Where a metric may be asked is told by `availability.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.arrow_types import arrow_type
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.collection import RoleMap, TableMap
from flightframe_server.composer.compose import answer_schema
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.order import sort_points
from flightframe_server.engine.attempt import Served
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import UnreachableAnchor
from flightframe_server.language.syntax import Anchor, Item, LiteralValue, Name, Statement
from flightframe_server.provenance import ServedFrom, fold
from flightframe_server.resolver.resolve import resolve


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What the data says of a level.

    Attributes:
        level: its name.
        schema: whose rows were read: the one it is the key of, else that of an edge leading to it,
            else the largest that holds it.
        cardinality: how many members, NULL counted as one where it occurs.
        has_null: whether NULL is among them.
        first: the least member, by code point for text; None where there is none.
        last: the greatest member.
        members: the first of them in order, as many as were wanted, NULL last.
        served_from: where the members came from.
    """

    level: str
    schema: str
    cardinality: int
    has_null: bool
    first: LiteralValue
    last: LiteralValue
    members: tuple[LiteralValue, ...]
    served_from: ServedFrom


def members(engine: MetricEngine, level: str, schema: str | None = None) -> pa.Table:
    """Return the members of a level that rows of a schema have, as one sorted column.

    Raises:
        UnreachableAnchor: no schema reaches the level.
    """
    home = schema if schema is not None else home_of(engine, level, SERVER_CALL)
    served = _served_members(engine, level, home, SERVER_CALL)
    batches = list(_batches(served, SERVER_CALL))
    return pa.Table.from_batches(batches, schema=answer_schema(served.plan.question))


def _served_members(engine: MetricEngine, level: str, schema: str, context: CallContext) -> Served:
    name = Name((level,))
    statement = Statement((Item(name),), Anchor((name,)), source=Name((schema,)))
    return engine.answer(lambda typed: resolve(statement, typed), context=context)


def _batches(served: Served, context: CallContext) -> Iterator[pa.RecordBatch]:
    if served.table is not None:
        yield from served.table.to_batches()
        return
    assert served.stream is not None
    running = served.stream.open(context)
    try:
        yield from running
    finally:
        running.close()


def home_of(engine: MetricEngine, level: str, context: CallContext = SERVER_CALL) -> str:
    """Return the schema whose rows know a level best; see `LevelFacts.schema`."""
    snapshot = engine.snapshot(context)
    typed = snapshot.typed
    keyed = [
        schema.name
        for schema in typed.collection.schemas.values()
        if len(schema.grain) == 1 and typed.graph.find(schema.grain[0]) == level
    ]
    mapped = [
        edge.map.schema
        for family in typed.collection.dimension_families.values()
        for edge in family.edges
        if edge.target == level and isinstance(edge.map, TableMap)
    ]
    played = [
        edge.source
        for family in typed.collection.dimension_families.values()
        for edge in family.edges
        if edge.target == level and isinstance(edge.map, RoleMap)
    ]
    if played:
        return home_of(engine, played[0])
    if keyed or mapped:
        return (keyed or mapped)[0]
    reaching = [name for name in typed.collection.schemas if level in typed.graph.reachable(name)]
    if not reaching:
        raise UnreachableAnchor(f"no schema reaches level {level}")

    if len(reaching) == 1:
        return reaching[0]
    sizes = engine.rows([typed.schema(name).table for name in reaching], context)

    def size(name: str) -> tuple[bool, bool, int, str]:
        rows = sizes[typed.schema(name).table]
        several = len(typed.graph.ways(name, level)) > 1
        return several, level not in typed.graph.own_levels(name), -rows, name

    return min(reaching, key=size)


def level_facts(
    engine: MetricEngine,
    level: str,
    schema: str | None = None,
    limit: int = 0,
    context: CallContext = SERVER_CALL,
) -> LevelFacts:
    """Return what the data says of a level, and its first members in order.

    However many members there are, no more of them are held than a batch and `limit`.

    Args:
        engine: the engine asked.
        level: a level.
        schema: whose rows are read; None: see `LevelFacts.schema`.
        limit: how many members to list.
        context: the call that waits for it.

    Raises:
        QueryError: the rows do not reach the level, or the data breaks the way there.
    """
    source = schema if schema is not None else home_of(engine, level, context)
    served = _served_members(engine, level, source, context)
    type_ = arrow_type(served.snapshot.typed.level_types[level])
    count, nulls = 0, 0
    head, ends = pa.array([], type_), pa.array([None, None], type_)
    for batch in _batches(served, context):
        values = batch.column(0).cast(type_)
        count, nulls = count + len(values), nulls + values.null_count
        bounds = pc.min_max(pa.concat_arrays([ends, values]))
        ends = pa.array([bounds["min"].as_py(), bounds["max"].as_py()], type_)
        head = sort_points(pa.table({level: pa.concat_arrays([head, values])}), [level])
        head = as_array(head[level].slice(0, limit))
    first, last = ends.to_pylist()
    label = fold(part.served_from for part in served.parts)
    return LevelFacts(level, source, count, nulls > 0, first, last, tuple(head.to_pylist()), label)
