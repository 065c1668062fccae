"""Every selected mutation tried once, two at a time; then the product as it is, on the same."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import MUTATIONS, slug

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = {"FLIGHTFRAME_PROPERTY_EXAMPLES": "150"}
FIRST = {**EXAMPLES, "FLIGHTFRAME_PROPERTY_PHASES": "explicit generate"}
AGAIN = {**EXAMPLES, "FLIGHTFRAME_PROPERTY_PHASES": "explicit reuse"}
SECONDS = 120


@dataclass(frozen=True)
class Tried:
    """What became of the tests that each mutation should fail, and of all of them unbroken."""

    broken: dict
    whole: dict


def run(name, tests, folder, settings):
    """Run tests in a process of their own and return what it says of them.

    The environment is no continuous integration's: hypothesis keeps its examples there, in `folder`
    and chosen by a seed.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, str(HERE / "mutant.py"), name, "--hypothesis-seed=0", *tests]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, **settings, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout), "said": done.stderr}


@pytest.fixture(scope="session")
def tried(request, tmp_path_factory):
    """Try the mutations that this run asks for.

    What a mutation failed at is replayed on the product as it is: it must pass there, or the
    failure was not the mutation's.
    """
    folder = tmp_path_factory.mktemp("examples")
    asked = [getattr(item, "callspec", None) for item in request.session.items]
    names = {spec.id for spec in asked if spec is not None}
    chosen = [mutation for mutation in MUTATIONS if slug(mutation) in names] or list(MUTATIONS)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(
            lambda mutation: run(slug(mutation), [mutation.caught_by], folder, FIRST), chosen
        )
        broken = dict(zip(map(slug, chosen), found, strict=True))
    tests = dict.fromkeys(mutation.caught_by for mutation in chosen)
    return Tried(broken, run("", [*tests], folder, AGAIN))
