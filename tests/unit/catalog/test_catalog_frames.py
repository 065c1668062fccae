"""Saved frames as they are read: what is none is refused at its line, before any data are asked."""

from __future__ import annotations

import pytest

from flightframe_server.catalog import SavedFrame, read_collection
from flightframe_server.catalog.content_hash import content_hash
from flightframe_server.errors import CatalogError
from flightframe_server.language import format_statement

PLAIN = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: store_id, region: region}}
  - {name: sales, grain: [sale], columns: {sale: id, store: store_id, amount: amount}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
"""
FRAMES = PLAIN + "frames:\n"
"""Ends with line 10."""

BY_REGION = "SELECT region, amount AT region"
ONE = f"  - {{name: by_region, query: '{BY_REGION}'}}\n"


def refused(frames: str) -> list[tuple[int, str, str, str | None]]:
    with pytest.raises(CatalogError) as caught:
        read_collection(FRAMES + frames)
    return [(one.line, one.path, one.text, one.advice) for one in caught.value.each()]


def test_a_frame_is_a_question_under_a_name():
    text = (
        FRAMES
        + ONE
        + "  - name: all\n    description: All.\n    query: |\n      SELECT amount AT ()\n"
    )
    frames = read_collection(text).frames
    assert list(frames) == ["by_region", "all"]
    assert format_statement(frames["by_region"].statement) == BY_REGION
    assert (frames["all"].description, frames["all"].query) == ("All.", "SELECT amount AT ()\n")
    assert isinstance(frames["all"], SavedFrame)
    assert (frames["all"].location.path, frames["all"].location.line) == ("frames[1].query", 14)
    assert read_collection(PLAIN).frames == {}


CLASHES = {
    "a schema": ("Stores", "'Stores' and the schema 'stores' on line 4 differ only in case"),
    "a schema, exactly": ("sales", "the frame 'sales' has the name of a schema on line 5"),
    "metrics": ("Metrics", "metrics is the table of all levels and metrics"),
}


@pytest.mark.parametrize(("name", "message"), CLASHES.values(), ids=CLASHES.keys())
def test_a_frame_has_a_name_that_no_other_table_has(name, message):
    ((line, path, told, hint),) = refused(ONE.replace("by_region", name))
    assert (line, path, told) == (11, "frames[0].name", message)
    assert hint in ("give one of them another name", "give the frame another name")


def test_two_frames_have_two_names():
    ((line, path, told, _),) = refused(ONE + ONE)
    assert (line, path) == (12, "frames[1].name")
    assert told == "the frame 'by_region' is declared twice, first on line 11"
    ((_, _, told, _),) = refused(ONE + ONE.replace("by_region", "By_Region"))
    assert told == "'By_Region' and the frame 'by_region' on line 11 differ only in case"


def test_a_level_or_a_metric_may_have_the_name_of_a_frame():
    assert list(read_collection(FRAMES + ONE.replace("by_region", "amount")).frames) == ["amount"]


QUERIES = {
    "EXPLAIN": (
        f"EXPLAIN {BY_REGION}",
        "a saved frame has rows, and EXPLAIN shows a plan",
        "leave out EXPLAIN",
    ),
    "a parameter": (
        "SELECT region, amount WHERE region = ? AT region",
        "a saved frame takes no parameters: ?",
        "write a value in its place",
    ),
    "a named one": (
        "SELECT region, amount WHERE region = $here AT region",
        "a saved frame takes no parameters: $here",
        "write a value in its place",
    ),
    "a list": (
        "SELECT region, amount WHERE region IN $list AT region",
        "a saved frame takes no parameters: $list",
        "write a value in its place",
    ),
    "a count": (
        f"{BY_REGION} LIMIT ?",
        "a saved frame takes no parameters: ?",
        "write a value in its place",
    ),
    "no query": (
        "SELECT region, amount",
        "not a query: a query names its grain",
        "line 1, column 22",
    ),
    "SQL": (
        "SELECT region, SUM(amount) FROM sales GROUP BY region",
        "not a query: ",
        "line 1, column 39",
    ),
}


@pytest.mark.parametrize(("query", "message", "hint"), QUERIES.values(), ids=QUERIES.keys())
def test_a_frame_asks_a_question_of_frame_ql_that_is_whole(query, message, hint):
    ((line, path, told, advice),) = refused(f'  - {{name: a, query: "{query}"}}\n')
    assert (line, path) == (11, "frames[0].query")
    assert told.startswith(message)
    assert hint in (advice or "")


def test_the_place_in_a_text_of_several_lines_is_told():
    ((line, path, told, hint),) = refused(
        "  - name: a\n    query: |\n      SELECT region,\n        amount ATT region\n"
    )
    assert (line, path, told) == (12, "frames[0].query", "not a query: `ATT` means nothing here")
    assert hint is not None
    assert "did you mean AT?; line 2, column 10 of it:\n  amount ATT region\n         ^" in hint


KEYS = {
    "an unknown key": ("  - {name: a, sql: x}\n", "frames[0].sql", "unknown key 'sql'"),
    "no query": ("  - {name: a}\n", "frames[0]", "the key 'query' is missing"),
    "no name": ("  - {query: 'SELECT amount AT ()'}\n", "frames[0]", "the key 'name' is missing"),
    "an empty query": (
        "  - {name: a, query: ''}\n",
        "frames[0].query",
        "the text must not be empty",
    ),
    "no mapping": ("  - a\n", "frames[0]", "expected a mapping, found text"),
}


@pytest.mark.parametrize(("frames", "path", "message"), KEYS.values(), ids=KEYS.keys())
def test_a_frame_has_its_keys_and_no_other(frames, path, message):
    assert (11, path, message) in [told[:3] for told in refused(frames)]


def test_every_mistake_is_told_with_those_of_other_sections():
    broken = FRAMES.replace("column: amount}", "column: amuont}") + ONE.replace("AT region", "")
    with pytest.raises(CatalogError) as caught:
        read_collection(broken)
    assert [one.line for one in caught.value.each()] == [9, 11]


def test_what_a_metric_means_rests_on_no_frame():
    plain, framed = read_collection(PLAIN), read_collection(FRAMES + ONE)
    assert plain.structure_hash == framed.structure_hash
    assert plain.family_hashes == framed.family_hashes
    assert plain.content_hash != framed.content_hash


def test_words_about_a_frame_are_no_content():
    frame = {"name": "a", "query": "SELECT amount AT ()"}
    one = content_hash({"name": "shop", "frames": [frame]})
    assert one == content_hash({"name": "shop", "frames": [{**frame, "description": "All."}]})
    assert one != content_hash({"name": "shop", "frames": [{**frame, "name": "b"}]})
