"""What was answered lately, as `system.last_queries` lists it.

What comes in: a text, how its answer was made, how long it took, and for whom. What goes out: the
last thousand of them. It must never grow with what is asked: each text is cut, and the oldest go.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from flightframe_server.provenance import Provenance

QUERY_LOG_LENGTH = 1000
SOURCE_LENGTH = 2000


# A tuple: one is made for each hit, in a third of the time.
class LoggedQuery(NamedTuple):
    """One answered query: when (seconds since 1970 UTC), how long, its provenance, and whose."""

    at: float
    seconds: float
    source: str
    rows: int | None
    provenance: Provenance
    user: str = ""


class QueryLog:
    """The last thousand answered queries, newest last."""

    def __init__(self, length: int = QUERY_LOG_LENGTH) -> None:
        """Start empty."""
        self._queries: deque[LoggedQuery] = deque(maxlen=length)

    def add(
        self,
        source: str,
        provenance: Provenance,
        rows: int | None,
        started: float,
        user: str = "",
    ) -> None:
        """Note one answer; `started` is a reading of `time.perf_counter`."""
        seconds = time.perf_counter() - started
        self._queries.append(
            LoggedQuery(time.time(), seconds, source[:SOURCE_LENGTH], rows, provenance, user)
        )

    def __iter__(self) -> Iterator[LoggedQuery]:
        """Iterate over a copy, oldest first."""
        return iter(tuple(self._queries))
