"""The root of all nodes of syntax, and how a tree of them is walked.

What comes in: a node. What goes out: its parts, or all that stands below it. It must never recurse:
a tree is as deep as its text, and a walk is taken before its depth is known.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from flightframe_server.errors import NOWHERE, Place

_NAMES: dict[type, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that stands somewhere in a text."""

    place: Place = field(default=NOWHERE, compare=False, kw_only=True, repr=False)


def part_names(kind: type[Node]) -> tuple[str, ...]:
    """Return the names of the fields of a kind of node, its place left out."""
    names = _NAMES.get(kind)
    if names is None:
        fields = (one.name for one in dataclasses.fields(kind))
        names = _NAMES[kind] = tuple(name for name in fields if name != "place")
    return names


def children(node: Node) -> list[Node]:
    """Return the nodes right below a node, left to right."""
    below: list[Node] = []
    for name in part_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            below.append(value)
        elif isinstance(value, tuple):
            _gather(value, below)
    return below


def walk(root: Node) -> list[Node]:
    """Return a node and all below it, parents first, left to right."""
    nodes: list[Node] = []
    pending = [root]
    while pending:
        node = pending.pop()
        nodes.append(node)
        pending.extend(reversed(children(node)))
    return nodes


def _gather(values: tuple[object, ...], below: list[Node]) -> None:
    """Add the nodes in a tuple; tuples stand in each other where keys are grouped by sets."""
    for value in values:
        if isinstance(value, Node):
            below.append(value)
        elif isinstance(value, tuple):
            _gather(value, below)
