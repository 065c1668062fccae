"""Who answers a question, how it is asked, and what must come back.

What comes in: an address and a text. What goes out: values that can be sent to another process as
JSON. It must never hold a connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Ask = Callable[[str], pa.Table]
"""Asks a question, and returns the whole answer."""

MOST_ROWS_COMPARED = 1000
"""Answers of more rows are compared by their count and the aggregates of their columns."""


class Way(StrEnum):
    """How a question is asked: the names of the modules in `ways`."""

    CLIENT = "client"
    ONE_CALL = "one_call"
    TWO_CALLS = "two_calls"
    ADBC = "adbc"
    ADBC_REUSED = "adbc_reused"
    IN_PROCESS = "in_process"
    HTTP_JSON = "http_json"
    HTTP_ARROW = "http_arrow"


@dataclass(frozen=True, slots=True)
class Target:
    """One side of a comparison.

    Attributes:
        way: how it is asked.
        address: of a server; of `IN_PROCESS`, a DuckDB file.
        questions: the texts that it is asked, in this order and then from the first again.
        bypasses_cache: whether the cache must not answer.
        options: what else a way needs, by name.
    """

    way: Way
    address: str
    questions: tuple[str, ...]
    bypasses_cache: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Target:
        """Return what `to_json` wrote."""
        read = json.loads(line)
        return cls(**{**read, "way": Way(read["way"]), "questions": tuple(read["questions"])})


def digest(table: pa.Table) -> list[Any]:
    """Return what tells whether two answers hold the same values, whatever their order and types.

    Sums and single numbers are told to nine digits: some servers answer decimals as doubles.

    >>> digest(pa.table({"a": [2, 1], "b": ["x", "y"]}))
    [2, [['1', 'y'], ['2', 'x']]]
    """
    if table.num_rows <= MOST_ROWS_COMPARED:
        columns = [list(map(_told, column.to_pylist())) for column in table.columns]
        return [table.num_rows, sorted(map(list, zip(*columns, strict=True)))]
    return [table.num_rows, [_aggregate(column) for column in table.columns]]


def _aggregate(column: pa.ChunkedArray) -> list[str]:
    known = len(column) - column.null_count
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return [str(known), _told(pc.sum(column.cast(pa.float64())).as_py())]
    if pa.types.is_decimal(column.type):
        return [str(known), _told(pc.sum(column.cast(pa.float64())).as_py())]
    extremes = pc.min_max(column).as_py()
    return [str(known), _told(extremes["min"]), _told(extremes["max"])]


def _told(value: Any) -> str:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"{float(value):.9g}"
    return str(value)
