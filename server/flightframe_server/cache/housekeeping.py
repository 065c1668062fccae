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
        self._intervals = dict(chores)
        self._urgent = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cache-housekeeper", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Run every chore as soon as the thread wakes, due or not."""
        self._urgent.set()

    def stop(self) -> None:
        """Stop after the chore at hand and wait for the thread. May be called again."""
        self._stopped = True
        self._urgent.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        started = time.monotonic()
        due = {chore: started + seconds for chore, seconds in self._intervals.items()}
        while True:
            pause = min(due.values()) - time.monotonic()
            hurried = self._urgent.wait(max(pause, 0.0))
            if self._stopped:
                return
            self._urgent.clear()
            now = time.monotonic()
            for chore, moment in due.items():
                if hurried or moment <= now:
                    chore()
                    due[chore] = time.monotonic() + self._intervals[chore]
