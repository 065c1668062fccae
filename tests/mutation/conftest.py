"""Every selected mutation tried once, in two processes; then the product as it is, on the same."""

import itertools
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
SETTINGS = {"FLIGHTFRAME_PROPERTY_EXAMPLES": "100", "FLIGHTFRAME_PROPERTY_SHRINK": "0"}
SECONDS = 3600


@dataclass(frozen=True)
class Tried:
    """What became of the tests that each mutation should fail, and of all of them unbroken.

    `replayed` are the examples at which mutations failed, for each test.
    """

    mutants: dict
    replayed: dict
    whole: dict


def run(asked, folder):
    """Run what is asked, mutation by mutation, in one process; return what became of each.

    The environment is no continuous integration's, in which hypothesis would go by other seeds.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(HERE / "mutant.py")],
        cwd=ROOT,
        env={**kept, **SETTINGS, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


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
    each = [(slug(mutation), [mutation.caught_by], {}) for mutation in chosen]
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda half: run(half, folder), (each[::2], each[1::2]))
        names_of = (name for half in (each[::2], each[1::2]) for name, _, _ in half)
        mutants = dict(zip(names_of, itertools.chain(*halves), strict=True))
    replayed = {mutation.caught_by: [] for mutation in chosen}
    for mutant in mutants.values():
        for test, blobs in mutant["examples"].items():
            replayed[test] += blobs
    (whole,) = run([("", [*replayed], replayed)], folder)
    return Tried(mutants, replayed, whole)
