"""A collection together with the types that its database gives its columns.

What comes in: a `Collection` and, for each table, the declared type of each column. What goes out:
a `TypedCollection`, in which each level has one type and each column a known one. It must never
see a connection: reading the tables' types is the shell's work.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from flightframe_server.algebra.reducers import TOTAL
from flightframe_server.algebra.types import DATE, DataType, Kind, fine_timestamp
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
)
from flightframe_server.catalog.expressions import names_in
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.errors import CatalogError, QueryError, did_you_mean, shown
from flightframe_server.language.syntax import Ascribed, Call, Name, Star
from flightframe_server.resolver.edge_types import edge_type
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import unknown_function
from flightframe_server.resolver.terms import ColumnTerm, ComputedLevel, Term
from flightframe_server.resolver.values import Binding, castable, fill_of

TableTypes = Mapping[str, Mapping[str, DataType]]
"""For each table of the database, the declared type of each of its columns."""

Unanswered = Mapping[str, Mapping[str, str]]
"""For each table its columns of types that are not answered, in the database's own words."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TypedCollection:
    """A collection whose names have types.

    Attributes:
        collection: the declarations.
        graph: its levels and edges.
        column_types: (schema, column) to type; every moment with a zone has the collection's.
        level_types: level to its one type.
        computed: (schema, column) to the term of each computed column.
        fine: the stored columns whose timestamps count nanoseconds.
        computed_levels: the levels of one question that the collection does not declare.
    """

    collection: Collection
    graph: LevelGraph
    column_types: Mapping[tuple[str, str], DataType]
    level_types: Mapping[str, DataType]
    computed: Mapping[tuple[str, str], Term]
    fine: frozenset[tuple[str, str]] = frozenset()
    computed_levels: Mapping[str, ComputedLevel] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        """The zone in which moments that are instants have days, months and hours."""
        return self.collection.timezone

    def stored_type(self, schema: str, column: str) -> DataType:
        """Return the type of a column as its table keeps it: `column_types` forgets nanoseconds."""
        declared = self.column_types[schema, column]
        return fine_timestamp(declared.zone) if (schema, column) in self.fine else declared

    def with_levels(self, computed: Iterable[ComputedLevel]) -> TypedCollection:
        """Return the collection with computed levels of a question beside its own."""
        new = {one.level: one for one in computed if one.level not in self.computed_levels}
        if not new:
            return self
        types = {**self.level_types, **{level: one.type for level, one in new.items()}}
        return replace(self, level_types=types, computed_levels={**self.computed_levels, **new})

    def base_levels(self, levels: Iterable[str]) -> frozenset[str]:
        """Return the declared levels that levels are read from: themselves, or what they read."""
        base: set[str] = set()
        for level in levels:
            computed = self.computed_levels.get(level)
            base.update((level,) if computed is None else computed.reads)
        return frozenset(base)

    def settled(self, schema: str, level: str, known: Container[str]) -> bool:
        """Return whether a schema's rows that agree in the known levels agree in this one.

        A computed level is settled by itself, and by what settles all that it reads; it settles
        nothing else.
        """
        base = self.base_levels((level,))
        return level in known or all(self.graph.settled(schema, one, known) for one in base)

    def schema(self, name: str) -> Schema:
        """Return the schema of that name."""
        return self.collection.schemas[name]

    def source_column(self, schema: str, column: str) -> str:
        """Return the table's own name for a stored column of a schema."""
        declared = self.collection.schemas[schema].columns[column]
        if not isinstance(declared, StoredColumn):
            raise _wrong(self.collection, declared, f"column {column} is not stored in a table")
        return declared.source


def type_collection(
    collection: Collection, tables: TableTypes, unanswered: Callable[[], Unanswered] = dict
) -> TypedCollection:
    """Give every column and level of a collection its type.

    Args:
        collection: what is typed.
        tables: the types of the database's columns.
        unanswered: gives the columns of a type that is not answered; asked only where a column
            is missing from `tables`.

    Raises:
        CatalogError: a table or column does not exist or is of a type that is not answered, an
            expression does not fit the types of its columns, a level has two types or is a
            double. It carries all such mistakes.
    """
    mistakes = _Mistakes()
    stored = _column_types(collection, tables, unanswered, mistakes)
    columns = {key: _counted(type_, collection.timezone) for key, type_ in stored.items()}
    computed: dict[tuple[str, str], Term] = {}
    for schema in collection.schemas.values():
        for column in schema.columns.values():
            if isinstance(column, ComputedColumn) and _is_typed(schema, column, columns):
                with mistakes.gathered():
                    term = _computed_term(collection, schema, column, columns)
                    computed[schema.name, column.name] = term
    mistakes.stop_if_any()
    graph = LevelGraph(collection)
    levels = _level_types(collection, graph, columns, mistakes)
    with mistakes.gathered():
        _check_fills(collection, columns)
    mistakes.stop_if_any()
    fine = frozenset(key for key, type_ in stored.items() if type_.is_fine)
    return TypedCollection(collection, graph, columns, levels, computed, fine)


def _counted(stored: DataType, zone: str) -> DataType:
    """Return a stored type as it counts here: moments in microseconds, instants in one zone."""
    if stored.kind is not Kind.TIMESTAMP:
        return stored
    return DataType(Kind.TIMESTAMP, zone=zone if stored.zone else None)


class _Mistakes:
    """The mistakes found so far."""

    def __init__(self) -> None:
        self._errors: list[CatalogError] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep a mistake, and go on after the block."""
        try:
            yield
        except CatalogError as error:
            self._errors.append(error)

    def add(self, error: CatalogError) -> None:
        """Keep a mistake."""
        self._errors.append(error)

    def stop_if_any(self) -> None:
        """Raise what was found, in the order of the file."""
        if self._errors:
            raise CatalogError.of_all(sorted(self._errors, key=lambda error: error.line))


def _column_types(
    collection: Collection,
    tables: TableTypes,
    unanswered: Callable[[], Unanswered],
    mistakes: _Mistakes,
) -> dict[tuple[str, str], DataType]:
    types: dict[tuple[str, str], DataType] = {}
    fetched: list[tuple[str, LookupColumn]] = []
    for schema in collection.schemas.values():
        known: Mapping[str, DataType] | None = None
        with mistakes.gathered():
            known = _table(collection, schema, tables)
        for column in schema.columns.values():
            match column:
                case StoredColumn() if known is not None:
                    with mistakes.gathered():
                        types[schema.name, column.name] = _stored_type(
                            collection, schema, column, known, unanswered
                        )
                case ComputedColumn(type=declared):
                    types[schema.name, column.name] = declared
                case LookupColumn():
                    fetched.append((schema.name, column))
    for name, column in fetched:
        other = collection.schemas[column.schema].columns[column.column]
        if isinstance(other, StoredColumn) and (column.schema, column.column) not in types:
            continue  # The mistake is in the other schema, and told there.
        with mistakes.gathered():
            types[name, column.name] = _fetched_type(collection, column, types)
    return types


def _is_typed(
    schema: Schema, column: ComputedColumn, columns: Mapping[tuple[str, str], DataType]
) -> bool:
    """Return whether all columns of an expression have types; of others the mistake is told."""
    by_folded = {name.casefold(): name for name in schema.columns}
    used = (by_folded.get(name.parts[-1].casefold()) for name in names_in(column.expression))
    return all(name is None or (schema.name, name) in columns for name in used)


def _wrong(
    collection: Collection, at: Declared, message: str, hint: str | None = None
) -> CatalogError:
    return CatalogError(
        message, file=collection.file, path=at.location.path, line=at.location.line, hint=hint
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
    collection: Collection,
    schema: Schema,
    column: StoredColumn,
    known: Mapping[str, DataType],
    unanswered: Callable[[], Unanswered],
) -> DataType:
    if column.source in known:
        return known[column.source]
    named = unanswered().get(schema.table, {}).get(column.source)
    if named is not None:
        raise _wrong(
            collection,
            column,
            f"column {shown(column.source)} of table {shown(schema.table)} is of type"
            f" {shown(named)}, which is not answered",
            "store it as text, a number, a date or a timestamp; or, in a database, cast it in a"
            " view, and name the view as the schema's table; or leave the column out",
        )
    raise _wrong(
        collection,
        column,
        f"table {shown(schema.table)} has no column {shown(column.source)}",
        did_you_mean(column.source, known),
    )


def _fetched_type(
    collection: Collection, column: LookupColumn, columns: Mapping[tuple[str, str], DataType]
) -> DataType:
    type_ = columns.get((column.schema, column.column))
    if type_ is None or not isinstance(
        collection.schemas[column.schema].columns[column.column], StoredColumn
    ):
        raise _wrong(collection, column, f"{shown(column.column)} is not stored in a table")
    return type_


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

    typer = Typer(leaf, Binding(), zone=collection.timezone)
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
        type_ = TOTAL.type_of(column)
        if column.is_number and fill_of(root.fill, type_) is None:
            raise _wrong(collection, root, f"the fill {root.fill} is no {type_}, as the sum is")


def _level_types(
    collection: Collection,
    graph: LevelGraph,
    columns: Mapping[tuple[str, str], DataType],
    mistakes: _Mistakes,
) -> dict[str, DataType]:
    types: dict[str, DataType] = {}
    unreached = set(graph.level_names)
    for schema in collection.schemas.values():
        for level, column in graph.own_levels(schema.name).items():
            unreached.discard(level)
            at = schema.columns[column]
            with mistakes.gathered():
                _agree(collection, types, level, columns[schema.name, column], at)
    for edge in _finer_first(collection):
        unreached.discard(edge.target)
        if not isinstance(edge.map, RoleMap):
            with mistakes.gathered():
                type_ = _counted(edge_type(edge, columns, types), collection.timezone)
                _agree(collection, types, edge.target, type_, edge)
    with mistakes.gathered():
        _play_roles(collection, types)
    for level in sorted(unreached):
        mistakes.add(_unreached(collection, level))
    return types


def _finer_first(collection: Collection) -> Iterator[Edge]:
    """Yield the edges, those by a function after all that lead to where they start."""
    edges = [edge for family in collection.dimension_families.values() for edge in family.edges]
    yield from (edge for edge in edges if not isinstance(edge.map, FunctionMap))
    waiting = [edge for edge in edges if isinstance(edge.map, FunctionMap)]
    while waiting:
        targets = {edge.target for edge in waiting}
        yield from (edge for edge in waiting if edge.source not in targets)
        waiting = [edge for edge in waiting if edge.source in targets]


def _play_roles(collection: Collection, types: dict[str, DataType]) -> None:
    """Give each role the type of the level it plays; raises where a column has another."""
    for family in collection.dimension_families.values():
        for edge in family.edges:
            if isinstance(edge.map, RoleMap) and edge.map.level in types:
                played = types[edge.map.level]
                if types.setdefault(edge.target, played) != played:
                    message = f"level {shown(edge.target)} is {types[edge.target]} elsewhere"
                    raise _wrong(collection, edge, f"{message}, and plays one that is {played}")


def _unreached(collection: Collection, level: str) -> CatalogError:
    families = collection.dimension_families.values()
    home = next((family for family in families if level in family.levels), Declared())
    return _wrong(
        collection,
        home,
        f"level {shown(level)} is in no schema and no edge leads to it",
        "name a column after it, or give it an edge",
    )


def _agree(
    collection: Collection, types: dict[str, DataType], level: str, type_: DataType, at: Declared
) -> None:
    if type_.kind is Kind.DOUBLE:
        raise _wrong(
            collection, at, f"level {shown(level)} is a double, and doubles do not group exactly"
        )
    settled = types.setdefault(level, type_)
    moments = settled.is_moment and type_.is_moment
    if moments and DATE in (settled, type_):
        types[level] = DATE
    elif settled.kind is Kind.DECIMAL and type_.kind is Kind.DECIMAL:
        types[level] = max(settled, type_, key=lambda item: (item.scale, item.precision))
    elif settled != type_:
        raise _wrong(
            collection,
            at,
            f"level {shown(level)} is {settled} elsewhere and {type_} here",
            "keep its moments all with a zone, or all without" if moments else None,
        )
