"""What new collections hint and what describes them, made in the background while they serve.

What comes in: engines that began to serve. What goes out: entries, and an event in the log for each
hint; then what a description of everything rests on. It must never keep a question waiting, nor go
on for engines that were replaced meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import structlog

from flightframe_server.call_context import CallContext
from flightframe_server.completion.complete import complete
from flightframe_server.discovery.preparation import prepare
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.warm_up import Warmed, warm_up
from flightframe_server.errors import FlightframeError
from flightframe_server.runtime import Runtime

BEGUN = "SELECT "
"""How a query begins: what may stand next is every level and metric, each tried once."""

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

    def begin(self, names: Collection[str], *, hinted: bool = True) -> None:
        """Make what some collections hint; what was being made for former ones is left.

        Args:
            names: the collections.
            hinted: whether their hints are to be made; False: they are made, and what is left is
                what describes the collections.
        """
        self.stop()
        before, self._stop = self._thread, threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(tuple(names), hinted, self._stop, before),
            name="warm-up",
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
        self,
        names: tuple[str, ...],
        hinted: bool,
        stop: threading.Event,
        before: threading.Thread | None,
    ) -> None:
        if before is not None:
            # The pins of a store are those of the engines that came last.
            before.join()
        context = CallContext(is_cancelled=stop.is_set)
        with self._runtime.pinned() as pinned:
            engines = {name: pinned.engines[name] for name in names if name in pinned.engines}
            for name, engine in engines.items():
                for warmed in warm_up(engine, context) if hinted else ():
                    if stop.is_set():
                        return
                    log_warmed(name, warmed)
            for name, engine in engines.items():
                if not stop.is_set():
                    _prepare(name, engine, pinned, context)


def _prepare(name: str, engine: MetricEngine, runtime: Runtime, context: CallContext) -> None:
    """Find what a description of a collection and the first completion rest on; tell the log."""
    try:
        whole = prepare(engine, context)
        complete(BEGUN, len(BEGUN), runtime, name, context)
    except FlightframeError as error:
        # Whoever asks for the description looks again, and is told.
        if context.over() is None:
            log.warning("describe.not_prepared", collection=name, error=str(error))
    else:
        log.info("describe.prepared", collection=name, whole=whole)
