"""The thread that does, now and then, what no query should wait for.

What comes in: chores and how often each is due. What goes out: nothing. It must never keep the
process alive, and a chore must never raise: nobody would hear it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

Chore = Callable[[], object]


class Housekeeper:
    """Runs chores at their intervals until it is stopped.

    Args:
        chores: for each chore, the seconds between two runs; the first run is one interval away.
    """

    def __init__(self, chores: Mapping[Chore, float]) -> None:
        """Start the thread."""
        started = time.monotonic()
        self._intervals = dict(chores)
        self._due = {chore: started + seconds for chore, seconds in chores.items()}
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cache-housekeeper", daemon=True)
        self._thread.start()

    def hurry(self, chore: Chore) -> None:
        """Run one chore as soon as the thread wakes, due or not."""
        self._due[chore] = 0.0
        self._wake.set()

    def stop(self) -> None:
        """Stop after the chore at hand and wait for the thread. May be called again."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(max(min(self._due.values()) - time.monotonic(), 0.0))
            self._wake.clear()
            for chore, seconds in self._intervals.items():
                now = time.monotonic()
                if self._due[chore] <= now and not self._stopped:
                    # Before the run, so that a call of `hurry` during it is not forgotten.
                    self._due[chore] = now + seconds
                    chore()
