"""The members of a level that begin with what is typed, as far as they are cheaply had.

What comes in: an engine, a level, and the call that waits. What goes out: some of its members as
the data have them. It must never read a large table for them, nor make a call wait for long: a
level that is not cheaply listed has no members here.
"""

from __future__ import annotations

import datetime
import threading
import weakref
from decimal import Decimal

from flightframe_server.call_context import CallContext
from flightframe_server.catalog.collection import TableMap, ValueMap
from flightframe_server.completion.options import Option
from flightframe_server.discovery.level_facts import home_of, level_facts
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.snapshot import DataSnapshot
from flightframe_server.errors import FlightframeError
from flightframe_server.language import format_expression
from flightframe_server.language.syntax import Literal, LiteralKind, LiteralValue

MOST_ROWS = 100_000
"""A table of more rows is not read for the members of a level."""

MOST_MEMBERS = 5_000
"""So many members of a level are known here, the first in order."""

MOST_TOLD = 50
"""So many are told at once."""

SECONDS = 0.3
"""How long the back-end is waited for."""

Members = tuple[LiteralValue, ...]

_LOCK = threading.Lock()
_KEPT: weakref.WeakKeyDictionary[MetricEngine, tuple[object, dict[str, Members]]] = (
    weakref.WeakKeyDictionary()
)


def member_options(
    engine: MetricEngine, level: str, typed: str, context: CallContext
) -> list[Option]:
    """Return the members of a level that have what is typed in them, those that begin so first.

    Args:
        engine: the engine asked.
        level: a level.
        typed: the letters before the cursor, without a quote.
        context: the call that waits; its caller is asked for.
    """
    folded = typed.casefold()
    matches: list[tuple[bool, str, LiteralValue]] = []
    for member in members_of(engine, level, context):
        label = _label(member)
        if folded in label.casefold():
            matches.append((not label.casefold().startswith(folded), label, member))
    matches.sort(key=lambda one: one[0])
    return [
        Option(label, "member", _literal(member), f"a member of {level}")
        for _, label, member in matches[:MOST_TOLD]
    ]


def members_of(engine: MetricEngine, level: str, context: CallContext) -> Members:
    """Return the first members of a level but NULL; none where they are not cheaply had.

    Raises:
        BackendCancelled: the call waits no more.
    """
    snapshot = engine.snapshot(context)
    known = _kept(engine, snapshot)
    if level not in known:
        try:
            known[level] = _read(engine, snapshot, level, context)
        except FlightframeError:
            context.check()
            return ()
    return known[level]


def _kept(engine: MetricEngine, snapshot: DataSnapshot) -> dict[str, Members]:
    """Return what is known of one version of the data; nothing is kept of one without a name."""
    if None in snapshot.versions.values():
        return {}
    with _LOCK:
        version, known = _KEPT.get(engine, (None, {}))
        if version != snapshot.key:
            known = {}
            _KEPT[engine] = snapshot.key, known
        return known


def _read(
    engine: MetricEngine, snapshot: DataSnapshot, level: str, context: CallContext
) -> Members:
    mapped = _mapped(snapshot, level)
    if mapped is not None:
        return mapped
    bounded = context.within(SECONDS)
    schema = _small_home(engine, snapshot, level, bounded)
    if schema is None:
        return ()
    facts = level_facts(engine, level, schema, MOST_MEMBERS, bounded)
    return tuple(member for member in facts.members if member is not None)


def _mapped(snapshot: DataSnapshot, level: str) -> Members | None:
    """Return the members that an edge leads to, where its map is listed or at hand."""
    for family in snapshot.typed.collection.dimension_families.values():
        for edge in family.edges:
            if edge.target != level:
                continue
            if isinstance(edge.map, ValueMap):
                values = [target for _, target in edge.map.pairs] + [edge.map.default]
                return tuple(dict.fromkeys(value for value in values if value is not None))
            if isinstance(edge.map, TableMap):
                targets = snapshot.facts.targets_at_hand(str(edge))
                if targets is not None:
                    return tuple(sorted(one for one in targets.to_pylist() if one is not None))
    return None


def _small_home(
    engine: MetricEngine, snapshot: DataSnapshot, level: str, context: CallContext
) -> str | None:
    """Return a schema to read a level from: its home, else the largest that is small enough."""
    typed = snapshot.typed

    def rows(names: list[str]) -> dict[str, int]:
        tables = {name: typed.schema(name).table for name in names}
        sizes = engine.rows(tables.values(), context)
        return {name: sizes[table] for name, table in tables.items()}

    home = home_of(engine, level, context)
    if rows([home])[home] <= MOST_ROWS:
        return home
    reaching = [name for name in typed.collection.schemas if level in typed.graph.reachable(name)]
    small = {name: size for name, size in rows(reaching).items() if size <= MOST_ROWS}
    return max(small, key=lambda name: small[name], default=None)


def _label(member: LiteralValue) -> str:
    if isinstance(member, bool):
        return str(member).upper()
    return member.isoformat() if isinstance(member, datetime.date) else str(member)


def _literal(member: LiteralValue) -> str:
    """Return a member as it is written beside its level: a moment as a text, which is read so."""
    match member:
        case bool():
            return format_expression(Literal(member, LiteralKind.BOOLEAN))
        case int():
            return format_expression(Literal(member, LiteralKind.INTEGER))
        case Decimal():
            return format_expression(Literal(member, LiteralKind.DECIMAL))
    text = member.isoformat(sep=" ") if isinstance(member, datetime.datetime) else _label(member)
    return format_expression(Literal(text, LiteralKind.TEXT))
