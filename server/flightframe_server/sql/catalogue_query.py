"""The texts of SQL that tools send beside their queries, answered without a database.

What comes in: a request. What goes out: what it means: an answer out of the catalogue, a Frame-QL
request that stands for it, or the request as it came. It must never hand SQL to a database, and
never take a text from the language that the language reads.

A query over the catalogue is answered whole. A query over published tables is Frame-QL in other
words (`question.py`), or refused. One that can have no rows (`WHERE 1 = 0`, `LIMIT 0`) is answered
by its columns, and that is what was asked. What names no table is left to the language, whose error
says what is missing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from flightframe_server.answer import Answer, Request, Runtime, utc_now
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import (
    AmbiguousSchema,
    FlightframeError,
    NotSupported,
    QueryError,
    UnknownName,
    did_you_mean,
    shown,
)
from flightframe_server.outer.program import OuterQuery
from flightframe_server.provenance import (
    METADATA_KEY,
    SERVED_FROM_KEY,
    Provenance,
    ServedFrom,
    fold,
)
from flightframe_server.query_types import QuerySignature
from flightframe_server.sql import catalogue
from flightframe_server.sql.allowed_sql import construct
from flightframe_server.sql.columns import without_remarks
from flightframe_server.sql.expressions import Parameters
from flightframe_server.sql.outer_select import NoAlgebra
from flightframe_server.sql.parse import ParsedSql, is_frame_ql, parse_sql
from flightframe_server.sql.patterns import same
from flightframe_server.sql.places import place_of
from flightframe_server.sql.programs import program_of
from flightframe_server.sql.scopes import TableScope
from flightframe_server.sql.select import Relation, evaluate
from flightframe_server.sql.session_values import Session, session_value
from flightframe_server.sql.tables import PublishedCollection, PublishedTable, PublishedTables
from flightframe_server.sql.translation import check_values, empty_of, translation_of


@dataclass(frozen=True, slots=True)
class CatalogueQuery:
    """A query that the catalogue answers: its columns, its rows, its parameters' types."""

    relation: Relation
    parameters: tuple[tuple[int | str, pa.DataType], ...] = ()

    @property
    def typed(self) -> QuerySignature:
        """Its types alone."""
        return QuerySignature(self.relation.schema, self.parameters)

    def answer(self, runtime: Runtime) -> Answer:
        """Return the answer, labelled as what touched no back-end."""
        enabled = any(engine.enabled for engine in runtime.engines.values())
        label = fold(()) if enabled else ServedFrom.BACKEND
        provenance = Provenance(label, uuid.uuid4().hex, "")
        carried = {
            SERVED_FROM_KEY: str(label).encode(),
            METADATA_KEY: provenance.to_bytes(),
        }
        table = self.relation.table()
        return Answer(table.schema.with_metadata(carried), provenance, table)


Meaning = CatalogueQuery | Request | OuterQuery


def meaning(
    request: Request, tables: PublishedTables, runtime: Runtime, user: str, *, typing: bool = False
) -> Meaning:
    """Return what a request means; the request itself, where it is for the language.

    Args:
        request: any request.
        tables: what is published.
        runtime: the installation.
        user: who asks; the catalogue shows a user's own queries.
        typing: whether only types are wanted, no parameter being bound.

    Raises:
        QueryError: a query over the catalogue that cannot be answered.
    """
    if is_frame_ql(request.source):
        return request
    return sql_meaning(request, tables, runtime, user, typing=typing) or request


def sql_meaning(
    request: Request, tables: PublishedTables, runtime: Runtime, user: str, *, typing: bool = False
) -> Meaning | None:
    """Return what a request means as SQL, None where it means nothing; raises as `meaning`."""
    known = tables.translations.get(request, typing=typing)
    if known is not None:
        return known
    parsed = parse_sql(request.source)
    if parsed is None:
        return None
    parameters = Parameters(None if typing else request.scalars)
    made = _Names(tables, runtime, request, user).meaning(parsed, parameters)
    if isinstance(made, Request) and made.translation is not None:
        tables.translations.put(request, made, typing=typing)
    return made


@dataclass(frozen=True, slots=True)
class _Names:
    """What one request's SQL may name: tables published, and those that the server keeps."""

    tables: PublishedTables
    runtime: Runtime
    request: Request
    user: str

    def meaning(self, parsed: ParsedSql, parameters: Parameters) -> Meaning | None:
        if parsed.described is not None:
            self._require(parsed.described)
        if parsed.compound is not None:
            return self._compound(parsed, typing=parameters.values is None)
        named = self._sources(parsed)
        if not named and _ctes(parsed.select):
            return None
        if all(self._catalogue_table(table) for table in named):
            return self._over_catalogue(parsed.select, parameters, sourceless=not named)
        if not all(self.published(table) for table in named):
            self._refuse_missing(named)
            return None
        return self._over_published(parsed, parameters)

    def _compound(self, parsed: ParsedSql, *, typing: bool) -> Meaning | None:
        """Return several SELECTs in one over published tables; of others the language says more."""
        named = self._sources(parsed)
        if not named or not any(self.published(table) for table in named):
            return None
        for table in named:
            if self.published(table) is None:
                raise NotSupported(
                    f"{construct(parsed.compound or parsed.select)} is answered over metrics and"
                    " their tables alone",
                    place=place_of(table),
                )
        made = self._translated(parsed, typing=typing)[1]
        return made

    def _over_catalogue(
        self, select: exp.Select, parameters: Parameters, *, sourceless: bool
    ) -> CatalogueQuery | None:
        if sourceless and select.args.get("from_") is None and _names_columns(select):
            # `SELECT region, COUNT(*)` lacks its AT, which the language says better.
            return None
        relation = evaluate(select, self._relation, parameters, self._session())
        parameters.refuse_surplus()
        return CatalogueQuery(relation, tuple(sorted(parameters.types.items())))

    def _session(self) -> Session:
        """Return who asks, and where: a collection that is the only one need not be chosen."""
        engines = self.runtime.engines
        named = [name for name in engines if same(self.request.collection, name)]
        only = named[0] if len(named) == 1 else None
        zones = {engines[name].collection.timezone for name in named}
        zone = zones.pop() if len(zones) == 1 else UTC
        return Session(self.tables.catalog, only, self.user, zone, utc_now())

    def _over_published(self, parsed: ParsedSql, parameters: Parameters) -> Meaning:
        if not parsed.explain:
            try:
                relation = evaluate(parsed.select, self._relation, parameters)
            except FlightframeError:
                relation = None
            if relation is not None and relation.empty:
                return CatalogueQuery(relation, tuple(sorted(parameters.types.items())))
        typing = parameters.values is None
        collection, request = self._translated(parsed, typing=typing)
        if isinstance(request, OuterQuery):
            return request
        empty = None if parsed.explain else empty_of(request, collection.typed, typing=typing)
        return request if empty is None else CatalogueQuery(empty[0], empty[1].parameters)

    def _translated(
        self, parsed: ParsedSql, *, typing: bool
    ) -> tuple[PublishedCollection, Request | OuterQuery]:
        """Return what a query over published tables means, and its collection."""
        names = {known.collection for known in map(self.published, self._sources(parsed)) if known}
        if len(names) != 1:
            raise NotSupported("a query is over the tables of one collection")
        (name,) = names
        (collection,) = (item for item in self.tables.collections() if item.name == name)
        scopes = _Scopes(self, collection)
        typed, request = collection.typed, self.request
        check_values(parsed, request, typing=typing)
        refusal: QueryError | None = None
        if parsed.compound is None:
            try:
                made = translation_of(parsed, request, scopes, typed, typing=typing)
                return collection, replace(request, translation=made, collection=name)
            except QueryError as error:
                refusal = error
        try:
            program = program_of(parsed, request, scopes, typed, typing=typing)
        except NoAlgebra:
            assert refusal is not None
            raise refusal from None
        return collection, OuterQuery(request, program, name)

    def _sources(self, parsed: ParsedSql) -> list[exp.Table]:
        """Return the tables that a text names, without the sub-selects that its WITH names."""
        tree = parsed.compound or parsed.select
        named = _ctes(tree)
        return [
            table
            for table in tree.find_all(exp.Table)
            if table.db or table.name.casefold() not in named
        ]

    def _relation(self, table: exp.Table) -> Relation:
        relation = self._catalogue_table(table)
        if relation is not None:
            return relation
        published = self.published(table)
        if published is None:
            raise _unknown(table, [*catalogue.names(), *(known.name for known in self.tables)])
        path = (self.tables.catalog, published.collection, published.name)
        return Relation(without_remarks(published.schema), lambda: (), path, stored=True)

    def _catalogue_table(self, table: exp.Table) -> Relation | None:
        if not same(table.catalog or None, self.tables.catalog):
            return None
        return catalogue.find(table.db, table.name, self.tables, self.runtime, self.user)

    def published(self, table: exp.Table) -> PublishedTable | None:
        """Return the one published table that a name means; None where there is none.

        Raises:
            AmbiguousSchema: several collections have it.
        """
        if not same(table.catalog or None, self.tables.catalog):
            return None
        fits = [
            known
            for known in self.tables
            if same(table.name, known.name)
            and same(table.db or None, known.collection)
            and same(self.request.collection, known.collection)
        ]
        if len(fits) > 1:
            raise AmbiguousSchema(
                f"several collections have a table {shown(table.name)}",
                hint=f"name one: {fits[0].collection}.{fits[0].name}",
            )
        return fits[0] if fits else None

    def _refuse_missing(self, named: list[exp.Table]) -> None:
        """Refuse a table that the catalogue's own schemas lack: no other error would say so."""
        for table in named:
            if table.db.casefold() in catalogue.SCHEMAS and self._catalogue_table(table) is None:
                raise _unknown(table, catalogue.names())

    def _require(self, table: exp.Table) -> None:
        if self.published(table) is None:
            raise _unknown(table, [known.name for known in self.tables])


@dataclass(frozen=True, slots=True)
class _Scopes:
    """What the tables of one text are, in the collection that it is about."""

    names: _Names
    collection: PublishedCollection

    def __call__(self, table: exp.Table) -> TableScope:
        """Return a table with rows of facts, or that of metrics.

        Raises:
            UnknownName: there is no such table.
            NotSupported: it is a saved frame, whose rows are an answer's.
        """
        published = self._published(table)
        if published.saved is not None:
            raise NotSupported(
                f"{shown(published.name)} is a saved frame: its rows are joined to those of facts"
                " where GROUP BY reduces these",
                place=place_of(table),
            )
        return TableScope(published, self.collection.typed, self.path(table))

    def saved(self, table: exp.Table) -> PublishedTable | None:
        """Return a saved frame, None for any other table; raises `UnknownName` as a call does."""
        published = self._published(table)
        return None if published.saved is None else published

    def path(self, table: exp.Table) -> tuple[str, ...]:
        """Return what qualifies the columns of a table: its alias alone, where it has one."""
        if table.alias:
            return (table.alias,)
        published = self._published(table)
        return (self.names.tables.catalog, published.collection, published.name)

    def _published(self, table: exp.Table) -> PublishedTable:
        published = self.names.published(table)
        if published is None:
            raise _unknown(table, [known.name for known in self.names.tables])
        return published


def _names_columns(select: exp.Select) -> bool:
    """Whether a SELECT names columns that are no values of the session."""
    return any(session_value(node) is None for node in select.find_all(exp.Column, exp.Star))


def _ctes(select: exp.Expr) -> set[str]:
    """Return the folded names of the sub-selects that a text's WITH names."""
    return {part.alias.casefold() for part in select.find_all(exp.CTE)}


def _unknown(table: exp.Table, known: Iterable[str]) -> UnknownName:
    written = f"{table.db}.{table.name}" if table.db else table.name
    hint = did_you_mean(written, known) or "SHOW TABLES lists them"
    return UnknownName(f"there is no table {shown(written)}", hint=hint)
