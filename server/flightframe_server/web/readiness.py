"""Whether questions should be sent to a server, and why not.

What comes in: what the server is busy with, and its engines. What goes out: reasons, none where it
is ready. It must never ask the database a question: its files are looked at, as before every
answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import FlightframeError

WARMING, DRAINING, UNREACHABLE = "WARMING_UP", "DRAINING", "BACKEND_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a server is not ready: a code that stays, and words."""

    code: str
    message: str


class Readiness:
    """The state of one server. Thread-safe."""

    def __init__(self) -> None:
        """Start ready."""
        self._warming = 0
        self._lock = threading.Lock()
        self._draining = threading.Event()

    @contextmanager
    def warming(self) -> Iterator[None]:
        """Be not ready for as long as the block lasts: what is hinted is being made."""
        with self._lock:
            self._warming += 1
        try:
            yield
        finally:
            with self._lock:
                self._warming -= 1

    def drain(self) -> None:
        """Be not ready from now on: requests under way end, and no more are taken."""
        self._draining.set()

    @property
    def draining(self) -> bool:
        """Whether the server is stopping."""
        return self._draining.is_set()

    def reasons(self, engines: Mapping[str, MetricEngine]) -> tuple[Reason, ...]:
        """Return why the server is not ready; empty where it is."""
        reasons: list[Reason] = []
        if self.draining:
            reasons.append(Reason(DRAINING, "the server is stopping"))
        if self._warming:
            reasons.append(Reason(WARMING, "what the collections hint is being made"))
        for name, engine in engines.items():
            try:
                engine.fingerprint()
            except FlightframeError as error:
                reasons.append(Reason(UNREACHABLE, f"{name}: {error.message}"))
        return tuple(reasons)
