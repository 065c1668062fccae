"""The tree of a YAML document: values that know where they stand.

What comes in: nothing, `read_document` makes these. What goes out: plain data for the shapes, and
for any path into it the line that a message should name. It must never know what a collection is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flightframe_server.catalog.collection import SourceLocation
from flightframe_server.errors import shown
from flightframe_server.language.syntax import LiteralValue

Step = LiteralValue
"""One step into a document: a mapping's key, or a list's position from 0."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of a document.

    Attributes:
        line: where it starts, from 1.
        column: from 1.
        size: how many nodes it holds, itself included, aliases counted as what they stand for.
        height: how many levels it holds, itself included.
    """

    line: int
    column: int
    size: int
    height: int


@dataclass(frozen=True, slots=True)
class ScalarNode(Node):
    """One value."""

    value: LiteralValue


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode(Node):
    """A mapping in the order written, and the position of each key."""

    entries: tuple[tuple[ScalarNode, Node], ...]
    index: Mapping[LiteralValue, int]


def to_python(node: Node) -> Any:
    """Return a node as dicts, lists and values."""
    if isinstance(node, MapNode):
        return {key.value: to_python(value) for key, value in node.entries}
    if isinstance(node, ListNode):
        return [to_python(item) for item in node.items]
    return node.value if isinstance(node, ScalarNode) else None


def value_text(value: LiteralValue) -> str:
    """Return a value as YAML writes it, bounded in length."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else shown(value)


def path_text(steps: Iterable[Step]) -> str:
    """Return steps as people write them, bounded in length.

    >>> path_text(("schemas", 2, "columns", "unit price"))
    "schemas[2].columns['unit price']"
    """
    text = ""
    for step in steps:
        if isinstance(step, str) and _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{repr(step) if isinstance(step, str) else value_text(step)}]"
    return shown(text)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its tree, and the file's name for messages."""

    root: MapNode
    file: str

    def find(self, steps: Iterable[Step]) -> tuple[tuple[Step, ...], tuple[int, int]]:
        """Follow steps as far as they lead.

        Steps that lead nowhere, such as a key that is missing, are left out.

        Returns:
            The steps that were followed, and the line and column there. A list or mapping under a
            key stands where its key does.
        """
        node: Node = self.root
        place = (node.line, node.column)
        followed: list[Step] = []
        for step in steps:
            if isinstance(node, MapNode) and step in node.index:
                key, node = node.entries[node.index[step]]
                step = key.value
                at: Node = node if isinstance(node, ScalarNode) else key
            elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
                at = node = node.items[step]
            else:
                continue
            place = (at.line, at.column)
            followed.append(step)
        return tuple(followed), place

    def location(self, *steps: Step) -> SourceLocation:
        """Return the path and line of what stands at `steps`."""
        return SourceLocation(path_text(steps), self.find(steps)[1][0])
