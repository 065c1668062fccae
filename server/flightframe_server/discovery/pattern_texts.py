"""Where metrics may be asked, as JSON: what many of them share is written once.

What comes in: where a metric may be asked, and which levels are told of. What goes out: pieces of
JSON. It must never tell one metric's name to another: the names are put in last.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Iterator

from flightframe_server.discovery.availability import (
    Availabilities,
    Availability,
    AvailabilityPattern,
    BlockedLevel,
)

EVERY_LEVEL: frozenset[str] = frozenset()
"""No level is left out."""


class PatternTexts:
    """The texts of one description, or of all that tell of every level. Threads may share it.

    Args:
        levels: the only levels told of, folded; empty for all.
    """

    def __init__(self, levels: frozenset[str]) -> None:
        """Write nothing yet; see the class."""
        self._levels = levels
        self._patterns: dict[tuple[AvailabilityPattern, tuple[str, ...]], SplitText] = {}
        # By identity, which is had without reading the words; `_patterns` keeps each alive.
        self._blocked: dict[int, str] = {}

    def availability(self, one: Availability) -> Iterator[str]:
        """Yield the JSON of where a metric may be asked, from that of all which are alike."""
        split = self.keep(one)
        yield f'{{"reducer":{_json(one.reducer)},"required":{_json(one.required)},'
        yield split.about([name for _, name in one.names])
        yield "}"

    def keep(self, one: Availability) -> SplitText:
        """Return the text of all that are alike, made where it is not kept."""
        marks = tuple(mark for mark, _ in one.names)
        key = (one.pattern, marks)
        if key not in self._patterns:
            self._patterns[key] = SplitText(self._pattern(one.pattern), marks)
        return self._patterns[key]

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


def pattern_texts_of(where: Availabilities, levels: frozenset[str]) -> PatternTexts:
    """Return the texts of where metrics may be asked; those of every level are kept with it.

    Args:
        where: where the metrics of a collection may be asked.
        levels: the only levels told of, folded; empty for all.
    """
    if levels:
        return PatternTexts(levels)
    return _KEPT.setdefault(where, PatternTexts(levels))


_KEPT: weakref.WeakKeyDictionary[Availabilities, PatternTexts] = weakref.WeakKeyDictionary()


class SplitText:
    """A text between marks, to be joined by what stands for each."""

    def __init__(self, text: str, marks: tuple[str, ...]) -> None:
        """Split the text at the first mark that it holds."""
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


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
