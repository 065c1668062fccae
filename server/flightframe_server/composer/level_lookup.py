"""Levels from finer levels: edge maps, calendar functions and listed values over Arrow arrays.

What comes in: the members of a level and the hops to follow. What goes out: the members of the
level that they determine. It must never match NULL to a row of a map: look-up uses plain equality,
and a member without a parent goes to the NULL member (law 2, docs/laws.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.arrow_types import arrow_type, conform_array
from flightframe_server.composer.evaluate import as_array
from flightframe_server.composer.moments import truncate
from flightframe_server.errors import InternalError
from flightframe_server.planner.hops import FunctionHop, Hop, TableHop, ValueHop
from flightframe_server.planner.plan import LevelLookup

EdgeMaps = Mapping[str, pa.Table]
"""For each edge, as text, its map as a table of `source` and `target`."""


def roll_to(table: pa.Table, lookups: tuple[LevelLookup, ...], maps: EdgeMaps) -> pa.Table:
    """Return the table with one more column for each level looked up.

    From store to region, by a map of S1 to East alone:

        store  value          store  value  region
        S1        10    ->    S1        10  East
        S9         2          S9         2  NULL
        NULL       1          NULL       1  NULL
    """
    for step in lookups:
        members = as_array(table[step.start])
        for hop in step.hops:
            members = follow(members, hop, maps)
        table = table.append_column(step.level, members)
    return table


def follow(members: pa.Array, hop: Hop, maps: EdgeMaps) -> pa.Array:
    """Return what one hop makes of some members, NULL where it says nothing."""
    match hop:
        case FunctionHop(function=function, type=declared):
            return conform_array(truncate(function, members), arrow_type(declared))
        case TableHop(edge=edge, type=declared):
            if edge not in maps:
                raise InternalError(f"the map of {edge} is not at hand")
            known = maps[edge]
            rows = pc.index_in(members, value_set=as_array(known["source"]))
            return conform_array(as_array(known["target"]).take(rows), arrow_type(declared))
        case ValueHop():
            return _listed(members, hop)
    raise InternalError("an unknown kind of hop")


def _listed(members: pa.Array, hop: ValueHop) -> pa.Array:
    type_ = arrow_type(hop.type)
    sources = pa.array([source for source, _ in hop.pairs], arrow_type(hop.source_type))
    targets = pa.array([target for _, target in hop.pairs], type_)
    rows = pc.index_in(members, value_set=sources)
    listed = pc.if_else(pc.is_null(rows), pa.scalar(hop.default, type_), targets.take(rows))
    return pc.if_else(pc.is_null(members), pa.scalar(hop.null, type_), listed)
