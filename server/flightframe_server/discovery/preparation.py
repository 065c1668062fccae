"""What a description of everything rests on, found before anybody asks for it.

What comes in: an engine that serves. What goes out: facts of the data and where each metric may be
asked, kept where the next description and the next completion look for them. It must never read a
large table that nobody asked about, nor change what is told: whoever asks meanwhile finds the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from flightframe_server.call_context import CallContext
from flightframe_server.discovery.availability import availabilities_of
from flightframe_server.discovery.needed_promises import needed_promises_of
from flightframe_server.discovery.pattern_texts import EVERY_LEVEL, pattern_texts_of
from flightframe_server.engine.engine import MetricEngine, Needed
from flightframe_server.planner.violations import rows_key
from flightframe_server.resolver.typed import TypedCollection

AHEAD_ROWS = 1_000_000
"""Tables of no more rows are looked at before anybody asks; larger ones when somebody does."""

TOGETHER = 16
"""How many facts are looked at within the time of one question."""


def prepare(engine: MetricEngine, context: CallContext) -> bool:
    """Find what a description of a whole collection rests on, where no large table is to be read.

    Args:
        engine: the engine of the collection.
        context: the call that waits for it, whose end ends it.

    Returns:
        Whether all is found; False: a large table is left for whoever asks.

    Raises:
        BackendError: the database failed, or has too much to do; or the call ended.
    """
    snapshot, attested = engine.attested(context, _sizes)
    small = frozenset(table for table, rows in attested.rows.items() if rows <= AHEAD_ROWS)
    needed = _needed(engine, snapshot.typed)
    keys = sorted(needed & attested.unattested & snapshot.facts.about(small))
    for at in range(0, len(keys), TOGETHER):
        snapshot, attested = engine.attested(context, _these(keys[at : at + TOGETHER]))
    typed = snapshot.typed
    if not attested.unattested.isdisjoint(_needed(engine, typed)):
        return False
    where = availabilities_of(engine, typed, attested.violations)
    texts = pattern_texts_of(where, EVERY_LEVEL)
    for family in typed.collection.metric_families.values():
        context.check()
        for one in where.of(family):
            texts.keep(one)
    return True


def _needed(engine: MetricEngine, typed: TypedCollection) -> frozenset[str]:
    """Return the keys of what a description of everything rests on."""
    families = typed.collection.metric_families.values()
    return needed_promises_of(engine, typed).of(families, typed.graph.level_names)


def _these(keys: Iterable[str]) -> Needed:
    some = frozenset(keys)
    return lambda _: some


def _sizes(typed: TypedCollection) -> frozenset[str]:
    return frozenset(rows_key(schema.table) for schema in typed.collection.schemas.values())
