"""Texts that a question compares a level with and that are no known member of it.

What comes in: a question carried out, and what is at hand of the level's members: the values that a
mapping lists, the map of an edge, an entry. What goes out: a remark for the reader, with the member
that was likely meant. It must never ask the back-end, nor change the answer: a text that finds
nothing is lawful.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.types import Kind
from flightframe_server.cache.entries import EntryGone
from flightframe_server.cache.store import EntryStore
from flightframe_server.catalog.collection import TableMap, ValueMap
from flightframe_server.engine.attempt import Served
from flightframe_server.engine.facts import DataFacts
from flightframe_server.errors import did_you_mean, shown
from flightframe_server.planner.holdings import CacheEntry
from flightframe_server.planner.plan import Part
from flightframe_server.planner.route import members_metric
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import (
    Apply,
    Constant,
    LevelTerm,
    Term,
    is_computed,
    level_text,
    walk,
)
from flightframe_server.resolver.typed import TypedCollection

MAX_ROWS = 100_000
"""An entry of more rows is not read for a remark."""

MAX_MEMBERS = 2_000
"""Where there are more members, it looks for none that is only like a text."""

MAX_NAMED = 3

_COMPARING = frozenset({"eq", "ne", "distinct", "in"})


def remarks(served: Served, store: EntryStore | None) -> tuple[str, ...]:
    """Return a remark for each level that is compared with texts that are no known members of it.

    Args:
        served: the question, its plan, and the answer where it is at hand.
        store: where entries are; None where the engine remembers nothing.
    """
    lines: list[str] = []
    for level, texts in _compared(served.plan.question).items():
        members = _members(served, store, level)
        if members is None:
            continue
        strange = [text for text in texts if pc.index(members, text).as_py() < 0]
        if strange:
            lines.append(_remark(level_text(level), strange, members))
    return tuple(lines)


def _compared(question: Question) -> dict[str, list[str]]:
    """Return the texts that conditions of a question compare each level with, in their order."""
    terms: list[Term] = [*question.filter, *(level.term for level in question.computed)]
    if question.having is not None:
        terms.append(question.having)
    for need in question.needs:
        terms += (*need.filter, *need.metric.filter)
    compared: dict[str, dict[str, None]] = {}
    for term in terms:
        for node in walk(term):
            match node:
                case Apply(function=function, arguments=(LevelTerm() as level, *values)) if (
                    function in _COMPARING and level.type.kind is Kind.TEXT
                ):
                    texts = compared.setdefault(level.level, {})
                    texts.update(dict.fromkeys(_texts(values)))
    return {level: list(texts) for level, texts in compared.items() if texts}


def _texts(values: Iterable[Term]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Constant) and isinstance(value.value, str):
            yield value.value


def _members(served: Served, store: EntryStore | None, level: str) -> pa.Array | None:
    """Return the members of a level that the question's own rows can have; None if not known."""
    known: list[pa.Array] = []
    for part in served.plan.parts:
        of_part = _mapped(served.snapshot.typed, served.snapshot.facts, part, level)
        if of_part is None and store is not None:
            of_part = _members_of_entry(served, store, part, level)
        if of_part is None:
            return None
        known.append(of_part)
    return pc.unique(pa.chunked_array(known, pa.string())) if known else None


def _mapped(typed: TypedCollection, facts: DataFacts, part: Part, level: str) -> pa.Array | None:
    """Return all that the last edge on the way to a level leads to, where that is at hand."""
    way = None if is_computed(level) else typed.graph.schema_path(part.metric.schema, level)
    if not way:
        return None
    last = way[-1]
    if isinstance(last.map, ValueMap):
        listed = [target for _, target in last.map.pairs]
        return pa.array([*listed, last.map.default, last.map.null], pa.string())
    if isinstance(last.map, TableMap):
        targets = facts.targets_at_hand(str(last))
        return None if targets is None else targets.cast(pa.string())
    return None


def _members_of_entry(served: Served, store: EntryStore, part: Part, level: str) -> pa.Array | None:
    """Return a level's members in the smallest entry that has them all, or None."""
    listing = members_metric(part.metric.schema)
    group = part.key.group
    members = replace(
        group,
        collection=served.snapshot.typed.collection.definition_hash(listing.family),
        domain=listing.domain,
        family=listing.identity,
        operator=listing.operator,
    )
    holdings, versions = store.holdings(), served.snapshot.versions
    fit: list[CacheEntry] = [
        entry
        for entry in (*holdings.on(group), *holdings.on(members))
        if level in entry.key.anchor
        and not entry.key.filter
        and entry.rows <= MAX_ROWS
        and all(versions.get(table) == fingerprint for table, fingerprint in entry.version)
    ]
    if not fit:
        return None
    try:
        table = store.read(min(fit, key=lambda entry: entry.rows))
    except EntryGone:
        return None
    return table[level].cast(pa.string()).combine_chunks()


def _remark(level: str, strange: list[str], members: pa.Array) -> str:
    quoted = [f"'{shown(text)}'" for text in strange[:MAX_NAMED]]
    if len(strange) > MAX_NAMED:
        quoted.append(f"{len(strange) - MAX_NAMED} more")
    several = "are no known members" if len(strange) > 1 else "is no known member"
    near = _likely(strange[0], members)
    return f"{' and '.join(quoted)} {several} of {level}{f'; {near}' if near else ''}"


def _likely(text: str, members: pa.Array) -> str | None:
    """Return in words which member was likely meant: one that differs in case alone, or is like."""
    if len(members) > MAX_MEMBERS:
        return None
    named = [member for member in members.to_pylist() if member]
    same = [f"'{shown(member)}'" for member in named if member.casefold() == text.casefold()]
    return f"did you mean {' or '.join(same)}?" if same else did_you_mean(text, named)
