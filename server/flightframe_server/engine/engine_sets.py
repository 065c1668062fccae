"""The engines that serve, replaced as one while questions go on.

What comes in: engines by the names of their collections. What goes out: one set of them at a time,
the same to a question from its beginning to its end. It must never close an engine that a question
still uses, nor a store that another engine has open.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.cache.store import EntryStore
from flightframe_server.engine.engine import MetricEngine

Engines = Mapping[str, MetricEngine]


@dataclass(slots=True, eq=False)
class EngineSet:
    """Engines that serve together.

    Attributes:
        engines: by collection name.
        uses: how many questions use them now.
    """

    engines: Engines
    uses: int = 0


class EngineSets:
    """The current set of engines, and former ones that questions still use. Thread-safe.

    Args:
        engines: the first set.
    """

    def __init__(self, engines: Engines) -> None:
        """Begin with a set; see the class."""
        self._lock = threading.Lock()
        self._current = EngineSet(engines)
        self._former: list[EngineSet] = []

    @property
    def current(self) -> Engines:
        """The set that a question that begins now is answered by."""
        return self._current.engines

    @property
    def former(self) -> int:
        """How many sets were replaced and are still in use."""
        return len(self._former)

    def begin(self) -> EngineSet:
        """Return the current set, which stays open until `end` has been called for it as often."""
        with self._lock:
            used = self._current
            used.uses += 1
        return used

    def end(self, used: EngineSet) -> None:
        """Use a set no more."""
        unused: list[MetricEngine] = []
        with self._lock:
            used.uses -= 1
            if used is not self._current:
                unused = self._unused()
        _close(unused)

    def replace(self, engines: Engines) -> None:
        """Serve another set from now on; the former one is closed once no question uses it.

        Args:
            engines: the set; it may hold engines of the former one, and engines on their stores.
        """
        with self._lock:
            self._former.append(self._current)
            self._current = EngineSet(engines)
            unused = self._unused()
        _close(unused)

    def store_at(self, root: Path) -> EntryStore | None:
        """Return the store that an engine of any set in use has open in a folder."""
        with self._lock:
            for one in (self._current, *self._former):
                for engine in one.engines.values():
                    if engine.root == root and engine.store is not None:
                        return engine.store
        return None

    def close(self) -> None:
        """Close every engine, whether it is used or not; idempotent."""
        with self._lock:
            sets = (self._current, *self._former)
        _close([engine for one in sets for engine in one.engines.values()])

    def _unused(self) -> list[MetricEngine]:
        """Forget the former sets that are not used, and return what of theirs is to be closed."""
        gone = [one for one in self._former if not one.uses]
        self._former = [one for one in self._former if one.uses]
        left = [engine for one in (self._current, *self._former) for engine in one.engines.values()]
        stores = {id(engine.store) for engine in left}
        closed = {
            id(engine): engine
            for one in gone
            for engine in one.engines.values()
            if engine.store is not None and id(engine.store) not in stores
        }
        return list(closed.values())


def _close(engines: Iterable[MetricEngine]) -> None:
    for engine in engines:
        engine.close()
