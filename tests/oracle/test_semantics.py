"""Does every known trap stand in a test? The register `semantics.yaml`, and what holds it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from oracle_cases import documents

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REGISTER = yaml.safe_load((HERE / "semantics.yaml").read_text())
NODE = re.compile(r"(tests/[\w/]+\.py)::(\w+)(?:\[(.+)\])?")


@cache
def tagged():
    """Return the names of the cases that say they are an entry of the register, by entry."""
    found = {}
    for name, cases in documents().items():
        for case in cases:
            tags = case.get("semantics", [])
            for tag in tags if isinstance(tags, list) else [tags]:
                found.setdefault(tag, []).append(f"{name}: {case['name']}")
    return found


@cache
def functions(path):
    """Return the tests that a file has and that are not skipped, by name, and the file's texts."""
    tree = ast.parse((ROOT / path).read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    names = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and "skip" not in str(list(map(ast.dump, node.decorator_list)))
    }
    return names, texts


def test_the_register_has_every_number():
    numbers = [key for key in REGISTER if isinstance(key, int)]
    assert numbers == list(range(1, 61))
    assert len(REGISTER) >= 60 + 20


@pytest.mark.parametrize("entry", REGISTER)
def test_an_entry_is_held_by_a_case_or_a_test(entry):
    tests = REGISTER[entry].get("tests", [])
    assert tagged().get(entry) or tests
    for node in tests:
        path, name, case = NODE.fullmatch(node).groups()
        names, texts = functions(path)
        assert name in names, node
        assert case is None or case in texts, node


def test_every_tag_is_an_entry():
    assert set(tagged()) <= set(REGISTER)


def test_a_test_that_is_not_there_would_be_noticed():
    names, texts = functions("tests/oracle/test_promises.py")
    assert "test_20_a_store_with_two_regions_withdraws_only_what_needs_the_edge" in names
    assert "test_that_nobody_wrote" not in names
    assert "no such case" not in texts
