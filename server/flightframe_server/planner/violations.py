"""The promises that an answer rests on, as keys, and the refusal where the data violates one.

What comes in: how an answer would be read. What goes out: the first broken promise among those it
needs, as the error that names the row. It must never refuse more than what needs the promise.

A key is a text, and no type of its own: it stands on disk, in provenance and in an error's details
as it is, and nothing but the ways is told apart by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from flightframe_server.errors import AmbiguousPath, FDViolation, QueryError
from flightframe_server.planner.hops import TableHop
from flightframe_server.planner.source import ColumnRead, FetchedRead, LevelRead
from flightframe_server.resolver.terms import Metric
from flightframe_server.resolver.typed import TypedCollection

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


def sibling_key(family: str, schema: str) -> str:
    """Return the key of a sibling holding a family's numbers as its root does."""
    return f"{schema} holds {family}"


def rows_key(table: str) -> str:
    """Return the key of a table's size; no promise, and a fact of the data all the same."""
    return f"the rows of {table}"


def unique_key(table: str, column: str) -> str:
    """Return the key of a column having no value twice; no promise, as the size of a table."""
    return f"{column} of {table} is unique"


def promises(
    typed: TypedCollection,
    metric: Metric,
    reads: Iterable[LevelRead],
    columns: Iterable[ColumnRead],
) -> Iterable[tuple[str, str]]:
    """Yield the key of each promise that a direct answer needs checked, and what needs it."""
    for key, need, trusted in _every_promise(typed, metric, reads, columns):
        if not trusted:
            yield key, need


def trusted_promises(
    typed: TypedCollection,
    metric: Metric,
    reads: Iterable[LevelRead],
    columns: Iterable[ColumnRead],
) -> tuple[str, ...]:
    """Return the keys of the promises that a direct answer rests on and that nothing checks."""
    every = _every_promise(typed, metric, reads, columns)
    return tuple(dict.fromkeys(key for key, _, trusted in every if trusted))


def _every_promise(
    typed: TypedCollection,
    metric: Metric,
    reads: Iterable[LevelRead],
    columns: Iterable[ColumnRead],
) -> Iterable[tuple[str, str, bool]]:
    """Yield each promise: its key, what needs it, and whether it is trusted."""
    for read in reads:
        for hop in read.hops:
            trusted = isinstance(hop, TableHop) and hop.trusted
            yield edge_key(hop.edge), f"{read.level} needs {hop.edge}", trusted
        if read.others:
            need = f"{read.level} needs all ways from {metric.schema} to it to lead to one member"
            yield way_key(metric.schema, read.level), need, False
        for source, target in combinations(read.visited, 2):
            need = f"{read.level} needs all paths from {source} to {target} to agree"
            yield pair_key(source, target), need, False
        need = f"{read.level} needs {read.start} to be the first day of a period"
        yield level_key(metric.schema, read.start), need, False
    for column in columns:
        if isinstance(column, FetchedRead):
            need = f"{column.name} needs one row for each key"
            yield column_key(metric.schema, column.name), need, column.trusted
    schema = typed.schema(metric.schema)
    if schema.grain and metric.counts_repeats:
        need = f"{metric.called} needs the grain of {schema.name} to be unique"
        yield grain_key(schema.name), need, schema.trusted


def check_promises(
    typed: TypedCollection,
    violations: Mapping[str, str],
    unattested: frozenset[str],
    metric: Metric,
    reads: Iterable[LevelRead],
    columns: Iterable[ColumnRead],
) -> frozenset[str]:
    """Refuse an answer that needs a broken promise.

    Args:
        typed: the collection.
        violations: the broken promises, by key, with the row that shows it.
        unattested: the keys of promises that were not checked on the data yet.
        metric: what would be read.
        reads: how its rows come to levels.
        columns: how its rows come to columns.

    Returns:
        The keys among `unattested` that the answer needs.

    Raises:
        FDViolation: names the promise and a row that breaks it.
        AmbiguousPath: the same, of a level that several ways lead to.
    """
    lacking: set[str] = set()
    for key, need in promises(typed, metric, reads, columns) if violations or unattested else ():
        if key in violations:
            raise violation(
                key, f"{need}, and the data breaks it: {violations[key]}", violations[key]
            )
        if key in unattested:
            lacking.add(key)
    return frozenset(lacking)


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
