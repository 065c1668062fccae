"""A text of SQL that is more than one question, as a program.

What comes in: a tree, its values, and the tables that are published. What goes out: islands and the
algebra over them, typed. It must never answer a text that is one question: that has a path of its
own.
"""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.arrow_types import arrow_type, with_sql_metadata
from flightframe_server.errors import NotSupported
from flightframe_server.outer.program import Program
from flightframe_server.request import Request
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding
from flightframe_server.sql.allowed_sql import check_outer
from flightframe_server.sql.islands import Islands
from flightframe_server.sql.outer_select import SelectReader
from flightframe_server.sql.parse import ParsedSql
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Clock, Reading
from flightframe_server.sql.relations import Relation
from flightframe_server.sql.stages import Context
from flightframe_server.sql.trees import expanded
from flightframe_server.sql.unwrapping import Tables


def program_of(
    parsed: ParsedSql, request: Request, tables: Tables, typed: TypedCollection, *, typing: bool
) -> Program:
    """Return what a text means in a collection, as islands and algebra.

    Args:
        parsed: the text's tree.
        request: the request that brings it.
        tables: what its tables are.
        typed: the collection.
        typing: whether no parameter is bound.

    Raises:
        QueryError: it is not answered, or breaks a rule.
    """
    tree = parsed.compound or parsed.select
    check_outer(tree)
    tree = expanded(tree)
    values = None if typing else request.scalars
    reading = Reading(typed, values, request.sql, Clock(typed.zone))
    binding = Binding(None if typing else {})
    islands = Islands(Context(reading, binding), tables, _read)
    relation = _read(islands, tree)
    types: dict[int | str, DataType] = {}
    if typing:
        types.update(binding.types)
        types.update((key, type_) for key, type_ in reading.shaping.items())
    return Program(
        tuple(islands.made),
        relation.node,
        _schema(relation, tree),
        tuple((key, arrow_type(types[key])) for key in sorted(types, key=str)),
        reading.clock.shown,
        tuple(reading.notes),
        parsed.explain,
    )


def _read(islands: Islands, tree: exp.Expr) -> Relation:
    return SelectReader(islands).relation(tree)


def _schema(relation: Relation, tree: exp.Expr) -> pa.Schema:
    for type_ in relation.types:
        if type_.kind is Kind.NULL:
            raise NotSupported("a column of NULL alone has no type", place=place_of(tree))
    fields = [
        (column.name, arrow_type(type_))
        for column, type_ in zip(relation.columns, relation.types, strict=True)
    ]
    return with_sql_metadata(pa.schema(fields))
