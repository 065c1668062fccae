"""The error tree is complete: each leaf has a code, statuses, a place in the drawing, a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flightframe_server import errors
from flightframe_server.errors import FlightframeError, Status, leaves

ROOT = Path(__file__).parents[2]
ABSTRACT = {"FlightframeError", "QueryError", "AccessError"}


def every_class() -> list[type[FlightframeError]]:
    found = [FlightframeError]
    for error in found:
        found.extend(error.__subclasses__())
    return [error for error in found if error.__module__ == errors.__name__]


def test_no_class_is_forgotten():
    assert {error.__name__ for error in every_class()} - ABSTRACT == {
        error.__name__ for error in leaves()
    }


@pytest.mark.parametrize("error", leaves(), ids=lambda error: error.__name__)
def test_a_leaf_is_complete(error):
    assert re.fullmatch(r"[A-Z][A-Z_]*", error.code)
    assert error.status in Status
    assert 400 <= error.http_status < 600
    assert error("what is wrong").message == "what is wrong"
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert f"\n## {error.code}\n" in page


def test_no_code_is_used_twice():
    codes = [error.code for error in leaves()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("name", sorted(ABSTRACT))
def test_an_abstract_error_refuses_to_be_raised(name):
    with pytest.raises(TypeError, match="abstract"):
        getattr(errors, name)("x")


@pytest.mark.parametrize("error", every_class(), ids=lambda error: error.__name__)
def test_the_drawing_shows_every_class_under_its_parent(error):
    lines = (errors.__doc__ or "").splitlines()
    drawn = {name: depth for depth, name in map(depth_and_name, lines) if name}
    assert error.__name__ in drawn
    if error is not FlightframeError:
        (parent,) = error.__bases__
        assert drawn[error.__name__] == drawn[parent.__name__] + 4
    if error.code:
        (line,) = (line for line in lines if re.search(rf"\b{error.__name__}\b", line))
        assert re.search(rf"\b{error.code}\b", line)


def depth_and_name(line: str) -> tuple[int, str]:
    found = re.match(r"^( {4}[│├└─ ]*)([A-Z]\w+)( {2,}|$)", line)
    return (len(found[1]), found[2]) if found else (0, "")
