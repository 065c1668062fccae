"""Runs tests on the product with one rule broken, and then with another, in one process.

    echo '[["drop-a_block", ["tests/property"], {}]]' | python tests/mutation/mutant.py

prints what became of each test, as JSON, for each mutation that came in; with "" for a name, on
the product as it is. Beside the tests may stand examples of hypothesis's for some of them: those
are tried instead of new ones. After each mutation the product and the tests are forgotten, and
imported anew for the next: only other packages, which take the time, stay.
"""

import ast
import gc
import io
import json
import re
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path

import hypothesis
import pytest
from hypothesis import reproduce_failure
from hypothesis.errors import DidNotReproduce
from mutations import named
from patching import install

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
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
    outcomes, said = Outcomes(replayed), io.StringIO()
    with redirect_stdout(said):
        code = pytest.main([*QUIET, *arguments], plugins=[outcomes])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        # A patch that no longer fits is the failure of one mutation, not of all.
        outcomes.broken.append(f"pytest ended with {code!r}")
    forget(finder)
    return {**asdict(outcomes), "loaded": sorted(finder.loaded), "said": said.getvalue()}


def forget(finder):
    """Let go of every module of ours but those of this folder, patched or not.

    What stays is not looked through for garbage again while the next ones run.
    """
    sys.meta_path.remove(finder)
    for name, module in tuple(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "/")
        ours = path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / ".venv")
        if ours and path.parent != HERE:
            del sys.modules[name]
    gc.unfreeze()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    json.dump([run(*each) for each in json.load(sys.stdin)], sys.stdout)
