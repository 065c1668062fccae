"""The type of what an edge leads to.

What comes in: an edge of the level graph, and the types that are known so far. What goes out: the
type of its target. It must never see data: a list tells by its literals, a table by its column.
"""

from __future__ import annotations

from collections.abc import Mapping

from flightframe_server.algebra.types import BOOLEAN, DATE, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.catalog.collection import Edge, FunctionMap, TableMap, ValueMap
from flightframe_server.resolver.values import literal_type

_COARSE = frozenset({"DAY_OF", "WEEK_OF", "MONTH_OF", "QUARTER_OF", "YEAR_OF"})


def edge_type(
    edge: Edge, columns: Mapping[tuple[str, str], DataType], levels: Mapping[str, DataType]
) -> DataType:
    """Return the type of the level that an edge leads to.

    Args:
        edge: the edge.
        columns: the type of each column, by schema and name.
        levels: the types of the levels known so far.
    """
    match edge.map:
        case TableMap(schema=schema, target_column=target):
            return columns[schema, target]
        case FunctionMap(function=function):
            source = levels.get(edge.source, TIMESTAMP)
            return DATE if function in _COARSE else DataType(Kind.TIMESTAMP, zone=source.zone)
        case ValueMap(pairs=pairs, default=default, null=null):
            values = [value for _, value in pairs] + [default, null]
            types = {literal_type(value) for value in values if value is not None}
            if len(types) == 1:
                return types.pop()
            return BOOLEAN if not types else TEXT
    raise AssertionError(edge)
