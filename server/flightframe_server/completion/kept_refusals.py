"""What the resolver said of drafts, kept from one letter to the next.

What comes in: a collection, what its data are known to break, and drafts with what was put at the
cursor. What goes out: the refusals that were found before. It must never outlive the definitions
and the data that it was found on, nor hold more than its bound.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Mapping

from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError
from flightframe_server.resolver.typed import TypedCollection

MOST = 20_000


class KeptRefusals:
    """The refusals of one typed collection on one state of its data. Threads may share it.

    Args:
        typed: the collection.
        violations: the promises that its data are known to break.
        most: how many are kept; beyond that it begins anew.
    """

    def __init__(
        self, typed: TypedCollection, violations: Mapping[str, str], most: int = MOST
    ) -> None:
        """Keep none yet."""
        self.typed, self.violations, self._most = typed, violations, most
        self._kept: dict[Hashable, FlightframeError | None] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def of(
        self, key: Hashable, find: Callable[[], FlightframeError | None]
    ) -> FlightframeError | None:
        """Return a refusal, or None where there is none; found where it is not kept."""
        try:
            return self._kept[key]
        except KeyError:
            refusal = find()
        if refusal is not None:
            # Its frames hold all that the search for it made.
            refusal.__traceback__ = refusal.__cause__ = refusal.__context__ = None
        if len(self._kept) >= self._most:
            self._kept = {}
        self._kept[key] = refusal
        return refusal


def kept_refusals(
    engine: MetricEngine, typed: TypedCollection, violations: Mapping[str, str]
) -> KeptRefusals:
    """Return those of an engine, for as long as its types and what its data break are the same."""
    with _LOCK:
        kept = _BY_ENGINE.get(engine)
        if kept is None or kept.typed is not typed or kept.violations != violations:
            kept = _BY_ENGINE[engine] = KeptRefusals(typed, dict(violations))
        return kept


_LOCK = threading.Lock()
_BY_ENGINE: weakref.WeakKeyDictionary[MetricEngine, KeptRefusals] = weakref.WeakKeyDictionary()
