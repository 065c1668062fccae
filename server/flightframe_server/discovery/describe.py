"""What can be asked of a server, as JSON: the same over every surface.

What comes in: the collections, which of them or of their names is wanted, and how many members of
levels. What goes out: names, types, texts, where each metric may be asked and why not elsewhere,
and what the data says of levels. It must never hold a table, a file or a path of the server's, nor
ask the data anything where no members are wanted.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flightframe_server.answer import Runtime, engine_named
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.discovery.availability import availabilities_of
from flightframe_server.discovery.level_facts import LevelFacts, level_facts
from flightframe_server.discovery.metric_terms import terms_of
from flightframe_server.discovery.name_list import (
    frames_of,
    level_facts_of,
    metric_facts,
    name_list,
    schema_facts,
)
from flightframe_server.discovery.needed_promises import needed_promises_of
from flightframe_server.discovery.pattern_texts import pattern_texts_of
from flightframe_server.discovery.request import DescribeRequest, Detail
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import QueryError, UnknownName, did_you_mean, shown
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.typed import TypedCollection

MEMBER_BYTES = 256 * 1024


def describe(
    request: DescribeRequest, runtime: Runtime, context: CallContext = SERVER_CALL
) -> bytes:
    """Return the description as JSON.

    Args:
        request: what is wanted of it.
        runtime: the installation.
        context: the call that waits for it.

    Raises:
        UnknownName: there is no such collection, or nothing of such a name or schema in it.
        BackendError: the database failed.
    """
    with runtime.pinned() as pinned:
        engines = (
            [engine_named(pinned, request.collection)]
            if request.collection
            else list(pinned.engines.values())
        )
        _check_names(engines, request)
        pieces = [f'{{"installation_id":{_json(runtime.installation_id)},"collections":[']
        for at, engine in enumerate(engines):
            pieces.append("," if at else "")
            if request.detail == Detail.NAMES:
                terms = terms_of(engine, engine.snapshot(context).typed)
                pieces.append(_json(name_list(terms, request.name_filter())))
            else:
                pieces += _collection(engine, request, context)
    pieces.append("]}")
    return "".join(pieces).encode()


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _collection(
    engine: MetricEngine, request: DescribeRequest, context: CallContext
) -> Iterator[str]:
    """Yield the JSON of a collection; what many metrics share in it is written once and reused."""
    selects = request.name_filter()

    def needed(typed: TypedCollection) -> frozenset[str]:
        families = [one for name, one in typed.collection.metric_families.items() if selects(name)]
        levels = [name for name in typed.graph.level_names if _is_at(request, name)]
        return needed_promises_of(engine, typed).of(families, levels)

    snapshot, attested = engine.attested(context, needed)
    typed, collection = snapshot.typed, snapshot.typed.collection
    levels = [level for level in typed.graph.level_names if selects(level)]
    schema = None
    if request.schema:
        schema = _schema_named(typed, request.schema)
        reached = typed.graph.reachable(schema)
        levels = [level for level in levels if level in reached]
    described = {
        "name": collection.name,
        "description": collection.description,
        "levels": [
            _level(engine, typed, level, schema, request.members, context) for level in levels
        ],
        "schemas": [
            schema_facts(schema) for schema in collection.schemas.values() if selects(schema.name)
        ],
        **frames_of(typed, selects),
    }
    yield f'{_json(described)[:-1]},"metrics":['
    where = availabilities_of(engine, typed, attested.violations)
    patterns = pattern_texts_of(where, frozenset(request.at))
    families = filter(lambda family: selects(family.name), collection.metric_families.values())
    for at, family in enumerate(families):
        yield f'{"," if at else ""}{_json(metric_facts(where.terms, family))[:-1]},"anchors":['
        for nth, one in enumerate(where.of(family)):
            yield "," if nth else ""
            yield from patterns.availability(one)
        yield "]}"
    yield "]}"


def _is_at(request: DescribeRequest, level: str) -> bool:
    return not request.at or level.casefold() in request.at


def _check_names(engines: Sequence[MetricEngine], request: DescribeRequest) -> None:
    """Refuse names that no collection asked has."""
    if request.every_name:
        known = [
            each
            for engine in engines
            for names in (
                engine.typed.graph.level_names,
                engine.collection.metric_families,
                engine.collection.schemas,
                engine.collection.frames,
            )
            for each in names
        ]
        _check_known(request.every_name, known, "level, metric, schema or frame")
    if request.at:
        levels = [level for engine in engines for level in engine.typed.graph.level_names]
        _check_known(request.at, levels, "level")


def _check_known(names: Iterable[str], known: Sequence[str], what: str) -> None:
    folded = frozenset(map(str.casefold, known))
    for name in names:
        if name not in folded:
            raise UnknownName(f"there is no {what} {shown(name)}", hint=did_you_mean(name, known))


def _schema_named(typed: TypedCollection, name: str) -> str:
    for known in typed.collection.schemas:
        if known.casefold() == name.casefold():
            return known
    raise UnknownName(
        f"there is no schema {shown(name)}", hint=did_you_mean(name, typed.collection.schemas)
    )


def _level(
    engine: MetricEngine,
    typed: TypedCollection,
    level: str,
    schema: str | None,
    members: int | None,
    context: CallContext,
) -> dict[str, Any]:
    described = level_facts_of(typed, level)
    if members is not None:
        try:
            described["facts"] = _facts(level_facts(engine, level, schema, members, context))
        except QueryError as error:
            described["refused"] = f"{error.code}: {error.message}"
    return described


def _facts(facts: LevelFacts) -> dict[str, Any]:
    """Return what the data says of a level, its members within a bound of bytes."""
    members: list[Any] = []
    remaining = MEMBER_BYTES
    for member in map(_json_value, facts.members):
        remaining -= len(member.encode()) if isinstance(member, str) else 8
        if remaining < 0:
            break
        members.append(member)
    return {
        "schema": facts.schema,
        "cardinality": facts.cardinality,
        "has_null": facts.has_null,
        "first": _json_value(facts.first),
        "last": _json_value(facts.last),
        "members": members,
        "served_from": str(facts.served_from),
    }


def _json_value(value: LiteralValue) -> Any:
    """Return a member as JSON holds it: dates and decimals as texts, exact."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
