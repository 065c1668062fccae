"""A document against a shape, with the place of each mistake in the file.

What comes in: a document and the shape it should have. What goes out: the shape, or one
`CatalogError` for the mistakes in the order of the document. It must never echo a value: the
document may hold a password.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from flightframe_server.catalog.collection import SourceLocation
from flightframe_server.catalog.findings import Finding, raise_all
from flightframe_server.catalog.nodes import Document, Step, path_text, to_python
from flightframe_server.errors import InternalError, did_you_mean, shown

_S = TypeVar("_S", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "literal_error": "expected {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "too_short": "it must not be empty",
}
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (NoneType, "nothing"),
    (bool, "true or false"),
    (str, "text"),
    ((int, Decimal, float), "a number"),
    (datetime.date, "a date"),
    (list, "a list"),
    (dict, "a mapping"),
)


def validate(shape: type[_S], document: Document) -> _S:
    """Return the document's content as a shape.

    Raises:
        CatalogError: the content has not that shape; the first mistake, and all that follow.
    """
    try:
        return shape.model_validate(to_python(document.root))
    except ValidationError as error:
        mistakes = [_placed(document, details) for details in error.errors(include_url=False)]
    raise_all([_finding(shape, mistake) for mistake in _in_order(mistakes)], document.file)
    raise InternalError("a document was refused without a reason")


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One of pydantic's errors, and where it stands."""

    details: Any
    steps: tuple[Step, ...]
    place: tuple[int, int]


def _placed(document: Document, details: Any) -> _Mistake:
    loc = details["loc"]
    # pydantic tells a key that is no text by its text alone; the input is the key itself.
    steps = (*loc[:-2], details["input"]) if loc and loc[-1] == "[key]" else loc
    return _Mistake(details, *document.find(steps))


def _in_order(mistakes: Sequence[_Mistake]) -> list[_Mistake]:
    """Return mistakes by place, a missing key where the first unknown one of its mapping stands.

    A key that is misspelled is both unknown and missing: only the misspelling is reported.
    """
    missing = {mistake.details["loc"] for mistake in mistakes if _is_missing(mistake)}
    misspelled = {
        loc
        for mistake in mistakes
        if mistake.details["type"] == "extra_forbidden"
        for loc in missing
        if loc[:-1] == mistake.details["loc"][:-1]
        and did_you_mean(str(mistake.details["loc"][-1]), [str(loc[-1])]) is not None
    }
    mistakes = [mistake for mistake in mistakes if mistake.details["loc"] not in misspelled]
    unknown: dict[tuple[Step, ...], tuple[int, int]] = {}
    for mistake in mistakes:
        if mistake.details["type"] == "extra_forbidden":
            parent = mistake.steps[:-1]
            unknown[parent] = min(mistake.place, unknown.get(parent, mistake.place))
    moved = [
        replace(mistake, place=unknown.get(mistake.steps, mistake.place))
        if _is_missing(mistake)
        else mistake
        for mistake in mistakes
    ]
    return sorted(moved, key=lambda mistake: (mistake.place, _is_missing(mistake)))


def _is_missing(mistake: _Mistake) -> bool:
    return bool(mistake.details["type"] == "missing")


def _finding(shape: type[BaseModel], mistake: _Mistake) -> Finding:
    message, hint = _message_and_hint(shape, mistake.details)
    return Finding(SourceLocation(path_text(mistake.steps), mistake.place[0]), message, hint)


def _message_and_hint(shape: type[BaseModel], details: Any) -> tuple[str, str | None]:
    kind, loc, value = details["type"], details["loc"], details["input"]
    context = details.get("ctx", {})
    if kind == "missing":
        return f"the key '{loc[-1]}' is missing", None
    if kind == "extra_forbidden":
        known = sorted(_known_keys(shape, loc[:-1]))
        hint = did_you_mean(str(loc[-1]), known) or f"known here: {', '.join(known)}"
        return f"unknown key '{shown(loc[-1])}'", hint
    if kind in _EXPECTED:
        what = "text as a key" if loc[-1] == "[key]" else _EXPECTED[kind]
        return f"expected {what}, found {_kind(value)}", _advice(kind, value)
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context), None
    return str(details["msg"]), None


def _kind(value: object) -> str:
    return next((text for types, text in _KINDS if isinstance(value, types)), "something else")


def _advice(kind: str, value: object) -> str | None:
    if kind == "string_type" and isinstance(value, bool | int | Decimal | float | datetime.date):
        return "put it in quotes"
    if value is None:
        return "give it a value, or leave the key out"
    if kind == "list_type" and isinstance(value, str):
        return "write a list: [a, b]"
    return None


def _known_keys(shape: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    hints: list[Any] = [shape]
    for part in loc:
        hints = [inner for hint in hints for inner in _inside(hint, part)]
    return [
        field.alias or name
        for hint in hints
        if isinstance(hint, type) and issubclass(hint, BaseModel)
        for name, field in hint.model_fields.items()
    ]


def _inside(hint: Any, part: str | int) -> Iterator[Any]:
    """Yield the types of what stands at `part` (a key, a position, a union's tag) in a type."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        for name, field in hint.model_fields.items():
            if part == (field.alias or name):
                yield from _members(field.annotation)
    elif get_origin(hint) is Annotated and Tag(str(part)) in hint.__metadata__:
        yield from _members(get_args(hint)[0])
    elif get_origin(hint) in (list, dict):
        yield from _members(get_args(hint)[-1])


def _members(hint: Any) -> Iterator[Any]:
    """Yield the types that a union allows, each with its tag if it has one."""
    if get_origin(hint) in (Union, UnionType):
        for member in get_args(hint):
            yield from _members(member)
    elif get_origin(hint) is Annotated and not any(
        isinstance(note, Tag) for note in hint.__metadata__
    ):
        yield from _members(get_args(hint)[0])
    else:
        yield hint
