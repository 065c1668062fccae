"""What a caller wants described: read from a body or an address, the same over every surface.

What comes in: the bytes of a body, or the keys of an address. What goes out: a `DescribeRequest`.
It must never take one of two keys that stand for the same, nor half of a contradiction.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded

MOST_MEMBERS = 1000

NameFilter = Callable[[str], bool]
"""Whether something of a name is to be described."""


class Detail(StrEnum):
    """How much is told: everything, or names with what belongs to each alone."""

    FULL = "full"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """What is to be described; names are folded.

    Attributes:
        collection: only this collection; empty for all.
        name: only levels, metrics, schemas and frames of this name; empty for all.
        schema: whose rows tell of levels; empty for those that know each best.
        members: how many members of each level; None to ask the data nothing.
        names: only levels, metrics, schemas and frames of these names; empty for all.
        detail: how much is told of each.
        at: of where metrics may be asked, only these levels; empty for all.
    """

    collection: str = ""
    name: str = ""
    schema: str = ""
    members: int | None = None
    names: tuple[str, ...] = ()
    detail: Detail = Detail.FULL
    at: tuple[str, ...] = ()

    @property
    def every_name(self) -> tuple[str, ...]:
        """The names that are wanted, one or several; empty for all."""
        return (self.name,) if self.name else self.names

    def name_filter(self) -> NameFilter:
        """Return what tells whether something of a name is wanted."""
        names = frozenset(self.every_name)
        return lambda name: not names or name.casefold() in names


def read_body(body: bytes) -> DescribeRequest:
    """Return what a body wants described.

    Args:
        body: empty, or a JSON object with the optional fields of `read_fields`.

    Raises:
        FrameQLSyntaxError: it is not that.
        LimitExceeded: more members are wanted than are told at once.
    """
    if not body:
        return DescribeRequest()
    try:
        fields = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _invalid_body()
    return read_fields(fields)


def read_fields(fields: Mapping[str, Any]) -> DescribeRequest:
    """Return what the fields of a body want described; raises as `read_body`.

    Args:
        fields: the texts `collection`, `name`, `schema` and `detail`, the number `members`, and
            `names` and `at`, each a list of texts.
    """
    if not fields.keys() <= {*_TEXTS, *_LISTS, "members", "detail"}:
        raise _invalid_body()
    texts = {name: fields.get(name, "") for name in _TEXTS}
    detail, members = fields.get("detail"), fields.get("members")
    if not all(isinstance(text, str) for text in texts.values()):
        raise _invalid_body()
    if members is not None and (type(members) is not int or members < 0):
        raise _invalid_body()
    if detail is not None and detail not in list(Detail):
        raise FrameQLSyntaxError("there is no such detail", hint="detail is full or names")
    if members is not None and members > MOST_MEMBERS:
        raise LimitExceeded(
            f"at most {MOST_MEMBERS} members of a level are told at once",
            hint="all of them: SELECT level FROM schema AT level",
        )
    request = DescribeRequest(
        texts["collection"],
        texts["name"].casefold(),
        texts["schema"],
        members,
        _names(fields, "names"),
        Detail(detail or Detail.FULL),
        _names(fields, "at"),
    )
    _check_together(request)
    return request


def split_names(text: str) -> list[str]:
    """Return the names of a key of an address, with commas between them.

    >>> split_names('region,"a, b",revenue')
    ['region', 'a, b', 'revenue']

    Raises:
        FrameQLSyntaxError: a quote is left open.
    """
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        rows = []
    if len(rows) != 1:
        raise FrameQLSyntaxError("these are not names with commas between them", hint=_QUOTING)
    return rows[0]


_TEXTS = ("collection", "name", "schema")
_LISTS = ("names", "at")
_QUOTING = 'a name that holds a comma or a quote stands in quotes: "a, b"'


def _names(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of names, folded, each once and in order, so that equal requests are equal."""
    listed = fields.get(key)
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise FrameQLSyntaxError(f"{key} is not a list of names")
    if not listed or "" in listed:
        raise FrameQLSyntaxError(f"a name in {key} is empty", hint=f"leave {key} out for all")
    return tuple(sorted({name.casefold() for name in listed}))


def _check_together(request: DescribeRequest) -> None:
    if request.name and request.names:
        raise FrameQLSyntaxError("name and names do not go together", hint="write all in names")
    if request.detail == Detail.NAMES and (
        request.members is not None or request.schema or request.at
    ):
        raise FrameQLSyntaxError(
            "members, schema and at do not go with the detail names",
            hint="leave detail out",
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FrameQLSyntaxError("a key stands twice in one object of the body")
    return fields


def _invalid_body() -> FrameQLSyntaxError:
    return FrameQLSyntaxError(
        "the body is not what describe takes",
        hint='send {"collection": "...", "name": "...", "schema": "...", "members": 10}',
    )
