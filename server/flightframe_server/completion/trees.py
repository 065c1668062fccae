"""Statements with a mark where the cursor is: where it stands, and what stands there instead.

What comes in: a statement in which a name or a text is the mark of the cursor. What goes out: the
way to it through the tree, and the statement with another node in its place. It must never give a
name a meaning.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from flightframe_server.language.draft import FILLING
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    AdHocLevel,
    Cast,
    Extract,
    Interval,
    Literal,
    Name,
    Parameter,
)

MARK = "mark of the cursor"
"""The name of what is still to be chosen: no unquoted name is spelled so."""

N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True)
class Step:
    """One step down a tree: from a node, by a field, to its only child or one of several."""

    parent: Node
    field: str
    index: int | None


Path = tuple[Step, ...]


def children(node: Node) -> Iterator[tuple[Step, Node]]:
    """Yield the nodes right below a node, each with the step that leads there."""
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield Step(node, field.name, None), value
        elif isinstance(value, tuple):
            for index, member in enumerate(value):
                if isinstance(member, Node):
                    yield Step(node, field.name, index), member


def path_to(node: Node, fits: Callable[[Node], bool]) -> Path | None:
    """Return the way to the first node below `node` that fits; None where there is none."""
    for step, child in children(node):
        if fits(child):
            return (step,)
        below = path_to(child, fits)
        if below is not None:
            return (step, *below)
    return None


def put(node: N, path: Path, new: Node) -> N:
    """Return a tree with another node at the end of a way."""
    step, *rest = path
    value: Any = getattr(node, step.field)
    child: Node = value if step.index is None else value[step.index]
    made: Any = put(child, tuple(rest), new) if rest else new
    if step.index is not None:
        made = (*value[: step.index], made, *value[step.index + 1 :])
    changes: dict[str, Any] = {step.field: made}
    return dataclasses.replace(node, **changes)


def is_mark(node: Node) -> bool:
    """Whether a node is the mark of the cursor."""
    match node:
        case AdHocLevel():
            return False
        case Name(parts=parts):
            return parts[-1] == MARK
        case Parameter(name=name):
            return name == MARK
        case Cast(type=written):
            return written == MARK
        case Extract(field=field):
            return field == MARK
        case Interval(unit=unit):
            return unit == MARK
    return False


def is_marked_text(node: Node) -> bool:
    """Whether a node is the mark of the cursor where only literals may stand."""
    return isinstance(node, Literal) and node.value == MARK


def is_filling(node: Node) -> bool:
    """Whether a node stands for something that is still to come."""
    match node:
        case AdHocLevel():
            return False
        case Name(parts=parts):
            return parts[-1] == FILLING
        case Parameter(name=name):
            return name == FILLING
    return False


def holds(node: Node, fits: Callable[[Node], bool]) -> bool:
    """Whether a node, or one below it, fits."""
    return fits(node) or path_to(node, fits) is not None
