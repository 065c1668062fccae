"""Whether several ways to a level agree, on the rows of a schema as they are.

What comes in: a typed collection and a back-end. What goes out: a row that two ways lead to
different members, in words, or nothing. It must never take the one way for the right one.
"""

from __future__ import annotations

from typing import Any

from flightframe_server.backends.protocol import Backend
from flightframe_server.engine.siblings import word
from flightframe_server.planner.source import read_way
from flightframe_server.planner.ways import Ways, differing_rows, pairs_of_ways
from flightframe_server.resolver.typed import TypedCollection


def way_disagreement(
    typed: TypedCollection, backend: Backend, schema: str, level: str
) -> str | None:
    """Return a row that two ways lead to different members of a level, in words; or None.

    The rows are counted as the answers count them: look-ups are outer, and NULL is a member. Each
    edge of the ways must lead from a member to one member.

    Raises:
        BackendError: the database failed.
    """
    for ways in pairs_of_ways(typed, schema, level):
        row = _least(typed, backend, schema, level, ways)
        if row is not None:
            one, other = (" -> ".join(read_way(typed, schema, level, way).visited) for way in ways)
            starts = " and ".join(f"{way[0].source} {word(row[way[0].source])}" for way in ways)
            return (
                f"the row with {starts} is of {word(row[' 1'])} by {one}"
                f" and of {word(row[' 2'])} by {other}"
            )
    return None


def _least(
    typed: TypedCollection, backend: Backend, schema: str, level: str, ways: Ways
) -> dict[str, Any] | None:
    """Return the first of the rows that differ, by the members they start from."""
    query = differing_rows(typed, schema, level, ways)
    starts = [way[0].source for way in ways]

    def key(row: dict[str, Any]) -> list[tuple[bool, str]]:
        return [(row[start] is None, str(row[start])) for start in starts]

    found: dict[str, Any] | None = None
    for batch in backend.run(query):
        rows = batch.to_pylist()
        if rows:
            least = min(rows, key=key)
            found = least if found is None else min(found, least, key=key)
    return found
