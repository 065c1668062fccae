"""Whether a schema's grain is a key: whether each of its points stands on one row.

What comes in: a typed collection and the version to look at. What goes out: a point that stands on
several rows, in words, or nothing. It must never check what is trusted, nor a table that has no
key.
"""

from __future__ import annotations

import pyarrow.compute as pc

from flightframe_server.algebra.reducers import COUNT_OF_ROWS, Operator
from flightframe_server.algebra.types import INTEGER
from flightframe_server.catalog.collection import StoredColumn
from flightframe_server.engine.reading import VersionReader
from flightframe_server.engine.siblings import word
from flightframe_server.planner.source import source_query
from flightframe_server.resolver.terms import Metric
from flightframe_server.resolver.typed import TypedCollection


def doubled(typed: TypedCollection, reader: VersionReader, schema: str) -> str | None:
    """Return a point of a schema's grain that stands on several rows, in words; None: none does.

    A stored key is the back-end's to check, which reads nothing where the database itself keeps it
    unique. One that is computed or fetched is counted point by point.

    Raises:
        BackendError: the database failed.
        QueryError: a value of a computed column does not fit its type.
    """
    declared = typed.schema(schema)
    if not declared.grain or declared.trusted:
        return None
    by_folded = {name.casefold(): column for name, column in declared.columns.items()}
    columns = [by_folded[level.casefold()] for level in declared.grain]
    stored = [column.source for column in columns if isinstance(column, StoredColumn)]
    if len(stored) == len(columns):
        return several_rows(reader.duplicate(declared.table, tuple(stored)))
    return several_rows(_counted(typed, reader, schema))


def several_rows(key: tuple[object, ...] | None) -> str | None:
    """Return in words that a key stands on several rows."""
    return None if key is None else f"({', '.join(map(word, key))}) stands on several rows"


def _counted(
    typed: TypedCollection, reader: VersionReader, schema: str
) -> tuple[object, ...] | None:
    levels = tuple(sorted(typed.graph.find(name) or name for name in typed.schema(schema).grain))
    rows = Metric(f"rows({schema})", Operator(COUNT_OF_ROWS), schema, None, INTEGER)
    counted = reader.collect(source_query(typed, schema, levels, (), (rows,)))
    several = counted.filter(pc.greater(counted.column(counted.num_columns - 1), 1))
    if not several.num_rows:
        return None
    return tuple(several.column(at)[0].as_py() for at in range(several.num_columns - 1))
