"""Whoever waits for an answer: whether it still wants it, and for how long it waits.

What comes in: what a surface knows of its client. What goes out: one check that everything which
takes long makes in between. It must never be asked about a client whose call is over.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from flightframe_server.errors import BackendCancelled, BackendTimeout, FlightframeError

POLL_SECONDS = 0.05
"""How often a client is asked whether it is still there, while a statement runs for it."""


def _stays() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Asker:
    """One question being answered for somebody.

    Attributes:
        gone: whether whoever asked wants no answer any more; asked only while a statement runs.
        timeout: seconds for all statements of the question; None: the installation's limit.
        query_id: the name that its statements go by.
        until: when all of a call's questions must be answered, as `time.monotonic` counts.
        caller: whose share of the limits its statements take; empty: nobody's, which has no bound
            but the total.
    """

    gone: Callable[[], bool] = _stays
    timeout: float | None = None
    query_id: str = ""
    until: float = math.inf
    caller: str = ""


NOBODY = Asker()
"""A question of the server's own, or of a program that holds the engine: it stays."""


class Wait:
    """One asker's patience, from now on.

    Args:
        asker: who waits.
        most: the most seconds that anybody may wait.
    """

    __slots__ = ("_asker", "_deadline", "caller", "query_id")

    def __init__(self, asker: Asker, most: float) -> None:
        """Start the clock."""
        seconds = most if asker.timeout is None else min(asker.timeout, most)
        self._asker, self._deadline = asker, min(asker.until, time.monotonic() + seconds)
        self.query_id, self.caller = asker.query_id, asker.caller

    def over(self) -> FlightframeError | None:
        """Return why nobody waits any longer, or None while somebody does."""
        if self._asker.gone():
            return BackendCancelled("the client waits for the answer no more")
        if time.monotonic() >= self._deadline:
            return BackendTimeout(
                "the statement ran past its time limit", hint="ask for less, or allow it more time"
            )
        return None

    def idle_over(self, since: float, seconds: float) -> FlightframeError | None:
        """Return why a reader that took nothing since a moment is waited for no longer."""
        if time.monotonic() - since < seconds:
            return None
        return BackendTimeout(
            f"the reader took none of the answer for {seconds:g} seconds",
            hint="read it without pauses, or ask for less",
        )

    def check(self) -> None:
        """Raise `BackendCancelled` or `BackendTimeout` where nobody waits any longer."""
        reason = self.over()
        if reason is not None:
            raise reason
