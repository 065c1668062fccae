"""Did the tree of a query change?

Each file of `parse/` holds a query, a line `---`, and its tree: one line per node, with the fields
that differ from their defaults. The trees are written by hand from the specification.
"""

import dataclasses
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest

from flightframe_server.language import format_statement, parse
from flightframe_server.language.nodes import Node

CASES = sorted((Path(__file__).parent / "parse").glob("*.txt"))


def drawn(node: Node, label: str = "", indent: str = "") -> Iterator[str]:
    """Draw a tree, one line per node; fields at their defaults are left out."""
    plain, nested = [], []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if not field.compare or value == field.default:
            continue
        if isinstance(value, Node):
            nested.append((field.name, value))
        elif isinstance(value, tuple) and all(isinstance(part, Node) for part in value):
            nested += [(f"{field.name}[{index}]", part) for index, part in enumerate(value)]
        else:
            shown = value.value if isinstance(value, Enum) else repr(value)
            plain.append(f"{field.name}={shown}")
    yield indent + " ".join([f"{label}{type(node).__name__}", *plain])
    for name, child in nested:
        yield from drawn(child, f"{name}: ", indent + "  ")


def test_there_are_cases():
    assert [path.stem for path in CASES] == ["canonical", "traps", "two_steps"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_tree_of_a_query(path):
    query, tree = path.read_text(encoding="utf-8").split("---\n")
    assert "\n".join(drawn(parse(query))) + "\n" == tree
    assert "\n".join(drawn(parse(format_statement(parse(query))))) + "\n" == tree
