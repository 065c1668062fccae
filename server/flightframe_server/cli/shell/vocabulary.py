"""What can be completed: names that the server describes, and the words of the language.

What comes in: descriptions, and a position in a query. What goes out: what may stand there, what is
lawful first, and of the rest why it is not. It must never hold a name that the server lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flightframe import CollectionDescription, Description, LevelDescription, MetricDescription
from flightframe_server.cli.shell.position import Position

BEHIND_ANCHOR = ("HAVING", "ORDER BY", "LIMIT")
KEYWORDS = {
    "": ("SELECT", "EXPLAIN"),
    "SELECT": ("AS", "FROM", "WHERE", "AT"),
    "FROM": ("WHERE", "AT"),
    "WHERE": ("AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL"),
    "AT": ("WHERE", *BEHIND_ANCHOR),
    "HAVING": ("AND", "OR", "NOT", "ORDER BY", "LIMIT"),
    "ORDER": ("BY", "ASC", "DESC", "NULLS", "LIMIT"),
    "LIMIT": ("OFFSET", "PER"),
}
WITH_LEVELS = {"SELECT", "WHERE", "AT", "ORDER"}
BEFORE_VALUES = frozenset({"not", "in", "like", "between", "and", "date", "timestamp"})
"""Words that may stand between a level and what it is compared with."""

WITH_METRICS = {"SELECT", "HAVING", "ORDER"}


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may stand at the cursor.

    Attributes:
        insert: what is written.
        note: what it is, or why it is not lawful here.
        lawful: whether a query with it can be answered.
    """

    insert: str
    note: str = ""
    lawful: bool = True


class Vocabulary:
    """The names of the collections that may be meant."""

    def __init__(self, description: Description) -> None:
        """Take the names of a description."""
        self.collections = description.collections
        self.metrics = {
            metric.name.casefold(): metric for each in self.collections for metric in each.metrics
        }
        self.levels = {
            level.name.casefold(): level for each in self.collections for level in each.levels
        }

    def names(self) -> Iterator[Option]:
        """Yield everything that can be described."""
        for level in self.levels.values():
            yield Option(level.name, f"level, {level.type}")
        for metric in self.metrics.values():
            yield Option(metric.name, f"metric, {metric.type}")
        for schema in self._schemas():
            yield Option(schema, "schema")

    def options(self, position: Position) -> list[Option]:
        """Return what may stand at a position outside of quotes, what is lawful first."""
        clause = position.clause
        options: list[Option] = []
        if clause in WITH_METRICS:
            options += self._metric_options()
        if clause in WITH_LEVELS:
            options += self._level_options(position)
        if clause == "FROM":
            options += [Option(schema, "schema") for schema in self._schemas()]
        options += [Option(word) for word in KEYWORDS.get(clause, ())]
        if clause == "WHERE":
            # It may stand on either side of the anchor.
            words = BEHIND_ANCHOR if "at" in position.names else ("AT",)
            options += [Option(word) for word in words]
        return sorted(options, key=lambda option: not option.lawful)

    def level_before(self, position: Position) -> LevelDescription | None:
        """Return the level that the text or the word at a position is compared with."""
        for name in reversed(position.names):
            if name in self.levels:
                return self.levels[name]
            if name not in BEFORE_VALUES:
                return None
        return None

    def _metric_options(self) -> Iterator[Option]:
        for metric in self.metrics.values():
            note = metric.formula or metric.description or metric.type
            yield Option(metric.name, f"metric, {note}")
        reducers = {reducer for metric in self.metrics.values() for reducer in metric.reducers}
        for reducer in sorted(reducers):
            yield Option(f"{reducer}(", "reducer")

    def _level_options(self, position: Position) -> Iterator[Option]:
        blocked = dict(self._blocked(position))
        for folded, level in self.levels.items():
            reason = blocked.get(folded)
            yield Option(level.name, reason or f"level, {level.type}", reason is None)

    def _blocked(self, position: Position) -> Iterator[tuple[str, str]]:
        """Yield each level that a metric of the query may not be asked at, and why."""
        for name in dict.fromkeys(position.names):
            metric = self.metrics.get(name)
            if metric is not None:
                yield from _blocked_of(metric, position.calls.get(name))

    def _schemas(self) -> Iterable[str]:
        return dict.fromkeys(schema.name for each in self.collections for schema in each.schemas)


def _blocked_of(metric: MetricDescription, reducer: str | None) -> Iterator[tuple[str, str]]:
    fitting = [each for each in metric.anchors if reducer in (None, each.reducer)]
    for anchors in fitting[:1]:
        for level in anchors.blocked:
            yield level.level.casefold(), f"{level.code}: {level.reason}"


def only(description: Description, collection: str | None) -> Description:
    """Return what is described of one collection, or all of it where none is named."""
    if collection is None:
        return description
    kept: tuple[CollectionDescription, ...] = tuple(
        each for each in description.collections if each.name.casefold() == collection.casefold()
    )
    return Description(description.installation_id, kept)
