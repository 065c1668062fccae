"""What tools see as tables: for each collection the table `metrics`, and its schemas.

What comes in: the collections as they are typed now. What goes out: catalog (the installation),
schema (the collection), table and columns, with what Flight SQL says of each column. It must never
fail because a database is away: metadata is asked before every read, and the last known serves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import structlog

from flightframe_server.answer import Serving
from flightframe_server.arrow_types import arrow_type
from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.catalog.types import DataType, Kind
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import BackendError, QueryError
from flightframe_server.language.syntax import Name
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding

log = structlog.get_logger(__name__)

METRICS = "metrics"
TABLE = "TABLE"
KEY = "ARROW:FLIGHT:SQL:"

_SQL_NAMES = {
    Kind.INTEGER: "BIGINT",
    Kind.DECIMAL: "DECIMAL",
    Kind.DOUBLE: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.NULL: "NULL",
}
_DIGITS = {Kind.INTEGER: 19, Kind.DOUBLE: 15}


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table as tools see it: the collection it is in, its name and its columns."""

    collection: str
    name: str
    schema: pa.Schema


class PublishedTables:
    """The tables of an installation, made anew only when a collection's types moved.

    Args:
        serving: the installation.
    """

    def __init__(self, serving: Serving) -> None:
        """Make nothing yet."""
        self._serving = serving
        self._lock = threading.Lock()
        self._made: dict[str, tuple[TypedCollection, tuple[PublishedTable, ...]]] = {}

    @property
    def catalog(self) -> str:
        """The one catalog: the installation."""
        return self._serving.installation_id

    @property
    def collections(self) -> tuple[str, ...]:
        """The names of the collections, sorted."""
        return tuple(sorted(self._serving.engines))

    def __iter__(self) -> Iterator[PublishedTable]:
        """Iterate over every table, by collection and name."""
        for name in self.collections:
            yield from self._tables(name, self._serving.engines[name])

    def _tables(self, name: str, engine: MetricEngine) -> tuple[PublishedTable, ...]:
        known = self._made.get(name)
        try:
            typed = engine.typed
        except BackendError as error:
            log.warning("flight.metadata_from_memory", collection=name, code=error.code)
            return () if known is None else known[1]
        if known is not None and known[0] is typed:
            return known[1]
        tables = published(self.catalog, typed)
        with self._lock:
            self._made[name] = (typed, tables)
        return tables


def published(catalog: str, typed: TypedCollection) -> tuple[PublishedTable, ...]:
    """Return the tables of one collection, sorted by name; `metrics` hides a schema so named."""
    collection = typed.collection
    found = {METRICS: _metrics(catalog, typed)}
    for schema in collection.schemas.values():
        if schema.name.casefold() == METRICS:
            continue
        columns = [
            _field(catalog, typed, schema.name, column, typed.column_types[schema.name, column])
            for column in schema.columns
        ]
        found[schema.name] = pa.schema(columns)
    return tuple(PublishedTable(collection.name, name, found[name]) for name in sorted(found))


def bare_type(typed: TypedCollection, family: MetricFamily) -> DataType | None:
    """Return the type of a metric named alone; None where its bare name means nothing."""
    try:
        return MetricNames(Scope(typed, Binding())).leaf(Name((family.name,))).type
    except QueryError:
        return None


def _metrics(catalog: str, typed: TypedCollection) -> pa.Schema:
    fields = [
        _field(catalog, typed, METRICS, level, typed.level_types[level])
        for level in typed.graph.level_names
    ]
    for family in typed.collection.metric_families.values():
        type_ = bare_type(typed, family)
        if type_ is not None:
            fields.append(_field(catalog, typed, METRICS, family.name, type_, family.description))
    return pa.schema(fields)


def _field(
    catalog: str,
    typed: TypedCollection,
    table: str,
    column: str,
    type_: DataType,
    remarks: str = "",
) -> pa.Field:
    collection = typed.collection.name
    facts = {
        "CATALOG_NAME": catalog,
        # The specification's key, and the one that JDBC reads.
        "DB_SCHEMA_NAME": collection,
        "SCHEMA_NAME": collection,
        "TABLE_NAME": table,
        "TYPE_NAME": _SQL_NAMES[type_.kind],
        "IS_AUTO_INCREMENT": "0",
        "IS_CASE_SENSITIVE": "1" if type_.kind is Kind.TEXT else "0",
        "IS_READ_ONLY": "1",
        "IS_SEARCHABLE": "1",
    }
    precision = type_.precision or _DIGITS.get(type_.kind)
    if precision:
        facts["PRECISION"] = str(precision)
    if type_.kind in (Kind.DECIMAL, Kind.INTEGER):
        facts["SCALE"] = str(type_.scale)
    if remarks:
        facts["REMARKS"] = remarks
    return pa.field(
        column, arrow_type(type_), metadata={KEY + key: value for key, value in facts.items()}
    )
