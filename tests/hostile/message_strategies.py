"""Any message of a protobuf type, by its descriptor: every field absent, ordinary or extreme."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_DEEPEST = 3
_WORDS = [
    "SELECT revenue AT region",
    "SELECT region, revenue AT region WHERE region = ?",
    "SELECT 1",
    "DELETE FROM stores",
    "metrics",
    "stores",
    "retail_full",
    "retail-demo",
    "%",
    "_%\\",
    "",
    "'; DROP TABLE stores; --",
]
_texts = st.sampled_from(_WORDS) | st.text(max_size=30)
_bytes = st.binary(max_size=40) | _texts.map(str.encode)

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _texts,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1) | st.integers(0, 600),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_ENUM: st.integers(-1, 9),
}


@st.composite
def messages(draw: st.DrawFn, of: Descriptor, depth: int = 0) -> Message:
    """Draw a message of a type; below the third level fields of messages stay absent."""
    made = GetMessageClass(of)()
    for field in of.fields:
        if draw(st.booleans()):
            _fill(draw, made, field, depth)
    return made


def _fill(draw: st.DrawFn, made: Message, field: FieldDescriptor, depth: int) -> None:
    nested = field.message_type
    if nested is not None and nested.GetOptions().map_entry:
        _fill_map(draw, getattr(made, field.name), nested, depth)
    elif nested is not None:
        if depth < _DEEPEST:
            for _ in range(draw(st.integers(0, 2)) if field.is_repeated else 1):
                value = draw(messages(nested, depth + 1))
                target = getattr(made, field.name)
                (target.add() if field.is_repeated else target).CopyFrom(value)
    elif field.is_repeated:
        getattr(made, field.name).extend(draw(st.lists(_SCALARS[field.type], max_size=3)))
    else:
        setattr(made, field.name, draw(_SCALARS[field.type]))


def _fill_map(draw: st.DrawFn, target: Any, entry: Descriptor, depth: int) -> None:
    value = entry.fields_by_name["value"]
    for key in draw(st.lists(_texts, max_size=3)):
        if value.message_type is None:
            target[key] = draw(_SCALARS[value.type])
        elif depth < _DEEPEST:
            target[key].CopyFrom(draw(messages(value.message_type, depth + 1)))
