"""What new collections hint, made in the background while they serve.

What comes in: engines that began to serve. What goes out: entries, and an event in the log for each
hint. It must never keep a question waiting, nor go on for engines that were replaced meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import structlog

from flightframe_server.call_context import CallContext
from flightframe_server.engine.warm_up import Warmed, warm_up
from flightframe_server.runtime import Runtime

log = structlog.get_logger(__name__)


def log_warmed(collection: str, warmed: Warmed) -> None:
    """Tell the log what became of one hint."""
    if warmed.failure is not None:
        log.warning(
            "warm_up.failed",
            collection=collection,
            hint=str(warmed.hint),
            error=str(warmed.failure),
        )
    else:
        state = "fresh" if warmed.fresh else "made"
        log.info("warm_up", collection=collection, hint=str(warmed.hint), entry=state)


class BackgroundWarmUp:
    """Makes what is hinted, for one set of engines after the other, in a thread of its own.

    Args:
        runtime: whose engines.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Make nothing yet."""
        self._runtime = runtime
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, names: Collection[str]) -> None:
        """Make what some collections hint; what was being made for former ones is left."""
        self.stop()
        before, self._stop = self._thread, threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(tuple(names), self._stop, before),
            name="reload-warm-up",
            daemon=True,
        )
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for what is being made, and return whether it is."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Ask what is being made to end; the statement under way is cancelled."""
        self._stop.set()

    def _run(
        self, names: tuple[str, ...], stop: threading.Event, before: threading.Thread | None
    ) -> None:
        if before is not None:
            # The pins of a store are those of the engines that came last.
            before.join()
        context = CallContext(is_cancelled=stop.is_set)
        with self._runtime.pinned() as pinned:
            for name in names:
                engine = pinned.engines.get(name)
                if engine is None:
                    continue
                for warmed in warm_up(engine, context):
                    if stop.is_set():
                        return
                    log_warmed(name, warmed)
