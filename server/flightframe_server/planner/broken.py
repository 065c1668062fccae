"""The promises an answer rests on, as keys: which of them are broken decides what is refused.

What comes in: how an answer would be read. What goes out: the first broken promise among those it
needs, as the error that names the row. It must never refuse more than what needs the promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flightframe_server.errors import AmbiguousPath, FDViolation, QueryError
from flightframe_server.planner.source import ColumnRead, FetchedRead, LevelRead
from flightframe_server.resolver.question import Metric

_WAYS = "all ways from"


def edge_key(edge: str) -> str:
    """Return the key of an edge being a function."""
    return edge


def pair_key(source: str, target: str) -> str:
    """Return the key of all paths between two levels agreeing."""
    return f"{source} => {target}"


def level_key(schema: str, level: str) -> str:
    """Return the key of a stored calendar column holding first instants."""
    return f"{schema}.{level} is a period"


def column_key(schema: str, column: str) -> str:
    """Return the key of a column being fetched along a unique key."""
    return f"{schema}.{column} is fetched along a key"


def way_key(schema: str, level: str) -> str:
    """Return the key of all ways from a schema's columns to a level agreeing."""
    return f"{_WAYS} {schema} to {level}"


def grain_key(schema: str) -> str:
    """Return the key of a grain being unique."""
    return f"the grain of {schema}"


def promises(
    metric: Metric, reads: Iterable[LevelRead], columns: Iterable[ColumnRead]
) -> Iterable[tuple[str, str]]:
    """Yield the key of each promise that a direct answer needs, and what needs it."""
    for read in reads:
        for hop in read.hops:
            yield edge_key(hop.edge), f"{read.level} needs {hop.edge}"
        if read.others:
            need = f"{read.level} needs all ways from {metric.schema} to it to lead to one member"
            yield way_key(metric.schema, read.level), need
        visited = read.visited
        for at, source in enumerate(visited):
            for target in visited[at + 1 :]:
                key = pair_key(source, target)
                yield key, f"{read.level} needs all paths from {source} to {target} to agree"
        key = level_key(metric.schema, read.start)
        yield key, f"{read.level} needs {read.start} to be the first day of a period"
    for column in columns:
        if isinstance(column, FetchedRead):
            key = column_key(metric.schema, column.name)
            yield key, f"{column.name} needs one row for each key"
    if metric.order:
        yield grain_key(metric.schema), f"{metric} needs the grain of {metric.schema} to be unique"


def check_promises(
    broken: Mapping[str, str],
    metric: Metric,
    reads: Iterable[LevelRead],
    columns: Iterable[ColumnRead],
) -> None:
    """Refuse an answer that needs a broken promise.

    Raises:
        FDViolation: names the promise and a row that breaks it.
        AmbiguousPath: the same, of a level that several ways lead to.
    """
    if not broken:
        return
    for key, need in promises(metric, reads, columns):
        if key in broken:
            raise violation(key, f"{need}, and the data breaks it: {broken[key]}", broken[key])


def violation(key: str, message: str, row: str) -> QueryError:
    """Return the error for a broken promise, whose key and row it carries."""
    details = {"promise": key, "row": row}
    if not key.startswith(_WAYS):
        return FDViolation(message, details=details)
    return AmbiguousPath(
        message,
        hint="give each way a name of its own under `roles` of the collection, and ask for that",
        details=details,
    )
