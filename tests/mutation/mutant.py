"""Runs tests on the product with one rule broken, in a process of its own.

    python tests/mutation/mutant.py drop-a-block

prints what became of each test, as JSON; without a name, the product as it is. Options after the
name go to pytest.
"""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from mutations import named
from patching import install

ROOT = Path(__file__).parents[2]
QUIET = ["-q", "--no-header", "--tb=short", "--assert=plain", "--hypothesis-show-statistics"]
QUIET += [
    "-o",
    "addopts=",
    *(f"-pno:{name}" for name in ("cacheprovider", "xdist", "doctest", "anyio")),
]


class Outcomes:
    """What became of each test: how it failed, and how many examples it was tried on."""

    def __init__(self):
        self.failed, self.passed, self.examples, self.broken = {}, [], {}, []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed and call.when == "call":
            self.failed[item.nodeid] = [kind.__name__ for kind in type(call.excinfo.value).__mro__]
        elif report.failed:
            self.broken.append(f"{call.when} of {item.nodeid}")
        elif call.when == "call":
            self.passed.append(item.nodeid)
        return report

    def pytest_collectreport(self, report):
        if report.failed:
            self.broken.append(f"collecting {report.nodeid}")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        counted = [tried for name, tried in report.user_properties if "examples" in name]
        if counted:
            self.examples[report.nodeid] = sum(counted)


def run(name, arguments):
    """Run pytest with a mutation's rule broken; with `name` empty on the product as it is."""
    patches = [named(name).patch] if name else []
    finder = install(patches)
    outcomes = Outcomes()
    with redirect_stdout(sys.stderr):
        pytest.main([*QUIET, *arguments], plugins=[outcomes])
    return {**vars(outcomes), "loaded": sorted(finder.loaded)}


if __name__ == "__main__":
    mutation, *given = sys.argv[1:] or [""]
    json.dump(run(mutation, given), sys.stdout)
