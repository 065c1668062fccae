"""What tools see as tables: for each collection the table `metrics`, its schemas, its saved frames.

What comes in: the collections as they are typed now. What goes out: catalog (the installation),
schema (the collection), tables with their columns, and keys. It must never fail because a database
is away: metadata is asked before every read, and the last known serves.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import pyarrow as pa
import structlog

from flightframe_server.answer import Request, Runtime
from flightframe_server.bounded_cache import BoundedCache
from flightframe_server.catalog.collection import METRICS, SavedFrame
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import BackendError
from flightframe_server.language.syntax import Statement
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.saved_frames import frame_question
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.columns import (
    TablePlace,
    answer_field,
    fact_field,
    level_field,
    metric_field,
)
from flightframe_server.sql.keys import (
    ForeignKey,
    PrimaryKey,
    foreign_keys,
    primary_keys,
)
from flightframe_server.sql.table_frames import FrameColumn, frame_columns, frame_statement

log = structlog.get_logger(__name__)

TABLE = "TABLE"
VIEW = "VIEW"
METRICS_WORDS = (
    "Every level and every metric; ask them at an anchor: SELECT region, revenue AT region"
)


@dataclass(frozen=True, slots=True, eq=False)
class PublishedTable:
    """One table as tools see it.

    Attributes:
        collection: the collection it is in.
        name: its name.
        schema: its columns.
        description: what the collection says of it.
        frame: the Frame-QL that answers its rows; None for the table of metrics, which has none,
            and for a table without a key, whose rows nothing tells apart.
        columns: how each of its columns is asked; none but those of a table of facts have one.
        saved: what a saved frame asks; None for all other tables.
    """

    collection: str
    name: str
    schema: pa.Schema
    description: str = ""
    frame: Statement | None = None
    columns: tuple[FrameColumn, ...] = ()
    saved: Question | None = None

    @property
    def kind(self) -> str:
        """What Flight SQL calls it: a saved frame is a view, all others are tables."""
        return TABLE if self.saved is None else VIEW


@dataclass(frozen=True, slots=True, eq=False)
class PublishedCollection:
    """One collection as tools see it: its tables, sorted by name, and their keys."""

    typed: TypedCollection
    tables: tuple[PublishedTable, ...]
    primary_keys: tuple[PrimaryKey, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.typed.collection.name


Made = MutableMapping[MetricEngine, PublishedCollection]


KEPT_BYTES = 16 * 1024 * 1024
LETTER_BYTES = 200
"""Bytes of a request and its statement for each character of its text."""

KeptText = tuple[tuple[PublishedCollection, ...], Request]


class KeptTexts(BoundedCache[object, KeptText]):
    """What texts of SQL mean, with the collections that they were read over."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        super().__init__(KEPT_BYTES)


@dataclass(frozen=True, slots=True)
class Translations:
    """The texts of SQL that were read over some collections, as they are now."""

    kept: KeptTexts
    collections: tuple[PublishedCollection, ...]

    def get(self, request: Request, *, typing: bool) -> Request | None:
        """Return what a request means, None where it was not read over these very collections."""
        known = self.kept.get(_key(request, typing))
        if known is None or known[0] != self.collections:
            return None
        return known[1]

    def put(self, request: Request, meaning: Request, *, typing: bool) -> None:
        """Keep what a request means, unless a clock decided it."""
        made = meaning.translation
        if made is None or not made.lasting:
            return
        size = LETTER_BYTES * len(request.source) + request.bytes
        self.kept.put(_key(request, typing), (self.collections, meaning), size)


def _key(request: Request, typing: bool) -> tuple[object, ...]:
    return request.key, request.sql, typing


class PublishedTables:
    """The tables of an installation, made anew only when a collection or its types moved.

    Args:
        runtime: the installation.
        made: what was made already, shared with others over the same installation.
        kept: texts of SQL that were read already, shared likewise.
    """

    def __init__(
        self, runtime: Runtime, made: Made | None = None, kept: KeptTexts | None = None
    ) -> None:
        """Make nothing yet."""
        self._runtime = runtime
        self._made: Made = WeakKeyDictionary() if made is None else made
        self._kept = KeptTexts() if kept is None else kept

    def on(self, pinned: Runtime) -> PublishedTables:
        """Return the tables as one question sees them, which has pinned the installation."""
        return PublishedTables(pinned, self._made, self._kept)

    @property
    def translations(self) -> Translations:
        """The texts of SQL that were read over these very collections."""
        return Translations(self._kept, tuple(self.collections()))

    @property
    def catalog(self) -> str:
        """The one catalog: the installation."""
        return self._runtime.installation_id

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the collections, sorted; known even where their types are not."""
        return tuple(sorted(self._runtime.engines))

    def collections(self) -> Iterator[PublishedCollection]:
        """Iterate over the collections whose types are known, by name."""
        engines = self._runtime.engines
        for name in sorted(engines):
            collection = self._collection(name, engines[name])
            if collection is not None:
                yield collection

    def __iter__(self) -> Iterator[PublishedTable]:
        """Iterate over every table, by collection and name."""
        for collection in self.collections():
            yield from collection.tables

    def _collection(self, name: str, engine: MetricEngine) -> PublishedCollection | None:
        known = self._made.get(engine)
        try:
            typed = engine.typed
        except BackendError as error:
            log.warning("sql.tables_from_memory", collection=name, code=error.code)
            return known
        if known is not None and known.typed is typed:
            return known
        made = published(self.catalog, typed)
        self._made[engine] = made
        return made


def published(catalog: str, typed: TypedCollection) -> PublishedCollection:
    """Return one collection as tools see it; its `metrics` hides a schema so named."""
    visible = {name for name in typed.collection.schemas if name.casefold() != METRICS}
    tables = {METRICS: _metrics(catalog, typed)}
    tables.update({name: _schema(catalog, typed, name) for name in visible})
    frames = typed.collection.frames
    tables.update({name: _saved(catalog, typed, frame) for name, frame in frames.items()})
    return PublishedCollection(
        typed,
        tuple(tables[name] for name in sorted(tables)),
        tuple(key for key in primary_keys(typed) if key.table in visible),
        tuple(key for key in foreign_keys(typed) if {key.table, key.key.table} <= visible),
    )


def _metrics(catalog: str, typed: TypedCollection) -> PublishedTable:
    collection = typed.collection
    place = TablePlace(catalog, collection.name, METRICS)
    fields = [level_field(place, typed, level, level) for level in typed.graph.level_names]
    for family in collection.metric_families.values():
        field = metric_field(place, typed, family)
        if field is not None:
            fields.append(field)
    return PublishedTable(collection.name, METRICS, pa.schema(fields), METRICS_WORDS)


def _schema(catalog: str, typed: TypedCollection, name: str) -> PublishedTable:
    place = TablePlace(catalog, typed.collection.name, name)
    columns = frame_columns(typed, name)
    fields = [_column(place, typed, column) for column in columns]
    words = typed.schema(name).description
    frame = frame_statement(typed, name, columns) if typed.schema(name).grain else None
    return PublishedTable(typed.collection.name, name, pa.schema(fields), words, frame, columns)


def _saved(catalog: str, typed: TypedCollection, frame: SavedFrame) -> PublishedTable:
    collection = typed.collection.name
    place = TablePlace(catalog, collection, frame.name)
    question = frame_question(frame, typed)
    fields = [answer_field(place, typed, column.name, column.term) for column in question.columns]
    return PublishedTable(
        collection,
        frame.name,
        pa.schema(fields),
        frame.description,
        frame.statement,
        saved=question,
    )


def _column(place: TablePlace, typed: TypedCollection, column: FrameColumn) -> pa.Field:
    if column.family is None:
        return level_field(place, typed, column.level or column.name, column.name)
    return fact_field(place, column.family, column.operator, column.name, column.type)
