"""What can be asked of a server, as JSON: the same over every surface.

What comes in: the collections, which of them or of their names is wanted, and how many members of
levels. What goes out: names, types, texts, where each metric may be asked and why not elsewhere,
and what the data says of levels. It must never hold a table, a file or a path of the server's, nor
ask the data anything where no members are wanted.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flightframe_server.answer import Runtime, engine_named
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.discovery.availability import (
    Availabilities,
    Availability,
    AvailabilityPattern,
    availabilities_of,
)
from flightframe_server.discovery.level_facts import LevelFacts, level_facts
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import (
    AmbiguousReducer,
    FrameQLSyntaxError,
    LimitExceeded,
    QueryError,
    UnknownName,
    did_you_mean,
    shown,
)
from flightframe_server.language.format import format_expression
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.resolver.metrics import default_operator
from flightframe_server.resolver.typed import TypedCollection

MOST_MEMBERS = 1000
MEMBER_BYTES = 256 * 1024

Wanted = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """What a body asks.

    Attributes:
        collection: only this collection; empty for all.
        name: only levels, metrics and schemas of this name, folded; empty for all.
        schema: whose rows tell of levels; empty for those that know each best.
        members: how many members of each level; None to ask the data nothing.
    """

    collection: str = ""
    name: str = ""
    schema: str = ""
    members: int | None = None

    def wants(self, known: str) -> bool:
        """Whether something of this name is asked for."""
        return not self.name or known.casefold() == self.name


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
        if request.name:
            _check_name(engines, request.name)
        collections = ",".join([_collection(engine, request, context) for engine in engines])
    name = _json(runtime.installation_id)
    return f'{{"installation_id":{name},"collections":[{collections}]}}'.encode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read_body(body: bytes) -> DescribeRequest:
    """Return what a body asks.

    Args:
        body: empty, or a JSON object with the optional texts `collection`, `name` and `schema`, and
            the optional number `members`.

    Raises:
        FrameQLSyntaxError: it is not that.
        LimitExceeded: more members are wanted than are told at once.
    """
    if not body:
        return DescribeRequest()
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _invalid_body()
    return read_fields(fields)


def read_fields(fields: Mapping[str, Any]) -> DescribeRequest:
    """Return what the fields of a body ask; raises as `read_body`."""
    if not fields.keys() <= {*_TEXTS, "members"}:
        raise _invalid_body()
    texts = {name: fields.get(name, "") for name in _TEXTS}
    members = fields.get("members")
    if not all(isinstance(text, str) for text in texts.values()):
        raise _invalid_body()
    if members is not None and (type(members) is not int or members < 0):
        raise _invalid_body()
    if members is not None and members > MOST_MEMBERS:
        raise LimitExceeded(
            f"at most {MOST_MEMBERS} members of a level are told at once",
            hint="all of them: SELECT level FROM schema AT level",
        )
    return DescribeRequest(texts["collection"], texts["name"].casefold(), texts["schema"], members)


_TEXTS = ("collection", "name", "schema")


def _invalid_body() -> FrameQLSyntaxError:
    return FrameQLSyntaxError(
        "the body is not what describe takes",
        hint='send {"collection": "...", "name": "...", "schema": "...", "members": 10}',
    )


def _collection(engine: MetricEngine, request: DescribeRequest, context: CallContext) -> str:
    """Return the JSON of a collection; what many metrics share in it is written once and reused."""
    snapshot, attested = engine.attested(context)
    typed, collection = snapshot.typed, snapshot.typed.collection
    levels = [level for level in typed.graph.level_names if request.wants(level)]
    schema = None
    if request.schema:
        schema = _schema_named(typed, request.schema)
        reached = typed.graph.reachable(schema)
        levels = [level for level in levels if level in reached]
    where = availabilities_of(engine, typed, attested.violations)
    patterns: dict[AvailabilityPattern, str] = {}
    metrics = [
        _metric(where, family, _anchors(where, family, patterns))
        for family in collection.metric_families.values()
        if request.wants(family.name)
    ]
    described = {
        "name": collection.name,
        "description": collection.description,
        "levels": [
            _level(engine, typed, level, schema, request.members, context) for level in levels
        ],
        "schemas": [
            {
                "name": schema.name,
                "grain": list(schema.grain),
                "description": schema.description,
            }
            for schema in collection.schemas.values()
            if request.wants(schema.name)
        ],
    }
    return f'{_json(described)[:-1]},"metrics":[{",".join(metrics)}]}}'


def _check_name(engines: Sequence[MetricEngine], name: str) -> None:
    known = [
        each
        for engine in engines
        for names in (
            engine.typed.graph.level_names,
            engine.collection.metric_families,
            engine.collection.schemas,
        )
        for each in names
    ]
    if name not in map(str.casefold, known):
        raise UnknownName(
            f"there is no level, metric or schema {shown(name)}", hint=did_you_mean(name, known)
        )


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
    family = typed.graph.family_of(level)
    declared = typed.collection.dimension_families.get(family)
    described: dict[str, Any] = {
        "name": level,
        "type": str(typed.level_types[level]),
        "family": family,
        "description": declared.describes(level) if declared is not None else "",
    }
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


def _metric(where: Availabilities, family: MetricFamily, anchors: str) -> str:
    type_ = where.type_of(family)
    described: dict[str, Any] = {
        "name": family.name,
        "description": family.description,
        "type": "" if type_ is None else str(type_),
        "reducers": [],
    }
    if isinstance(family.meaning, RootedMetric):
        described["reducers"] = [reducer.operator for reducer in family.meaning.reducers]
        try:
            described["default"] = default_operator(family, family.meaning)
        except AmbiguousReducer:
            described["default"] = None
    else:
        described["formula"] = format_expression(family.meaning.formula)
        described["inputs"] = list(family.meaning.inputs)
    return f'{_json(described)[:-1]},"anchors":[{anchors}]}}'


def _anchors(
    where: Availabilities, family: MetricFamily, patterns: dict[AvailabilityPattern, str]
) -> str:
    return ",".join([_availability(one, patterns) for one in where.of(family)])


def _availability(one: Availability, patterns: dict[AvailabilityPattern, str]) -> str:
    """Return the JSON of where a metric may be asked, from that of all which are alike."""
    words = patterns.get(one.pattern)
    if words is None:
        words = patterns[one.pattern] = _pattern(one.pattern)
    for mark, name in one.names:
        words = words.replace(_json(mark)[1:-1], _json(name)[1:-1])
    return f'{{"reducer":{_json(one.reducer)},"required":{_json(one.required)},{words}}}'


def _pattern(pattern: AvailabilityPattern) -> str:
    blocked = [
        {"level": level.level, "code": level.code, "reason": level.reason}
        for level in pattern.blocked
    ]
    return f'"levels":{_json(pattern.levels)},"blocked":{_json(blocked)}'
