"""Trees of syntax, changed part by part.

What comes in: a frozen tree and a function of its parts. What goes out: a tree that shares what is
not changed. It must never go into the members of a list, which are values and may be many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from flightframe_server.language.nodes import Node, part_names
from flightframe_server.language.syntax import IsIn


def with_parts(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a node, or a tuple of nodes, with each part changed; itself where none is."""
    if isinstance(node, tuple):
        parts = tuple(change(part) for part in node)
        same = all(one is other for one, other in zip(parts, node, strict=True))
        return node if same else parts
    if not isinstance(node, Node):
        return node
    changes: dict[str, Any] = {}
    for name in part_names(type(node)):
        if name == "members" and isinstance(node, IsIn):
            continue
        value = getattr(node, name)
        new = change(value) if isinstance(value, Node | tuple) else value
        if new is not value:
            changes[name] = new
    return replace(node, **changes) if changes else node


def parts_of(node: object) -> Iterator[Any]:
    """Yield the parts of a node, or of a tuple of nodes, left to right; none of anything else."""
    if isinstance(node, tuple):
        yield from node
    elif isinstance(node, Node):
        for name in part_names(type(node)):
            yield getattr(node, name)
