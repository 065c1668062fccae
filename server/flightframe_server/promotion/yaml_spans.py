"""A YAML document as pieces that know where they begin and end in its text.

What comes in: the text of a document that the catalog has read and found sound. What goes out: a
tree of spans. It must never change the text, nor say what a value means: only where it stands.

It reads with the parser that the catalog reads with: what one takes, the other takes. Its marks
count letters, and a line break of two bytes as two; a mark of byte order it does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import yaml

from flightframe_server.catalog.document import LOADER


class Kind(Enum):
    """What stands there."""

    SCALAR = "scalar"
    LIST = "list"
    MAP = "map"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of a document. Offsets count letters from 0.

    Attributes:
        kind: what it is.
        start: its first letter, behind an anchor's name.
        end: behind the last letter of its content; comments and blank lines are no content.
        column: that of its first letter, or of the first key or dash, from 0.
        flow: whether a list or map is written with brackets.
        value: the letters of a scalar, or the name of an alias.
        items: of a list.
        entries: of a map, key and value.
        block_scalar: whether it is a text after `|` or `>`.
    """

    kind: Kind
    start: int
    end: int
    column: int
    flow: bool = False
    value: str = ""
    items: tuple[Span, ...] = ()
    entries: tuple[tuple[Span, Span], ...] = ()
    block_scalar: bool = False

    def get(self, key: str) -> Span | None:
        """Return the value of a key of a map; None where there is no such key."""
        return next((value for name, value in self.entries if name.value == key), None)


def read_spans(text: str) -> Span:
    """Return the root of a document.

    Args:
        text: the whole document, without a mark of byte order.

    Raises:
        yaml.YAMLError: the text is not YAML.
    """
    events = iter(yaml.parse(text, Loader=LOADER))
    return next(_span(event, events) for event in events if isinstance(event, _NODES))


_NODES = (yaml.ScalarEvent, yaml.AliasEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)


def _span(event: Any, events: Iterator[Any]) -> Span:
    start, end = event.start_mark.index, event.end_mark.index
    column = event.start_mark.column
    if isinstance(event, yaml.AliasEvent):
        return Span(Kind.ALIAS, start, end, column, value=str(event.anchor))
    if isinstance(event, yaml.ScalarEvent):
        block = event.style in ("|", ">")
        return Span(Kind.SCALAR, start, end, column, value=event.value, block_scalar=block)
    if isinstance(event, yaml.SequenceStartEvent):
        return _list(event, events)
    return _map(event, events)


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def _list(event: Any, events: Iterator[Any]) -> Span:
    flow = bool(event.flow_style)
    items: list[Span] = []
    while not isinstance(inner := next(events), yaml.SequenceEndEvent):
        items.append(_span(inner, events))
    end = _end(inner) if flow or not items else items[-1].end
    mark = event.start_mark
    return Span(Kind.LIST, mark.index, end, mark.column, flow, items=tuple(items))


def _map(event: Any, events: Iterator[Any]) -> Span:
    flow = bool(event.flow_style)
    entries: list[tuple[Span, Span]] = []
    while not isinstance(inner := next(events), yaml.MappingEndEvent):
        key = _span(inner, events)
        entries.append((key, _span(next(events), events)))
    end = _end(inner) if flow or not entries else entries[-1][1].end
    # The mark of a map with a name (`&x`) is that of the name: its keys stand elsewhere.
    column = entries[0][0].column if entries and not flow else event.start_mark.column
    return Span(Kind.MAP, event.start_mark.index, end, column, flow, entries=tuple(entries))
