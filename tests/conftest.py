"""What holds for every test: hypothesis judges answers, never the speed of the machine.

`make test` and `make test-all` are two selections of one suite, and tell in words how far they are.
At the end of a run it says how much was tried, how many mutations were caught, and how long each
part took.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from suite_parts import VARIABLE, chosen_part, folder_of, is_of_other_part, select
from suite_progress import Progress

settings.register_profile("flightframe", deadline=None, print_blob=True)
settings.load_profile("flightframe")

COUNTED = "hypothesis examples"
FOREIGN = "foreign client"
"""Properties of a test's report: how much was tried; a client, the seconds it ran, or why not."""
MUTATIONS = "tests/mutation/test_mutations.py::test_a_mutation_is_caught"


def pytest_configure(config: pytest.Config) -> None:
    """Tell in words what make runs; leave to the workers the part that this process chose."""
    _let_interrupts_through()
    if hasattr(config, "workerinput") or VARIABLE not in os.environ:
        return
    if config.option.verbose == 0:
        config.pluginmanager.register(Progress(config))
    part = chosen_part(config)
    if part is None:
        del os.environ[VARIABLE]


def _let_interrupts_through() -> None:
    """Let programs that tests start be ended by Ctrl-C, also where the tests run in the background.

    A shell has what it puts there ignore SIGINT, and each program inherits that. Some libraries end
    it when they are imported, and a test that restores a handler begins it again.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave alone what holds no test of the part that is run."""
    return True if is_of_other_part(collection_path, os.environ.get(VARIABLE)) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests of the part that is run, and begin with the files that take longest."""
    left = select(items, os.environ.get(VARIABLE))
    if left:
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the thousands of tests, which stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on its report how many examples a property was tried on."""
    report = yield
    told = getattr(item, "hypothesis_statistics", "")
    if call.when == "call" and told:
        tried = sum(map(int, re.findall(r"(\d+) passing", told)))
        report.user_properties.append((COUNTED, tried))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was tried (examples, cases, pairs, mutations), and how long each part took."""
    passed = [item for item in terminalreporter.stats.get("passed", ()) if item.when == "call"]
    told = {
        "property examples": sum(
            tried for report in passed for name, tried in report.user_properties if name == COUNTED
        ),
        "oracle cases": _parametrised(passed, "tests/oracle/test_oracle.py::test_case["),
        "conformance pairs": _parametrised(passed, "tests/conformance/"),
    }
    for what, number in told.items():
        if number:
            terminalreporter.write_line(f"{what}: {number}")
    for line, colours in _foreign_clients(terminalreporter):
        terminalreporter.write_line(line, **colours)
    caught = _parametrised(passed, MUTATIONS)
    missed = _parametrised(terminalreporter.stats.get("failed", []), MUTATIONS)
    if caught or missed:
        terminalreporter.write_line(f"mutations caught: {caught} of {caught + missed}")
    terminalreporter.write_line(f"seconds by part: {_seconds(terminalreporter)}")


def _seconds(terminalreporter: pytest.TerminalReporter) -> str:
    """Return the seconds of each folder of tests, longest first, set-up included."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent[folder_of(report.nodeid)] += report.duration
    return ", ".join(f"{part} {seconds:.0f}" for part, seconds in spent.most_common())


def _parametrised(reports: list[pytest.TestReport], folder: str) -> int:
    return sum(report.nodeid.startswith(folder) and "[" in report.nodeid for report in reports)


def _foreign_clients(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, dict]]:
    """Yield what the tests of foreign clients ran, for how long, and loudly what they did not."""
    told = [
        told
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, told in getattr(report, "user_properties", ())
        if name == FOREIGN
    ]
    ran = {client: seconds for client, seconds, _ in told if seconds is not None}
    if ran:
        each = ", ".join(f"{client} {seconds:.1f} s" for client, seconds in ran.items())
        yield f"foreign clients exercised: {len(ran)} in {sum(ran.values()):.0f} s ({each})", {}
    missed = {client: reason for client, seconds, reason in told if seconds is None}
    if missed:
        each = "; ".join(f"{client}: {reason}" for client, reason in missed.items())
        loud = {"red": True, "bold": True}
        yield f"foreign clients not exercised: {len(missed)} ({each})", loud
