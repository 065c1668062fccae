"""The few fixed texts that tools send beside their queries, answered without the language.

What comes in: a text. What goes out: an answer made of constants or of what the server remembers of
its last queries. It must never grow into a second language: each probe is one whole text.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from flightframe_server.answer import Answer, Serving
from flightframe_server.engine.finished import LastQuery
from flightframe_server.provenance import (
    METADATA_KEY,
    SERVED_FROM_KEY,
    Provenance,
    ServedFrom,
    fold,
)

LONGEST = 200

ONE = pa.schema([pa.field("1", pa.int64())])

LAST_QUERIES = pa.schema(
    [
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("seconds", pa.float64()),
        pa.field("source", pa.string()),
        pa.field("rows", pa.int64()),
        pa.field("served_from", pa.string()),
        pa.field("query_id", pa.string()),
        pa.field("collection", pa.string()),
        pa.field("provenance", pa.string()),
    ]
)
"""The columns of `system.last_queries`; `rows` is NULL where the answer was streamed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One text: how it is recognised, its columns, and how it is answered."""

    pattern: re.Pattern[str]
    schema: pa.Schema
    table: Callable[[Serving, str], pa.Table]

    def answer(self, serving: Serving, user: str) -> Answer:
        """Return the answer for a user, labelled as what touched no back-end."""
        enabled = any(engine.enabled for engine in serving.engines.values())
        label = fold(()) if enabled else ServedFrom.BACKEND
        provenance = Provenance(label, uuid.uuid4().hex, "")
        carried = {
            SERVED_FROM_KEY: str(label).encode(),
            METADATA_KEY: provenance.to_bytes(),
        }
        table = self.table(serving, user)
        return Answer(table.schema.with_metadata(carried), provenance, table)


def find(source: str) -> Probe | None:
    """Return the probe that a text is, or None where it is a query."""
    return _found(source) if len(source) <= LONGEST else None


# On the path of every hit: one look-up in place of as many patterns as there are probes.
@lru_cache(maxsize=1024)
def _found(source: str) -> Probe | None:
    for probe in PROBES:
        if probe.pattern.fullmatch(source):
            return probe
    return None


def _text(pattern: str) -> re.Pattern[str]:
    # Possessive, so that no text takes long to refuse.
    return re.compile(rf"\s*+{pattern}\s*+;?+\s*+", re.IGNORECASE)


def _one(serving: Serving, user: str) -> pa.Table:
    return pa.Table.from_arrays([pa.array([1], pa.int64())], schema=ONE)


def _last_queries(serving: Serving, user: str) -> pa.Table:
    # Where nobody is asked for a name, everybody has the same one.
    rows = [_row(query) for query in serving.last_queries if query.user == user]
    return pa.Table.from_pylist(rows[::-1], schema=LAST_QUERIES)


def _row(query: LastQuery) -> dict[str, object]:
    provenance = query.provenance
    return {
        "at": int(query.at * 1_000_000),
        "seconds": query.seconds,
        "source": query.source,
        "rows": query.rows,
        "served_from": str(provenance.served_from),
        "query_id": provenance.query_id,
        "collection": provenance.collection,
        "provenance": json.dumps(provenance.to_json(), separators=(",", ":"), ensure_ascii=False),
    }


PROBES = (
    Probe(_text(r"SELECT\s++1"), ONE, _one),
    Probe(_text(r"SELECT\s*+\*\s*+FROM\s++system\.last_queries"), LAST_QUERIES, _last_queries),
)
"""`SELECT 1`, by which tools ask whether the server lives, and the user's newest queries first."""
