"""Runs tests on the product with one rule broken, in a process of its own.

    python tests/mutation/mutant.py drop-a_block tests/property < /dev/null

prints what became of each test, as JSON; with '' for a name, on the product as it is. What comes
in, as JSON, are examples of hypothesis's for some tests: those are tried instead of new ones.
"""

import ast
import json
import re
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field

import hypothesis
import pytest
from hypothesis import reproduce_failure
from hypothesis.errors import DidNotReproduce
from mutations import named
from patching import install

QUIET = ["-q", "--no-header", "--tb=short", "--assert=plain", "--hypothesis-seed=0"]
QUIET += ["-o", "addopts=", *(f"-pno:{name}" for name in ("cacheprovider", "xdist", "doctest"))]
BLOB = re.compile(r"@reproduce_failure\('[^']*', (b'[^']*')\)")


@dataclass(eq=False)
class Outcomes:
    """What became of each test, and the examples at which it failed or did not fail again."""

    replayed: dict
    failed: dict = field(default_factory=dict)
    passed: list = field(default_factory=list)
    broken: list = field(default_factory=list)
    examples: dict = field(default_factory=dict)
    loaded: list = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Try the examples there are; hypothesis says of one that passes that it did not fail."""
        blobs = self.replayed.get(pyfuncitem.nodeid)
        if not blobs:
            return None
        for blob in blobs:
            test = reproduce_failure(hypothesis.__version__, ast.literal_eval(blob))(pyfuncitem.obj)
            names = pyfuncitem.callspec.params if hasattr(pyfuncitem, "callspec") else ()
            with pytest.raises(DidNotReproduce):
                test(**{name: pyfuncitem.funcargs[name] for name in names})
            self.examples.setdefault(pyfuncitem.nodeid, []).append(blob)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed and call.when == "call":
            error = call.excinfo.value
            self.failed[item.nodeid] = [kind.__name__ for kind in type(error).__mro__]
            self.examples[item.nodeid] = BLOB.findall("".join(getattr(error, "__notes__", ())))
        elif report.passed and call.when == "call":
            self.passed.append(item.nodeid)
        elif not report.passed:
            self.broken.append(f"{report.outcome} in {call.when}: {item.nodeid}")
        return report

    def pytest_collectreport(self, report):
        if report.failed:
            self.broken.append(f"collecting {report.nodeid}")


def run(name, arguments, replayed):
    """Run pytest with a mutation's rule broken; with `name` empty on the product as it is."""
    finder = install([named(name).patch] if name else [])
    outcomes = Outcomes(replayed)
    with redirect_stdout(sys.stderr):
        code = pytest.main([*QUIET, *arguments], plugins=[outcomes])
    assert code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), code
    outcomes.loaded = sorted(finder.loaded)
    return asdict(outcomes)


if __name__ == "__main__":
    mutation, *tests = sys.argv[1:]
    json.dump(run(mutation, tests, json.loads(sys.stdin.read() or "{}")), sys.stdout)
