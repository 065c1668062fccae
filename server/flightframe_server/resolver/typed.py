"""A collection together with the types that its database gives its columns.

What comes in: a `Collection` and, for each table, the declared type of each column. What goes out:
a `TypedCollection`, in which each level has one type and each column a known one. It must never
see a connection: reading the tables' types is the shell's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flightframe_server.catalog.collection import (
    Collection,
    ComputedColumn,
    Declared,
    Edge,
    FunctionMap,
    LookupColumn,
    RoleMap,
    RootedMetric,
    Schema,
    StoredColumn,
    TableMap,
    ValueMap,
)
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.catalog.types import BOOLEAN, DATE, TEXT, TIMESTAMP, DataType, Kind
from flightframe_server.errors import CatalogError, QueryError, did_you_mean, shown
from flightframe_server.language.syntax import Ascribed, Call, Name, Star
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import unknown_function
from flightframe_server.resolver.operators import REDUCERS
from flightframe_server.resolver.terms import ColumnTerm, Term
from flightframe_server.resolver.values import Binding, castable, fill_of, literal_type

TableTypes = Mapping[str, Mapping[str, DataType]]
"""For each table of the database, the declared type of each of its columns."""

_COARSE = frozenset({"DAY_OF", "WEEK_OF", "MONTH_OF", "QUARTER_OF", "YEAR_OF"})


@dataclass(frozen=True, slots=True, eq=False)
class TypedCollection:
    """A collection whose names have types.

    Attributes:
        collection: the declarations.
        graph: its levels and edges.
        column_types: (schema, column) to type.
        level_types: level to its one type.
        computed: (schema, column) to the term of each computed column.
    """

    collection: Collection
    graph: LevelGraph
    column_types: Mapping[tuple[str, str], DataType]
    level_types: Mapping[str, DataType]
    computed: Mapping[tuple[str, str], Term]

    def schema(self, name: str) -> Schema:
        """Return the schema of that name."""
        return self.collection.schemas[name]

    def source_column(self, schema: str, column: str) -> str:
        """Return the table's own name for a stored column of a schema."""
        declared = self.collection.schemas[schema].columns[column]
        if not isinstance(declared, StoredColumn):
            raise _wrong(self.collection, declared, f"column {column} is not stored in a table")
        return declared.source


def type_collection(collection: Collection, tables: TableTypes) -> TypedCollection:
    """Give every column and level of a collection its type.

    Raises:
        CatalogError: a table or column does not exist, an expression does not fit the types of
            its columns, a level has two types or is a double.
    """
    columns = _column_types(collection, tables)
    computed = {
        (schema.name, column.name): _computed_term(collection, schema, column, columns)
        for schema in collection.schemas.values()
        for column in schema.columns.values()
        if isinstance(column, ComputedColumn)
    }
    graph = LevelGraph(collection)
    levels = _level_types(collection, graph, columns)
    _check_fills(collection, columns)
    return TypedCollection(collection, graph, columns, levels, computed)


def _column_types(collection: Collection, tables: TableTypes) -> dict[tuple[str, str], DataType]:
    found: dict[tuple[str, str], DataType] = {}
    fetched: list[tuple[str, LookupColumn]] = []
    for schema in collection.schemas.values():
        known = _table(collection, schema, tables)
        for column in schema.columns.values():
            match column:
                case StoredColumn():
                    type_ = _stored_type(collection, schema, column, known)
                    found[schema.name, column.name] = type_
                case ComputedColumn(type=declared):
                    found[schema.name, column.name] = declared
                case LookupColumn():
                    fetched.append((schema.name, column))
    for name, column in fetched:
        found[name, column.name] = _fetched_type(collection, column, found)
    return found


def _wrong(
    collection: Collection, at: Declared, message: str, hint: str | None = None
) -> CatalogError:
    return CatalogError(
        message, file=collection.file, path=at.mark.path, line=at.mark.line, hint=hint
    )


def _table(collection: Collection, schema: Schema, tables: TableTypes) -> Mapping[str, DataType]:
    if schema.table not in tables:
        raise _wrong(
            collection,
            schema,
            f"the database has no table {shown(schema.table)} for schema {shown(schema.name)}",
            did_you_mean(schema.table, tables),
        )
    return tables[schema.table]


def _stored_type(
    collection: Collection, schema: Schema, column: StoredColumn, known: Mapping[str, DataType]
) -> DataType:
    if column.source in known:
        return known[column.source]
    raise _wrong(
        collection,
        column,
        f"table {shown(schema.table)} has no column {shown(column.source)}",
        did_you_mean(column.source, known),
    )


def _fetched_type(
    collection: Collection, column: LookupColumn, columns: Mapping[tuple[str, str], DataType]
) -> DataType:
    found = columns.get((column.schema, column.column))
    if found is None or not isinstance(
        collection.schemas[column.schema].columns[column.column], StoredColumn
    ):
        raise _wrong(collection, column, f"{shown(column.column)} is not stored in a table")
    return found


def _computed_term(
    collection: Collection,
    schema: Schema,
    column: ComputedColumn,
    columns: Mapping[tuple[str, str], DataType],
) -> Term:
    by_folded = {name.casefold(): name for name in schema.columns}

    def leaf(node: Name | Call | Ascribed | Star) -> Term:
        if isinstance(node, Name) and node.text.casefold() in by_folded:
            name = by_folded[node.text.casefold()]
            return ColumnTerm(columns[schema.name, name], schema.name, name)
        if isinstance(node, Call):
            raise unknown_function(node)
        raise _wrong(collection, column, "a column is computed from columns of its own schema")

    typer = Typer(leaf, Binding())
    try:
        term = typer.term(column.expression)
    except QueryError as error:
        raise _wrong(collection, column, error.message, error.hint) from error
    if not castable(term.type, column.type):
        raise _wrong(collection, column, f"{shown(column.name)} is {term.type}, not {column.type}")
    return term


def _check_fills(collection: Collection, columns: Mapping[tuple[str, str], DataType]) -> None:
    """Refuse a fill that is no value of the sum that it stands for."""
    for family in collection.metric_families.values():
        root = family.meaning
        if not isinstance(root, RootedMetric) or root.fill is None or root.column is None:
            continue
        column = columns[root.schema, root.column]
        type_ = REDUCERS["SUM"].type_of(column)
        if column.is_number and fill_of(root.fill, type_) is None:
            raise _wrong(collection, root, f"the fill {root.fill} is no {type_}, as the sum is")


def _level_types(
    collection: Collection, graph: LevelGraph, columns: Mapping[tuple[str, str], DataType]
) -> dict[str, DataType]:
    found: dict[str, DataType] = {}
    for schema in collection.schemas.values():
        for level, column in graph.own_levels(schema.name).items():
            _agree(collection, found, level, columns[schema.name, column], schema.columns[column])
    for family in collection.dimension_families.values():
        for edge in family.edges:
            if not isinstance(edge.map, RoleMap):
                _agree(collection, found, edge.target, _edge_type(edge, columns), edge)
    _play_roles(collection, found)
    for level in graph.level_names:
        if level not in found:
            raise CatalogError(
                f"level {shown(level)} is in no schema and no edge leads to it",
                file=collection.file,
                hint="name a column after it, or give it an edge",
            )
    return found


def _play_roles(collection: Collection, found: dict[str, DataType]) -> None:
    """Give each role the type of the level it plays; raises where a column has another."""
    for family in collection.dimension_families.values():
        for edge in family.edges:
            if isinstance(edge.map, RoleMap) and edge.map.level in found:
                played = found[edge.map.level]
                if found.setdefault(edge.target, played) != played:
                    message = f"level {shown(edge.target)} is {found[edge.target]} elsewhere"
                    raise _wrong(collection, edge, f"{message}, and plays one that is {played}")


def _agree(
    collection: Collection, found: dict[str, DataType], level: str, type_: DataType, at: Declared
) -> None:
    if type_.kind is Kind.DOUBLE:
        raise _wrong(
            collection, at, f"level {shown(level)} is a double, and doubles do not group exactly"
        )
    settled = found.setdefault(level, type_)
    if settled.is_moment and type_.is_moment:
        found[level] = DATE if DATE in (settled, type_) else settled
    elif settled.kind is Kind.DECIMAL and type_.kind is Kind.DECIMAL:
        found[level] = max(settled, type_, key=lambda item: (item.scale, item.precision))
    elif settled != type_:
        raise _wrong(
            collection, at, f"level {shown(level)} is {settled} elsewhere and {type_} here"
        )


def _edge_type(edge: Edge, columns: Mapping[tuple[str, str], DataType]) -> DataType:
    match edge.map:
        case TableMap(schema=schema, target_column=target):
            return columns[schema, target]
        case FunctionMap(function=function):
            return DATE if function in _COARSE else TIMESTAMP
        case ValueMap(pairs=pairs, default=default, null=null):
            values = [value for _, value in pairs] + [default, null]
            types = {literal_type(value) for value in values if value is not None}
            if len(types) == 1:
                return types.pop()
            return BOOLEAN if not types else TEXT
    raise AssertionError(edge)
