"""What must hold among edges: none twice, none to itself, no circles, and a calendar in order.

What comes in: the dimension families of a collection whose names are all known. What goes out:
findings. It must never look at data: whether an edge holds is attested by the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flightframe_server.catalog.calendar import COARSER
from flightframe_server.catalog.collection import DimensionFamily, Edge, FunctionMap
from flightframe_server.catalog.cycles import find_cycle
from flightframe_server.catalog.findings import Finding
from flightframe_server.errors import shown

_CYCLE_SHOWN = 6


def check_edges(families: Mapping[str, DimensionFamily]) -> Iterator[Finding]:
    """Yield what is wrong among the edges of all dimension families."""
    edges = [edge for family in families.values() for edge in family.edges]
    first: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        if edge.source == edge.target:
            yield Finding(edge.location, f"the edge leads from '{shown(edge.source)}' to itself")
            continue
        before = first.setdefault((edge.source, edge.target), edge)
        if before is not edge:
            message = f"there are two edges {shown(edge)}, the first on line {before.location.line}"
            yield Finding(edge.location, message, "keep one of them")
    yield from _circles(list(first.values()))
    yield from _calendar(edges)


def walk_text(names: Sequence[str]) -> str:
    """Return `a -> b -> a`, shortened in the middle where it is long."""
    if len(names) > _CYCLE_SHOWN + 1:
        names = [*names[:_CYCLE_SHOWN], "...", names[-1]]
    return " -> ".join(name if len(name) <= 20 else name[:19] + "…" for name in names)


def _circles(edges: Sequence[Edge]) -> Iterator[Finding]:
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge.source, []).append(edge.target)
    cycle = find_cycle(targets)
    if cycle is not None:
        locations = {(edge.source, edge.target): edge.location for edge in edges}
        location = locations[cycle[0], cycle[1]]
        hint = "an edge leads from the finer level to the coarser one"
        yield Finding(location, f"the edges go in a circle: {walk_text(cycle)}", hint)


def _calendar(edges: Sequence[Edge]) -> Iterator[Finding]:
    """Yield calendar functions applied to periods that they do not contain whole."""
    produced: dict[str, tuple[str, Edge]] = {}
    for edge in edges:
        if not isinstance(edge.map, FunctionMap):
            continue
        function, before = produced.setdefault(edge.target, (edge.map.function, edge))
        if function != edge.map.function:
            message = (
                f"'{shown(edge.target)}' is derived by {edge.map.function} here and by"
                f" {function} on line {before.location.line}"
            )
            yield Finding(edge.map.location, message, "one level holds one kind of period")
    for edge in edges:
        if not isinstance(edge.map, FunctionMap) or edge.source not in produced:
            continue
        finer = produced[edge.source][0]
        if not {finer, edge.map.function} <= COARSER.keys():
            # It is no function at all, which was said where it stands.
            continue
        if edge.map.function not in COARSER[finer]:
            message = (
                f"{edge.map.function} cannot be derived from '{shown(edge.source)}',"
                f" which is derived by {finer}"
            )
            known = ", ".join(name for name in COARSER if name in COARSER[finer])
            hint = f"from {finer} lead: {known}" if known else f"nothing is derived from {finer}"
            yield Finding(edge.map.location, message, hint)
