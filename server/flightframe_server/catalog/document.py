"""YAML text to a tree of nodes that know their lines.

What comes in: the text of a collection or an installation. What goes out: a `Document`. It must
never read a file, make an object out of a tag, or let a small text grow: size, nesting and aliases
are bounded.

The tree is made from the parser's events, not by PyYAML's composer, so that nesting is bounded
before anything recurses and unquoted scalars mean what `scalars.scalar_value` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from flightframe_server.catalog.nodes import (
    Document,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    Step,
    path_text,
    value_text,
)
from flightframe_server.catalog.scalars import scalar_value
from flightframe_server.errors import CatalogError, shown
from flightframe_server.language.syntax import LiteralValue

TEXT_BYTES_MAX = 4 << 20
NESTING_MAX = 64
NODES_MAX = 250_000

_TOO_DEEP = f"the document is nested deeper than {NESTING_MAX} levels"
_TEXT_TAG = "tag:yaml.org,2002:str"
# libyaml is ten times as fast; a platform without it still reads the same documents.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(text: str, file: str) -> Document:
    """Read one YAML document whose root is a mapping.

    Args:
        text: the whole file.
        file: its name, without a folder, for messages.

    Raises:
        CatalogError: it is not YAML, or is too big, nested too deep, or uses tags, merge keys,
            unknown aliases, or the same key twice.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise CatalogError("the text holds half of a character", file=file) from None
    if size > TEXT_BYTES_MAX:
        raise CatalogError(f"the file is larger than {TEXT_BYTES_MAX >> 20} MiB", file=file)
    try:
        root = _Composer(file, yaml.parse(text, Loader=LOADER)).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"this is not YAML: {shown(error.problem)}"
        # libyaml reads ahead of its events, and in newer versions stops at a depth of its own.
        if "nesting depth" in str(error.problem):
            message = _TOO_DEEP
        raise CatalogError(message, file=file, line=line) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        message = "this is not YAML: it holds a control character"
        raise CatalogError(message, file=file, line=line) from None
    if not isinstance(root, MapNode):
        raise CatalogError("the file must hold a mapping of keys", file=file, line=root.line)
    return Document(root, file)


class _Composer:
    """Builds the tree of one document from parser events."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self.file = file
        self.events = events
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def document(self) -> Node:
        """Return the root of the only document."""
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise self.refusal("the file is empty", (), 0)
        root = self.node(next(self.events), ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            line = after.start_mark.line + 1
            raise self.refusal("the file holds a second document", (), line)
        return root

    def node(self, event: Any, steps: tuple[Step, ...]) -> Node:
        """Return the node that starts with `event`; `steps` lead to it."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, steps)
        self.count(event, steps, 1, 1)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, steps)
        elif event.tag is not None:
            raise self.refusal("tags are not read here", steps, _line(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.items(event, steps)
        else:
            node = self.entries(event, steps)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, steps: tuple[Step, ...]) -> Node:
        """Return the node that an alias stands for, all of it counted once more."""
        node = self.anchors.get(event.anchor)
        if node is None:
            message = f"the alias *{shown(event.anchor)} has no anchor before it"
            raise self.refusal(message, steps, _line(event))
        self.count(event, steps, node.size, node.height)
        return node

    def count(self, event: Any, steps: tuple[Step, ...], size: int, height: int) -> None:
        """Refuse a document that grows too big or too deep."""
        self.nodes += size
        if len(steps) + height > NESTING_MAX:
            raise self.refusal(_TOO_DEEP, (), _line(event))
        if self.nodes > NODES_MAX:
            message = f"the document holds more than {NODES_MAX} values, aliases counted in full"
            raise self.refusal(message, (), _line(event))

    def scalar(self, event: Any, steps: tuple[Step, ...]) -> ScalarNode:
        """Return a scalar."""
        value: LiteralValue = event.value
        if event.tag not in (None, "!", _TEXT_TAG):
            hint = "quote the value if it is text"
            raise self.refusal("tags are not read here", steps, _line(event), hint)
        if event.tag is None and event.implicit[0]:
            try:
                value = scalar_value(event.value)
            except CatalogError as error:
                raise self.refusal(error.message, steps, _line(event), error.hint) from None
        return ScalarNode(_line(event), _column(event), 1, 1, value)

    def items(self, start: Any, steps: tuple[Step, ...]) -> ListNode:
        """Return a list, its start already read."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, (*steps, len(items))))
        size = 1 + sum(node.size for node in items)
        height = 1 + max((node.height for node in items), default=0)
        return ListNode(_line(start), _column(start), size, height, tuple(items))

    def entries(self, start: Any, steps: tuple[Step, ...]) -> MapNode:
        """Return a mapping, its start already read."""
        entries: list[tuple[ScalarNode, Node]] = []
        index: dict[LiteralValue, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, steps)
            if key.value in index:
                first = entries[index[key.value]][0].line
                message = f"the key {value_text(key.value)} is written twice, first on line {first}"
                raise self.refusal(message, steps, _line(event))
            index[key.value] = len(entries)
            entries.append((key, self.node(next(self.events), (*steps, key.value))))
        size = 1 + sum(1 + value.size for _, value in entries)
        height = 1 + max((value.height for _, value in entries), default=0)
        return MapNode(_line(start), _column(start), size, height, tuple(entries), index)

    def key(self, event: Any, steps: tuple[Step, ...]) -> ScalarNode:
        """Return a mapping's key."""
        if getattr(event, "value", None) == "<<" and event.implicit[0]:
            hint = "repeat the keys; a whole value may be an alias"
            raise self.refusal("merge keys are not read here", steps, _line(event), hint)
        key = self.node(event, (*steps, None))
        if not isinstance(key, ScalarNode):
            raise self.refusal("a key must be a single value", steps, _line(event))
        return key

    def refusal(
        self, message: str, steps: tuple[Step, ...], line: int, hint: str | None = None
    ) -> CatalogError:
        """Return the error of this document at `steps`."""
        return CatalogError(message, file=self.file, path=path_text(steps), line=line, hint=hint)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _column(event: Any) -> int:
    return int(event.start_mark.column) + 1
