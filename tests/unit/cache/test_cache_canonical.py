"""Keys as text: equal exactly where the keys are equal, and back again."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.canonical import (
    key_hash,
    key_text,
    lineage_text,
    read_key,
    read_lineage,
    read_version,
    version_text,
)
from flightframe_server.cache.entries import Lineage
from flightframe_server.planner.identity import EntryGroup, EntryKey

# Few and treacherous: texts that would run together if they were merely joined.
NAMES = st.sampled_from(["", "a", "b", "ab", 'a"', "a,b", "a|b", "é", "\x00", "\ud800", "null"])
TUPLES = st.lists(NAMES, max_size=3).map(tuple)
KEYS = st.builds(
    EntryKey,
    group=st.builds(
        EntryGroup,
        collection=NAMES,
        backend=NAMES,
        domain=st.sampled_from(Domain),
        family=NAMES,
        operator=st.builds(Operator, name=NAMES, arguments=TUPLES),
    ),
    anchor=TUPLES,
    filter=TUPLES,
)


def test_the_text_is_what_it_was_when_the_files_were_written():
    group = EntryGroup("c0", "duckdb", Domain.METRIC, "revenue", Operator("QUANTILE", ("0.9",)))
    key = EntryKey(group, ("day", "région"), ("day >= 3",))
    assert key_text(key) == (
        '{"anchor":["day","r\\u00e9gion"],"arguments":["0.9"],"backend":"duckdb",'
        '"collection":"c0","domain":"METRIC","family":"revenue","filter":["day >= 3"],'
        '"operator":"QUANTILE"}'
    )
    expected = hashlib.blake2b(key_text(key).encode(), digest_size=16).hexdigest()
    assert key_hash(key_text(key)) == expected


@given(KEYS)
def test_a_key_comes_back(key):
    assert read_key(key_text(key)) == key


@given(KEYS, KEYS)
def test_equal_texts_mean_equal_keys(one, other):
    assert (key_text(one) == key_text(other)) == (one == other)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=3).map(tuple))
def test_a_version_comes_back(version):
    assert read_version(version_text(version)) == version


@given(
    st.builds(
        Lineage,
        route=NAMES,
        source_entry=st.none() | NAMES,
        source_anchor=st.none() | TUPLES,
        edges=TUPLES,
    )
)
def test_a_lineage_comes_back(lineage):
    assert read_lineage(lineage_text(lineage)) == lineage


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"domain": "NONE"}', "nonsense"])
def test_foreign_text_is_refused(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_key(text)
