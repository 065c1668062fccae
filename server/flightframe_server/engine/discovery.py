"""Discovery: what there is to ask, of the collection and of the data.

What comes in: an engine. What goes out: the members of a level, how many they are and what range
they span. Members are entries of the domain QM: found in the cache, rolled up, evicted and
versioned like any other. It must never count by another rule than a query would: NULL is a member
where some row has it. Where a metric may be asked is no matter of data: `resolver/anchors.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.catalog.collection import TableMap
from flightframe_server.composer.evaluate import whole
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import UnreachableAnchor
from flightframe_server.language.syntax import Anchor, Item, LiteralValue, Name, Statement
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
    """

    level: str
    schema: str
    cardinality: int
    has_null: bool
    first: LiteralValue
    last: LiteralValue


def members(engine: MetricEngine, level: str, schema: str | None = None) -> pa.Table:
    """Return the members of a level that rows of a schema have, as one sorted column.

    Raises:
        UnreachableAnchor: no schema reaches the level.
    """
    source = schema if schema is not None else home_of(engine, level)
    name = Name((level,))
    statement = Statement((Item(name),), Anchor((name,)), source=Name((source,)))
    served = engine.answer(resolve(statement, engine.typed))
    if served.table is not None:
        return served.table
    assert served.stream is not None
    return pa.Table.from_batches(list(served.stream.open()))


def home_of(engine: MetricEngine, level: str) -> str:
    """Return the schema whose rows know a level best; see `LevelFacts.schema`."""
    ground = engine.ground()
    typed = ground.typed
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
    if keyed or mapped:
        return (keyed or mapped)[0]
    reaching = [name for name in typed.collection.schemas if level in typed.graph.reachable(name)]
    if not reaching:
        raise UnreachableAnchor(f"no schema reaches level {level}")

    def size(name: str) -> tuple[bool, int, str]:
        rows = ground.statistics.rows.get(typed.schema(name).table, 0)
        return level not in typed.graph.own_levels(name), -rows, name

    return min(reaching, key=size)


def level_facts(engine: MetricEngine, level: str) -> LevelFacts:
    """Return what the data says of a level."""
    schema = home_of(engine, level)
    table = members(engine, level, schema)
    values = whole(table[level])
    bounds = pc.min_max(values) if len(values) else {"min": None, "max": None}
    first, last = (bounds[side] for side in ("min", "max"))
    return LevelFacts(
        level,
        schema,
        table.num_rows,
        values.null_count > 0,
        None if first is None else first.as_py(),
        None if last is None else last.as_py(),
    )
