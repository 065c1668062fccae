"""The thread of the tasks that no query should wait for.

What comes in: tasks and the interval of each. What goes out: nothing. It must never keep the
process alive, and a task must never raise: nothing would report it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

Task = Callable[[], object]


class MaintenanceThread:
    """Runs tasks at their intervals until it is stopped.

    Args:
        tasks: for each task, the seconds between two runs; the first run is one interval away.
    """

    def __init__(self, tasks: Mapping[Task, float]) -> None:
        """Start the thread."""
        started = time.monotonic()
        self._intervals = dict(tasks)
        self._due = {task: started + seconds for task, seconds in tasks.items()}
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cache-maintenance", daemon=True)
        self._thread.start()

    def run_soon(self, task: Task) -> None:
        """Run one task as soon as the thread wakes, due or not."""
        self._due[task] = 0.0
        self._wake.set()

    def stop(self) -> None:
        """Stop after the task at hand and wait for the thread. May be called again."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(max(min(self._due.values()) - time.monotonic(), 0.0))
            self._wake.clear()
            for task, seconds in self._intervals.items():
                now = time.monotonic()
                if self._due[task] <= now and not self._stopped:
                    # Before the run, so that a call of `run_soon` during it is not forgotten.
                    self._due[task] = now + seconds
                    task()
