"""Entries brought up to the data as they are, before anybody asks.

What comes in: an engine, and which entries or anchors. What goes out: which were made, or were
fresh already, and which could not be. It must never answer for an entry under a filter: its key
holds the filter's canonical text, which is no question that could be asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from flightframe_server.cache.entries import EntryRecord
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.engine.engine import MetricEngine, Resolve
from flightframe_server.engine.warm_up import Hint, asking
from flightframe_server.errors import FlightframeError, NotSupported
from flightframe_server.language.syntax import (
    Anchor,
    Call,
    Item,
    Literal,
    LiteralKind,
    Name,
    Statement,
)
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Exact
from flightframe_server.promotion.listing import entry_named
from flightframe_server.promotion.names import family_of, own_filter
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import is_computed


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of one entry or anchor.

    Attributes:
        family: the metric family.
        anchor: the levels, sorted.
        operator: the reducer; empty where the family's default was asked.
        fresh: whether it was there already, of the data as they are.
        failure: why it could not be brought up to date; None where it was.
    """

    family: str
    anchor: tuple[str, ...]
    operator: str = ""
    fresh: bool = False
    failure: FlightframeError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        body: dict[str, Any] = {"family": self.family, "anchor": list(self.anchor)}
        if self.operator:
            body["operator"] = self.operator
        if self.failure is not None:
            return body | self.failure.payload()
        return body | {"fresh": self.fresh}


def refresh_entries(engine: MetricEngine, names: Iterable[str]) -> Iterator[Refreshed]:
    """Bring entries up to date, by their ids.

    Raises:
        UnknownName: there is no entry of that id.
    """
    records = [] if engine.store is None else engine.store.records()
    found = [entry_named(records, name) for name in names]
    for record in found:
        group = record.key.group
        place = family_of(group.family), masked_anchor(record.key.anchor), str(group.operator)
        try:
            yield _asked(engine, _asking_again(record), *place)
        except FlightframeError as failure:
            yield Refreshed(*place, failure=failure)


def refresh_hints(engine: MetricEngine, wanted: Iterable[Hint]) -> Iterator[Refreshed]:
    """Bring anchors of families up to date, each by its default reducer."""
    for hint in wanted:
        try:
            yield _asked(engine, asking(hint), hint.family, hint.anchor)
        except FlightframeError as failure:
            yield Refreshed(hint.family, hint.anchor, failure=failure)


def _asked(
    engine: MetricEngine, ask: Resolve, family: str, anchor: tuple[str, ...], operator: str = ""
) -> Refreshed:
    served = engine.answer(ask, context=SERVER_CALL.uncounted())
    found = all(isinstance(part.how, Exact) for part in served.plan.parts)
    return Refreshed(family, anchor, operator, fresh=found)


def _asking_again(record: EntryRecord) -> Resolve:
    """Return the question whose one need is an entry's key.

    Raises:
        NotSupported: it is made under a filter, or counts no family.
    """
    key = record.key
    identity, operator = key.group.family, key.group.operator
    family = family_of(identity)
    of_rows = "(" in identity.partition('"')[0]
    if key.filter or own_filter(identity) or of_rows or any(map(is_computed, key.anchor)):
        raise NotSupported(
            "an entry under a filter, of rows, or at an ad-hoc level is made again by the next"
            " question that needs it",
            hint="evict it, or ask that question",
        )
    numbers = (Literal(Decimal(text), LiteralKind.DECIMAL) for text in operator.arguments)
    call = Call(operator.name, (Name((family,)), *numbers))
    anchor = Anchor(tuple(Name((level,)) for level in key.anchor))
    return partial(resolve, Statement((Item(call),), anchor))
