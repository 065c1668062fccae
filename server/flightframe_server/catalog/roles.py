"""Roles: a level that is reached by several ways gets a name of its own for each.

What comes in: dimension families with their edges, and the shapes of `roles`. What goes out: the
families with those levels and edges added. It must never change what another name means: a role
adds a level, and takes none away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from flightframe_server.catalog.collection import DimensionFamily, Edge, RoleMap
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.shapes import CollectionShape, RoleShape
from flightframe_server.errors import shown


def add_roles(
    families: Mapping[str, DimensionFamily],
    shape: CollectionShape,
    declared: Declarations,
    cursor: Cursor,
) -> dict[str, DimensionFamily]:
    """Return the families with each role in the family of the level that it plays.

    A level that is in no family gets one of its own name.
    """
    extended = dict(families)
    declared_edges = [edge for family in families.values() for edge in family.edges]
    level_of_role: dict[str, str] = {}
    for at, role in enumerate(shape.roles):
        edge = _edge(role, declared_edges, level_of_role, declared, cursor.at("roles", at))
        if edge is None:
            continue
        home = declared.home(role.name)
        family = extended.get(home) or DimensionFamily(home, (home,), location=edge.location)
        descriptions = dict(family.level_descriptions)
        if role.description:
            descriptions[role.name] = role.description
        extended[home] = replace(
            family,
            levels=tuple(dict.fromkeys((*family.levels, role.name))),
            edges=(*family.edges, edge),
            level_descriptions=MappingProxyType(descriptions),
        )
    return extended


def _edge(
    role: RoleShape,
    declared_edges: list[Edge],
    level_of_role: dict[str, str],
    declared: Declarations,
    cursor: Cursor,
) -> Edge | None:
    """Return the edge of a role, and note in `level_of_role` which level it plays."""
    level = cursor.at("level").resolve(declared.levels, role.level)
    source = cursor.at("from").resolve(declared.levels, role.source)
    if declared.levels.find(level) is None or declared.levels.find(source) is None:
        return None
    if level in level_of_role:
        cursor.at("level").report(
            f"'{shown(level)}' is a role itself", f"it plays {level_of_role[level]}"
        )
        return None
    path = _shortest_path(declared_edges, level_of_role.get(source, source), level)
    if not path:
        cursor.report(
            f"no edge leads from '{shown(source)}' to '{shown(level)}'",
            "a role is a level as it is reached from another, along declared edges",
        )
        return None
    level_of_role[role.name] = level
    return Edge(
        source, role.name, RoleMap(level, path, location=cursor.location), location=cursor.location
    )


def _shortest_path(edges: list[Edge], source: str, target: str) -> tuple[Edge, ...]:
    """Return a shortest path along edges, the first declared of several; empty where none leads."""
    came_by: dict[str, tuple[Edge, ...]] = {source: ()}
    queue = deque([source])
    while queue and target not in came_by:
        here = queue.popleft()
        for edge in edges:
            if edge.source == here and edge.target not in came_by:
                came_by[edge.target] = (*came_by[here], edge)
                queue.append(edge.target)
    return came_by.get(target, ())
