"""Entries brought up to the data as they are, before anybody asks.

What comes in: an engine, and which entries or anchors. What goes out: which were made, or were
fresh already, and which could not be. It must never make another entry than the one that is named:
the filter of a key is read back into a question, which is made only where it has that very key. Nor
may it tell of a filter: a failure of such a question repeats nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from flightframe_server.cache.entries import EntryRecord
from flightframe_server.call_context import CallContext
from flightframe_server.engine.engine import MetricEngine, Resolve
from flightframe_server.engine.warm_up import Hint, asking, check_stored
from flightframe_server.errors import FlightframeError, NotSupported, QueryError
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    Call,
    Expression,
    Item,
    Literal,
    LiteralKind,
    Name,
    Statement,
)
from flightframe_server.planner.identity import EntryKey
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Exact
from flightframe_server.planner.route import entry_key
from flightframe_server.promotion.filter_syntax import (
    Unreadable,
    filter_syntax,
    split_conditions,
)
from flightframe_server.promotion.listing import entry_named
from flightframe_server.promotion.names import family_of, own_filter
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import is_computed, level_text, text
from flightframe_server.resolver.typed import TypedCollection


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


def refresh_entries(
    engine: MetricEngine, names: Iterable[str], context: CallContext
) -> Iterator[Refreshed]:
    """Bring entries up to date, by their ids.

    Args:
        engine: whose entries.
        names: their ids.
        context: the call that waits for them.

    Raises:
        UnknownName: there is no entry of that id.
        BackendError: the call ended.
    """
    records = [] if engine.store is None else engine.store.records()
    for record in [entry_named(records, name) for name in names]:
        group = record.key.group
        place = family_of(group.family), masked_anchor(record.key.anchor), str(group.operator)
        try:
            yield _refreshed(engine, _asking_again(record), context, *place)
        except FlightframeError as failure:
            context.check()
            yield Refreshed(*place, failure=_untold(failure, record))


def refresh_hints(
    engine: MetricEngine, hinted: Iterable[Hint], context: CallContext
) -> Iterator[Refreshed]:
    """Bring anchors of families up to date, each by its default reducer.

    Args:
        engine: whose entries.
        hinted: the anchors.
        context: the call that waits for them.

    Raises:
        BackendError: the call ended.
    """
    for hint in hinted:
        try:
            yield _refreshed(engine, asking(hint), context, hint.family, hint.anchor)
        except FlightframeError as failure:
            context.check()
            yield Refreshed(hint.family, hint.anchor, failure=failure)


def _refreshed(
    engine: MetricEngine,
    ask: Resolve,
    context: CallContext,
    family: str,
    anchor: tuple[str, ...],
    operator: str = "",
) -> Refreshed:
    served = engine.answer(ask, context=context.uncounted())
    check_stored(engine, str(Hint(family, anchor)), served)
    fresh = all(isinstance(part.how, Exact) for part in served.plan.parts)
    return Refreshed(family, anchor, operator, fresh=fresh)


def _asking_again(record: EntryRecord) -> Resolve:
    """Return the question whose one need is an entry's key; see `_asked_again`.

    Raises:
        NotSupported: it counts no family, or its filter cannot be read back.
    """
    key = record.key
    identity, operator = key.group.family, key.group.operator
    if "(" in identity.partition('"')[0].partition(" where ")[0]:
        raise NotSupported(
            "an entry of rows, or of a level's members, is made again by the next question that"
            " needs it",
            hint="evict it, or ask that question",
        )
    try:
        where = filter_syntax(key.filter)
        anchor = Anchor(tuple(map(_level_syntax, range(len(key.anchor)), key.anchor)))
    except Unreadable:
        raise _not_again() from None
    numbers = (Literal(Decimal(number), LiteralKind.DECIMAL) for number in operator.arguments)
    call = Call(operator.name, (Name((family_of(identity),)), *numbers))
    return partial(_asked_again, key, call, Statement((), anchor, where=where))


def _level_syntax(place: int, level: str) -> Name:
    """Return a level of a key as an anchor is written; an ad-hoc one needs a name of its own.

    Raises:
        Unreadable: its expression cannot be read back.
    """
    if not is_computed(level):
        return Name((level,))
    expression = filter_syntax((level_text(level),))
    assert expression is not None
    # No declared name begins so.
    return AdHocLevel((f" {place}",), expression)


def _asked_again(
    key: EntryKey, call: Call, statement: Statement, typed: TypedCollection
) -> Question:
    """Return what a call means, where that is what a key holds, whatever the file said then.

    Raises:
        NotSupported: it means something else.
    """
    question = resolve(replace(statement, items=(Item(call),)), typed)
    own = _own_conditions(key, question)
    if own is not None:
        called = replace(call, filter=own)
        question = resolve(replace(statement, items=(Item(called),)), typed)
    (need, *others) = question.needs
    now = entry_key(typed, key.group.backend, need)
    as_then = replace(now, group=replace(now.group, collection=key.group.collection))
    if others or as_then != key:
        raise _not_again()
    return question


def _own_conditions(key: EntryKey, question: Question) -> Expression | None:
    """Return the conditions of a metric that its family does not declare; None: there are none.

    Raises:
        NotSupported: they cannot be read back.
    """
    declared = {text(part) for need in question.needs for part in need.metric.filter}
    written = split_conditions(own_filter(key.group.family))
    try:
        return filter_syntax(one for one in written if one not in declared)
    except Unreadable:
        raise _not_again() from None


def _untold(failure: FlightframeError, record: EntryRecord) -> FlightframeError:
    """Return a failure that repeats nothing of what another user may have written into a key."""
    key = record.key
    hidden = key.filter or own_filter(key.group.family) or any(map(is_computed, key.anchor))
    return _not_again() if hidden and isinstance(failure, QueryError) else failure


def _not_again() -> NotSupported:
    return NotSupported(
        "an entry under a filter, or at an ad-hoc level, cannot be made as it was on the data and"
        " the definitions of now",
        hint="evict it; the next question that needs one makes it, or says why not",
    )
