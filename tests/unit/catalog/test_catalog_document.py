"""YAML text to a document: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.catalog import document as document_module
from flightframe_server.catalog.document import NODES_MAX, TEXT_BYTES_MAX, read_document
from flightframe_server.catalog.nodes import to_python
from flightframe_server.errors import CatalogError


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by libyaml, and by PyYAML alone."""
    monkeypatch.setattr(document_module, "LOADER", getattr(yaml, request.param))


def read(text: str) -> Any:
    return to_python(read_document(text, "x.yaml").root)


def refused(text: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        read_document(text, "x.yaml")
    return caught.value


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("'true'", "true"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("-0", 0),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("-0.25", Decimal("-0.25")),
        ("1.5e3", 1500.0),
        ("12E4", "12E4"),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("2024-02-29", datetime.date(2024, 2, 29)),
        ("2024-02-29 12:30:00", datetime.datetime(2024, 2, 29, 12, 30)),
        ("2024-02-29T12:30:00.25", datetime.datetime(2024, 2, 29, 12, 30, 0, 250000)),
        ("2024-02-29T12:30:00Z", "2024-02-29T12:30:00Z"),
        ("2024-2-9", "2024-2-9"),
        ("'2024-02-29'", "2024-02-29"),
        ("|\n  5\n", "5\n"),
        ("=", "="),
    ],
)
def test_what_a_scalar_means(scalar: str, value: object) -> None:
    found = read(f"a: {scalar}")["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_have_the_same_meaning_as_values() -> None:
    assert read("{NO: x, on: y, null: z, 5: i, 2024-01-01: d}") == {
        "NO": "x",
        "on": "y",
        None: "z",
        5: "i",
        datetime.date(2024, 1, 1): "d",
    }


def test_an_alias_stands_for_its_anchor() -> None:
    assert read("a: &x [1, {b: 2}]\nc: *x\nd: &x 3\ne: *x\n") == {
        "a": [1, {"b": 2}],
        "c": [1, {"b": 2}],
        "d": 3,
        "e": 3,
    }


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        ("", 0, "", "empty"),
        ("# only a comment\n", 0, "", "empty"),
        ("- a\n- b\n", 1, "", "must hold a mapping"),
        ("just text", 1, "", "must hold a mapping"),
        ("a: 1\n---\nb: 2\n", 2, "", "second document"),
        ("a: [1\nb: 2\n", 2, "", "not YAML"),
        ("a: 'x\n", 2, "", "not YAML"),
        ("a: 1\nb: \x07\n", 2, "", "control character"),
        ("a: \ud800", 0, "", "half of a character"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "b", "the key c is written twice, first on line 3"),
        ("true: 1\n1: 2\n", 2, "", "the key 1 is written twice"),
        ("a: {b: *c}\n", 1, "a.b", "the alias *c has no anchor"),
        ("a: &x {b: *x}\n", 1, "a.b", "the alias *x has no anchor"),
        ("a:\n  <<: {b: 1}\n", 2, "a", "merge keys"),
        ("a: !!python/object:os.system x\n", 1, "a", "tags are not read"),
        ("a: !!int '5'\n", 1, "a", "tags are not read"),
        ("a: !!set {b}\n", 1, "a", "tags are not read"),
        ("? [a]\n: b\n", 1, "", "a key must be a single value"),
        ("a: 1\nb: [1, 2024-02-30]\n", 2, "b[1]", "no day of the calendar"),
        ("a: 2024-01-01 25:00:00\n", 1, "a", "no day of the calendar"),
        ("a: 9223372036854775808\n", 1, "a", "too large"),
        ("a: " + "9" * 5000, 1, "a", "too large"),
        ("a: 1." + "9" * 40, 1, "a", "too large"),
        ("a: 1.0e999\n", 1, "a", "too large for a double"),
    ],
)
def test_what_is_refused(text: str, line: int, path: str, message: str) -> None:
    error = refused(text)
    assert message in error.message
    assert (error.line, error.path, error.file) == (line, path, "x.yaml")


@pytest.mark.usefixtures("loader")
def test_nesting_is_bounded_before_it_hurts() -> None:
    assert "nested deeper than 64" in refused("a: " + "[" * 100_000).message
    assert "nested deeper than 64" in refused("{a: " * 100_000).message
    assert read("a: " + "[" * 60 + "]" * 60)


@pytest.mark.usefixtures("loader")
def test_aliases_cannot_make_a_small_text_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert f"more than {NODES_MAX} values" in refused("\n".join(lines)).message
    chain = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
    assert "nested deeper" in refused("\n".join(chain)).message


def test_the_text_is_bounded_in_bytes() -> None:
    assert "larger than 4 MiB" in refused("#" + "ü" * (TEXT_BYTES_MAX // 2)).message
    assert read("a: 1\n#" + "x" * (TEXT_BYTES_MAX - 6)) == {"a": 1}


def test_places() -> None:
    document = read_document("a:\n  b:\n    - x\n    - {c: 1}\n  d: >\n    text\n", "x.yaml")
    assert document.location("a", "b").line == 2
    assert document.location("a", "b", 1).line == 4
    assert document.location("a", "b", 1, "c").path == "a.b[1].c"
    assert document.location("a", "d").line == 5
    assert document.find(("a", "b", 7, "zz"))[0] == ("a", "b")


def test_an_error_never_echoes_much() -> None:
    key = "k" * 5000
    error = refused(f"{key}: 1\n{key}: 2\n")
    assert len(error.message) < 200
    assert len(refused(f"{key}: [{{{key}: !x 1}}]\n").path) <= 80


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8),
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text("abcdef_", min_size=1, max_size=4), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), VALUES, max_size=4))
def test_what_is_written_is_read(data: dict[str, Any]) -> None:
    assert read(flow(data)) == data


def flow(value: Any) -> str:
    """Write a value as flow YAML, every text in quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value)
