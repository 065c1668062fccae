"""Warm-up: what `cache_hint` asks for, made before anybody asks.

What comes in: an engine. What goes out: one event for each hinted (family, anchor). It must never
rebuild an entry that is fresh, nor stop a server from starting: what cannot be made is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.catalog.collection import RootedMetric
from flightframe_server.engine.attempt import Served
from flightframe_server.engine.engine import MetricEngine, Resolve
from flightframe_server.errors import FlightframeError, LimitExceeded
from flightframe_server.language.syntax import Anchor, Item, Name, Statement
from flightframe_server.planner.identity import EntryKey
from flightframe_server.planner.plan import Exact
from flightframe_server.resolver.resolve import resolve


@dataclass(frozen=True, slots=True)
class Hint:
    """One hinted (family, anchor), the anchor sorted."""

    family: str
    anchor: tuple[str, ...]

    def __str__(self) -> str:
        """Return `revenue @ ('day', 'region')`."""
        return f"{self.family} @ {self.anchor}"


@dataclass(frozen=True, slots=True)
class Warmed:
    """What became of one hint.

    Attributes:
        hint: the hint.
        fresh: whether an entry was there already.
        failure: why it could not be made, or None.
    """

    hint: Hint
    fresh: bool = False
    failure: FlightframeError | None = None


def hints(engine: MetricEngine) -> tuple[Hint, ...]:
    """Return every hint of the engine's collection, in file order."""
    return tuple(
        Hint(family.name, tuple(sorted(set(anchor))))
        for family in engine.collection.metric_families.values()
        if isinstance(family.meaning, RootedMetric)
        for anchor in family.meaning.materialize_at
    )


def warm_up(engine: MetricEngine, context: CallContext = SERVER_CALL) -> Iterator[Warmed]:
    """Make what is hinted and pin it, yielding after each hint.

    Args:
        engine: whose hints.
        context: the call that waits for them.
    """
    pinned: list[EntryKey] = []
    for hint in hints(engine):
        try:
            served = engine.answer(asking(hint), context=context.uncounted())
            check_stored(engine, str(hint), served)
        except FlightframeError as failure:
            yield Warmed(hint, failure=failure)
        else:
            pinned.extend(part.key for part in served.plan.parts)
            fresh = all(isinstance(part.how, Exact) for part in served.plan.parts)
            yield Warmed(hint, fresh=fresh)
    if engine.store is not None:
        engine.store.set_pinned(pinned, engine.generation)


def asking(hint: Hint) -> Resolve:
    """Return the question that a hint asks: the family by its bare name, at the anchor."""
    names = tuple(Name((level,)) for level in hint.anchor)
    statement = Statement((Item(Name((hint.family,))),), Anchor(names))
    return lambda typed: resolve(statement, typed)


def check_stored(engine: MetricEngine, name: str, served: Served) -> None:
    """Refuse to call made what was answered and is not in the store.

    Args:
        engine: whose store.
        name: what was to be made, such as `revenue @ ('day',)`.
        served: its answer.

    Raises:
        LimitExceeded: the answer is too large to be collected, or to be kept.
    """
    if served.stream is not None:
        raise LimitExceeded(
            f"{name} has more than {engine.stream_rows:,} rows, and is not kept",
            hint="hint a coarser anchor",
        )
    if engine.store is None:
        return
    holdings = engine.store.holdings()
    for part in served.plan.parts:
        if all(entry.key != part.key for entry in holdings.on(part.key.group)):
            raise LimitExceeded(
                f"{name} does not fit the store, and is not kept",
                hint="hint a coarser anchor, or raise max_bytes_per_ac",
            )
