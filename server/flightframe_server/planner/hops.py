"""Edges as the tables' own words: a look-up in a table, a calendar function, a list of values.

What comes in: edges of a typed collection. What goes out: frozen hops that a back-end and the
composer follow, each for itself. It must never hold text of any SQL dialect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import (
    Edge,
    FunctionMap,
    RoleMap,
    TableMap,
    ValueMap,
)
from flightframe_server.errors import InternalError
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.moments import listed
from flightframe_server.resolver.typed import TypedCollection


@dataclass(frozen=True, slots=True)
class TableHop:
    """A look-up in a table's map `SELECT DISTINCT source, target WHERE source IS NOT NULL`.

    Attributes:
        edge: the edge's text.
        target: the level it leads to.
        table: the table's own name.
        source_column: its column of the level that the edge starts from.
        target_column: its column of the level that it leads to.
        source_type: the type of the one level.
        type: the type of the other.
        stored: the types of the two columns themselves; None where they are the levels'.
        trusted: whether it is believed, and not checked, to lead each source to one target.
        unique: whether no source stands on several rows of the table, as is known of its version.
    """

    edge: str
    target: str
    table: str
    source_column: str
    target_column: str
    source_type: DataType
    type: DataType
    stored: tuple[DataType, DataType] | None = None
    trusted: bool = False
    unique: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the two columns hold the members of the levels as they are."""
        return self.stored in (None, (self.source_type, self.type))

    @property
    def stored_types(self) -> tuple[DataType, DataType]:
        """The types of the source column and of the target column."""
        return self.stored or (self.source_type, self.type)


@dataclass(frozen=True, slots=True)
class FunctionHop:
    """A calendar function: the first instant of the period."""

    edge: str
    target: str
    function: str
    type: DataType


@dataclass(frozen=True, slots=True)
class ValueHop:
    """A map listed value by value; NULL goes to `null`, an unlisted value to `default`."""

    edge: str
    target: str
    pairs: tuple[tuple[LiteralValue, LiteralValue], ...]
    default: LiteralValue
    null: LiteralValue
    source_type: DataType
    type: DataType


Hop = TableHop | FunctionHop | ValueHop


def hops_of(typed: TypedCollection, path: Iterable[Edge]) -> tuple[Hop, ...]:
    """Return a path as hops: a role is had along the way to the level that it plays."""
    hops: list[Hop] = []
    for edge in path:
        if isinstance(edge.map, RoleMap):
            hops += hops_of(typed, edge.map.edges)
        else:
            hops.append(hop_of(typed, edge))
    return tuple(hops)


def hop_of(typed: TypedCollection, edge: Edge) -> Hop:
    """Return one edge, which is no role, as a hop in the tables' own words."""
    target = typed.level_types[edge.target]
    match edge.map:
        case TableMap(schema=schema, source_column=source, target_column=column):
            return TableHop(
                str(edge),
                edge.target,
                typed.schema(schema).table,
                typed.source_column(schema, source),
                typed.source_column(schema, column),
                typed.level_types[edge.source],
                target,
                (typed.stored_type(schema, source), typed.stored_type(schema, column)),
                typed.schema(schema).trusted,
            )
        case FunctionMap(function=function):
            return FunctionHop(str(edge), edge.target, function, target)
        case ValueMap(pairs=pairs, default=default, null=null):
            source_type = typed.level_types[edge.source]
            pairs = tuple(
                (listed(value, source_type), listed(member, target)) for value, member in pairs
            )
            default, null = listed(default, target), listed(null, target)
            return ValueHop(str(edge), edge.target, pairs, default, null, source_type, target)
    raise InternalError("an edge without a map")
