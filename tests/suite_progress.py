"""Says in words how far a run is: what make shows in place of dots.

What comes in are pytest's reports, in the process that the workers report to; what goes out are
lines: each folder of tests as it begins, how far the run is every few seconds, and each failure
when it happens. It must never be silent for longer than a reader waits.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from suite_parts import folder_of

SECONDS = 10.0
"""Between two lines."""


class Progress:
    """Counts tests and tells of them."""

    def __init__(self, config: pytest.Config, seconds: float = SECONDS) -> None:
        """Tell of a run on the terminal of `config`."""
        self._config, self._seconds = config, seconds
        self._started = self._told = time.monotonic()
        self._sizes: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._running: dict[str, float] = {}
        self._done: set[str] = set()
        self._failed = 0
        self._lock = threading.Lock()
        self._over = threading.Event()

    def pytest_sessionstart(self) -> None:
        """Tell now and then, while workers run a long test, from a thread beside them."""
        if getattr(self._config.option, "numprocesses", None):
            threading.Thread(target=self._tell_now_and_then, daemon=True).start()

    def pytest_sessionfinish(self) -> None:
        """Stop telling."""
        self._over.set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Count the tests that a worker found: each finds the same."""
        self._count(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests where this process runs them itself."""
        self._count([item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Announce a folder of tests at its first one."""
        with self._lock:
            self._running[nodeid] = time.monotonic()
            folder = folder_of(nodeid)
            if folder not in self._begun:
                self._begun.add(folder)
                self._line(f"{folder}: {self._sizes[folder]:,} tests")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what is over, and tell of a failure at once."""
        with self._lock:
            if report.failed:
                self._failed += 1
                self._line(f"FAILED in {report.when}: {report.nodeid}")
            if report.when == "teardown":
                self._running.pop(report.nodeid, None)
                self._done.add(report.nodeid)
            if time.monotonic() - self._told >= self._seconds:
                self._tell()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show nothing for a test that passes."""
        return ("passed", "", "") if report.passed and report.when == "call" else None

    def _count(self, ids: list[str]) -> None:
        with self._lock:
            self._sizes = Counter(map(folder_of, ids))

    def _tell_now_and_then(self) -> None:
        while not self._over.wait(1.0):
            with self._lock:
                if time.monotonic() - self._told >= self._seconds:
                    self._tell()

    def _tell(self) -> None:
        total = self._sizes.total()
        if not total:
            self._line("looking for tests")
            return
        files = sorted({nodeid.split("::")[0].removeprefix("tests/") for nodeid in self._running})
        told = f"{len(self._done):,} of {total:,} tests done"
        told += f", {self._failed} failed" if self._failed else ""
        self._line(f"{told}; now {', '.join(files)}" if files else told)

    def _line(self, text: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        seconds = int(time.monotonic() - self._started)
        self._told = time.monotonic()
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"{seconds // 60:3}:{seconds % 60:02}  {text}")
            reporter.flush()
