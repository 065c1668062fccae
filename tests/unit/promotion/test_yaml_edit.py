"""Hints put into ten files that people wrote: only the stanza changes, letter by letter.

In the files, what is to be put in stands between ⟦ and ⟧; the first comment says what is promoted.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flightframe_server.catalog import read_collection
from flightframe_server.catalog.collection import DerivedMetric
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.engine.warm_up import Hint
from flightframe_server.errors import CatalogError
from flightframe_server.promotion.promote import is_hinted
from flightframe_server.promotion.stanza import Promotion
from flightframe_server.promotion.yaml_edit import with_hints

FILES = sorted((Path(__file__).parent / "edited").glob("*.yaml"))
MARKED = re.compile("⟦(.*?)⟧", re.DOTALL)
PROMOTED = re.compile(r"(\"[^\"]+\"|\w+)@([\w, ]+?)(?= \S+@|$)")

SHOP = """\
version: 1
name: shop
schemas:
  - {name: shops, grain: [shop], columns: {shop: shop, town: town}}
  - {name: sales, grain: [sale], columns: {sale: id, shop: shop, amount: amount}}
dimension_families:
  - {name: place, levels: [shop, town], edges: [{from: shop, to: town, via: shops}]}
metric_families:
"""


def promoted(text: str) -> list[Promotion]:
    line = next(line for line in text.splitlines() if "@" in line)
    found = PROMOTED.findall(line.partition("# ")[2])
    assert found
    return [
        Promotion(family.strip('"'), tuple(anchor.split(",")), "asked often")
        for family, anchor in found
    ]


def texts(path: Path, newline: str = "\n", mark: str = "") -> tuple[str, str, list[Promotion]]:
    """Return a file before and after, and what is promoted in it."""
    written = mark + path.read_text(encoding="utf-8").replace("\n", newline)
    return MARKED.sub("", written), MARKED.sub(r"\1", written), promoted(written)


def test_there_are_ten_files_and_each_is_marked():
    assert len(FILES) == 10
    assert all("⟦" in path.read_text(encoding="utf-8") for path in FILES)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_stanza_changes(path, newline):
    before, after, promotions = texts(path, newline)
    edited = with_hints(before, "ac.yaml", promotions)
    assert edited == after
    old, new = read_collection(before), read_collection(after)
    for promotion in promotions:
        anchors = new.metric_families[promotion.family].meaning.materialize_at
        assert promotion.anchor in anchors
        assert promotion.anchor not in old.metric_families[promotion.family].meaning.materialize_at
    assert old.content_hash == new.content_hash
    # Promoting again changes nothing: a hint that is there is left out.
    hints = [Hint(one.family, tuple(sorted(one.anchor))) for one in promotions]
    assert all(is_hinted(new, hint) and not is_hinted(old, hint) for hint in hints)


def test_a_mark_of_byte_order_stays_where_it_is():
    before, after, promotions = texts(FILES[0], mark="\ufeff")
    assert with_hints(before, "ac.yaml", promotions) == after


REFUSED = {
    "the hint is an alias": """\
  - {name: first, family_root: {schema: sales}, cache_hint: &hint {materialize_at: [[town]]}}
  - {name: amount, family_root: {schema: sales}, cache_hint: *hint}
""",
    "the list is an alias": """\
  - {name: first, family_root: {schema: sales}, cache_hint: {materialize_at: &list [[town]]}}
  - {name: amount, family_root: {schema: sales}, cache_hint: {materialize_at: *list}}
""",
    "another family has the same list": """\
  - {name: amount, family_root: {schema: sales}, cache_hint: {materialize_at: &list [[town]]}}
  - {name: other, family_root: {schema: sales}, cache_hint: {materialize_at: *list}}
""",
    "another family has the same hint": """\
  - name: amount
    family_root: {schema: sales}
    cache_hint: &hint
      materialize_at:
        - [town]
  - {name: other, family_root: {schema: sales}, cache_hint: *hint}
""",
    "the hint is empty": """\
  - name: amount
    family_root: {schema: sales}
    cache_hint:
""",
}


@pytest.mark.parametrize("families", REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_edited_safely_is_refused_with_the_stanza(families):
    promotion = Promotion("amount", ("shop",), "asked often")
    with pytest.raises(CatalogError, match="without touching anything else") as caught:
        with_hints(SHOP + families, "ac.yaml", [promotion])
    assert caught.value.details["stanza"].splitlines() == [
        "# Add to metric_family 'amount' in ac.yaml:",
        "cache_hint:",
        "  materialize_at:",
        "    - [shop]   # asked often",
    ]


def test_what_the_catalog_refuses_is_refused_in_its_words():
    blocked = """\
  - name: stock
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: [place]}]
"""
    with pytest.raises(CatalogError, match="SUM may not aggregate over 'shop' at this anchor"):
        with_hints(SHOP + blocked, "ac.yaml", [Promotion("stock", ("town",))])
    assert "- [shop]" in with_hints(SHOP + blocked, "ac.yaml", [Promotion("stock", ("shop",))])


def test_frames_behind_the_families_stay_as_they_are():
    family = """\
  - name: stock
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM}]
"""
    frames = """\
frames:
  - name: by_town
    query: |
      SELECT town, stock AT town
"""
    before = SHOP + family + frames
    after = with_hints(before, "ac.yaml", [Promotion("stock", ("town",))])
    assert after.endswith(frames)
    assert "- [town]" in after
    assert read_collection(after).frames == read_collection(before).frames != {}


EVERY = [*FILES, Path(__file__).parents[3] / "fixtures" / "retail" / "retail.coframe" / "ac.yaml"]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_whatever_is_promoted_letters_are_put_in_and_none_goes(path):
    """Each family at each level: what the catalog accepts is put in, and taken out is the file."""
    before = MARKED.sub("", path.read_text(encoding="utf-8"))
    collection = read_collection(before)
    accepted = 0
    for family in collection.metric_families.values():
        if isinstance(family.meaning, DerivedMetric):
            continue
        for level in LevelGraph(collection).level_names:
            if (level,) in family.meaning.materialize_at:
                continue
            after = with_hint(before, Promotion(family.name, (level,)))
            if after is None:
                continue
            accepted += 1
            assert without(after, before) == before
    assert accepted


def with_hint(text: str, promotion: Promotion) -> str | None:
    """Return the text with a hint; None where the catalog refuses it: the text is never why."""
    try:
        return with_hints(text, "ac.yaml", [promotion])
    except CatalogError as error:
        if "stanza" in error.details:
            raise
        return None


def without(after: str, before: str) -> str:
    """Return a text without the pieces that another one lacks: one, or a comma and one."""
    begun = alike(before, after)
    ended = alike(before[begun:][::-1], after[begun:][::-1])
    kept = after[:begun] + after[len(after) - ended :]
    if kept == before:
        return kept
    assert after[begun] == ","
    return without(after[:begun] + after[begun + 1 :], before)


def alike(one: str, other: str) -> int:
    """Return how many letters two texts begin with in common."""
    differing = (at for at, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1)
    return next(differing, min(len(one), len(other)))
