"""Can the tests fail? Each rule of the product is broken, and the test that holds it goes red."""

from pathlib import Path

import pytest
from mutations import LAWS, MUTATIONS, slug
from patching import Patch, Unpatchable, patched, path_of

README = Path(__file__).parents[1] / "README.md"
# A test that meets a wrong number or a wrong refusal; a mutation that crashes proves nothing.
JUDGED = {"AssertionError", "Failed", "FlightframeError"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=slug)
def test_a_mutation_is_caught(mutation, tried):
    found = tried.mutants[slug(mutation)]
    assert not found["broken"], found["said"]
    assert found["loaded"] == [mutation.patch.module]
    assert list(found["failed"]) == [mutation.caught_by], found["said"]
    assert JUDGED.intersection(*found["failed"].values()), found["said"]


def test_what_caught_them_passes_on_the_product_as_it_is(tried):
    whole = tried.whole
    assert (whole["failed"], whole["broken"], whole["loaded"]) == ({}, [], []), whole["said"]
    assert set(whole["passed"]) == set(tried.replayed)
    # The very examples at which the mutations failed, and at least one for each law.
    assert whole["examples"] == {test: blobs for test, blobs in tried.replayed.items() if blobs}
    for test, blobs in tried.replayed.items():
        assert blobs or not test.startswith("tests/property/"), test


def test_every_law_has_a_mutation():
    assert {mutation.law for mutation in MUTATIONS} == set(LAWS)
    assert len({slug(mutation) for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=slug)
def test_a_patch_fits_the_source(mutation):
    source = path_of(mutation.patch).read_text(encoding="utf-8")
    assert patched(source, mutation.patch) != source


SOURCE = "def one():\n    return 1\n\n\nclass Two:\n    def one(self):\n        return 1 + 1\n"


def test_only_the_named_function_is_patched():
    assert patched(SOURCE, Patch("m", "one", "1", "9")) == SOURCE.replace("1", "9", 1)
    assert "return 9" in patched(SOURCE, Patch("m", "Two.one", "1 + 1", "9"))


@pytest.mark.parametrize(
    ("function", "old", "says"),
    [
        ("two", "1", "there is no m.two"),
        ("Two.two", "1", "there is no m.Two.two"),
        ("one", "2", "stands 0 times in m.one"),
        ("Two.one", "1", "stands 2 times in m.Two.one"),
    ],
)
def test_a_patch_that_no_longer_fits_fails_loudly(function, old, says):
    with pytest.raises(Unpatchable, match=says):
        patched(SOURCE, Patch("m", function, old, "9"))


def test_the_readme_lists_the_mutations():
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if "::test_" in line]
    assert rows == [row(mutation) for mutation in MUTATIONS]


def row(mutation):
    """A mutation as a row of the table in README.md."""
    test = mutation.caught_by.removeprefix("tests/")
    return f"| {mutation.name} | {mutation.law} {LAWS[mutation.law]} | `{test}` |"
