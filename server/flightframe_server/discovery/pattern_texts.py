"""Where metrics may be asked, as JSON: what many of them share is written once.

What comes in: where a metric may be asked, and which levels are told of. What goes out: pieces of
JSON. It must never tell one metric's name to another: the names are put in last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flightframe_server.discovery.availability import (
    Availability,
    AvailabilityPattern,
    BlockedLevel,
)


class PatternTexts:
    """The texts of one description.

    Args:
        levels: the only levels told of, folded; empty for all.
    """

    def __init__(self, levels: frozenset[str]) -> None:
        """Write nothing yet; see the class."""
        self._levels = levels
        self._patterns: dict[tuple[AvailabilityPattern, tuple[str, ...]], _Split] = {}
        # By identity, which is had without reading the words; `_patterns` keeps each alive.
        self._blocked: dict[int, str] = {}

    def availability(self, one: Availability) -> Iterator[str]:
        """Yield the JSON of where a metric may be asked, from that of all which are alike."""
        marks = tuple(mark for mark, _ in one.names)
        key = (one.pattern, marks)
        if key not in self._patterns:
            self._patterns[key] = _Split(self._pattern(one.pattern), marks)
        yield f'{{"reducer":{_json(one.reducer)},"required":{_json(one.required)},'
        yield self._patterns[key].about([name for _, name in one.names])
        yield "}"

    def _pattern(self, pattern: AvailabilityPattern) -> str:
        told: Iterable[str] = pattern.levels
        forbidden: Iterable[BlockedLevel] = pattern.blocked
        if self._levels:
            told = (level for level in told if level.casefold() in self._levels)
            forbidden = (one for one in forbidden if one.level.casefold() in self._levels)
        levels, blocked = list(told), map(self._reason, forbidden)
        return f'"levels":{_json(levels)},"blocked":[{",".join(blocked)}]'

    def _reason(self, one: BlockedLevel) -> str:
        key = id(one)
        if key not in self._blocked:
            fields = {"level": one.level, "code": one.code, "reason": one.reason}
            self._blocked[key] = _json(fields)
        return self._blocked[key]


class _Split:
    """A text between marks, to be joined by what stands for each."""

    def __init__(self, text: str, marks: tuple[str, ...]) -> None:
        written = {at: _json(mark)[1:-1] for at, mark in enumerate(marks)}
        # Most texts hold one mark many times: they are split at that, and searched for no other.
        self._used = [at for at, mark in written.items() if mark in text]
        self._marks = written
        self._first = text.split(written[self._used[0]]) if self._used else [text]

    def about(self, names: list[str]) -> str:
        """Return the text with names put in for the marks."""
        if not self._used:
            return self._first[0]
        first, *others = self._used
        words = _json(names[first])[1:-1].join(self._first)
        for at in others:
            words = words.replace(self._marks[at], _json(names[at])[1:-1])
        return words


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
