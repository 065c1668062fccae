"""Who gives way: the policy against an oracle that removes one file at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.canonical import key_hash, key_text
from flightframe_server.cache.entries import EntryRecord, Lineage
from flightframe_server.cache.eviction import Candidate, Priority, victims
from flightframe_server.cache.manifest import Manifest
from flightframe_server.cache.open_manifest import open_manifest
from flightframe_server.cache.rows import Row
from flightframe_server.planner.identity import EntryGroup, EntryKey

FILES = st.lists(
    st.builds(
        Candidate,
        priority=st.sampled_from([int(priority) for priority in Priority]),
        last_used=st.integers(0, 6).map(float),
        entry_id=st.integers(0, 40).map(lambda number: f"{number:032x}-{number:032x}"),
        bytes=st.integers(1, 50),
    ),
    max_size=12,
    unique_by=lambda file: file.entry_id,
)


def one_at_a_time(held: list[Candidate], excess: int) -> list[str]:
    """The rule, read aloud: while too much is held, the first of the least dear class goes."""
    left, gone = {file.entry_id: file for file in held}, []
    budget = sum(file.bytes for file in held) - excess
    while left and sum(file.bytes for file in left.values()) > budget:
        for priority in ("superseded", "plain", "pinned"):
            number = {"superseded": 0, "plain": 1, "pinned": 2}[priority]
            group = [file for file in left.values() if file.priority == number]
            if group:
                oldest = min(file.last_used for file in group)
                names = [file.entry_id for file in group if file.last_used == oldest]
                gone.append(min(names))
                del left[min(names)]
                break
    return gone


def ids(files: tuple[Candidate, ...]) -> list[str]:
    return [file.entry_id for file in files]


@given(FILES, st.integers(-20, 400))
def test_the_policy_is_the_rule(held, excess):
    assert ids(victims(held, excess)) == one_at_a_time(held, excess)


@given(FILES, st.integers(1, 400))
def test_no_more_than_needed_goes_and_the_dear_stay_longest(held, excess):
    gone = victims(held, excess)
    kept = set(held) - set(gone)
    freed = sum(file.bytes for file in gone)
    assert freed >= excess or not kept
    assert not gone or freed - gone[-1].bytes < excess
    for staying in kept:
        for going in gone:
            assert going.priority <= staying.priority
            if going.priority == staying.priority:
                assert going.last_used <= staying.last_used


def test_what_was_used_last_and_what_a_hint_asks_for_stays():
    old, new = Candidate(1, 10.0, "a", 5), Candidate(1, 20.0, "b", 5)
    hinted = Candidate(2, 1.0, "c", 5)
    assert ids(victims([hinted, new, old], 5)) == ["a"]
    assert ids(victims([hinted, new, old], 6)) == ["a", "b"]
    assert ids(victims([hinted, new, old], 11)) == ["a", "b", "c"]
    assert ids(victims([hinted, new, old], 0)) == []


@given(FILES, st.integers(-20, 200), st.integers(-2, 14))
def test_as_many_entries_go_as_are_too_many(held, excess, surplus):
    gone = victims(held, excess, surplus)
    entries = [file for file in held if file.priority != Priority.SUPERSEDED]
    leaving = [file for file in gone if file.priority != Priority.SUPERSEDED]
    assert len(leaving) >= min(surplus, len(entries))
    # Not one more than bytes or number ask for.
    assert set(ids(victims(held, excess))) <= set(ids(gone))
    assert len(gone) <= len(victims(held, excess)) + max(surplus, 0)


@contextmanager
def manifest_of(held: list[Candidate]) -> Iterator[tuple[Manifest, list[Candidate]]]:
    """A manifest, and the files that were put into it under names and costs of its own."""
    with TemporaryDirectory() as folder:
        manifest, _ = open_manifest(Path(folder), 1.0)
        with manifest.transaction():
            inserted = [insert(manifest, file) for file in held]
        yield manifest, inserted
        manifest.close()


def insert(manifest: Manifest, file: Candidate) -> Candidate:
    group = EntryGroup("c", "duckdb", Domain.METRIC, file.entry_id, Operator("SUM"))
    key = EntryKey(group, ())
    hashed = key_hash(key_text(key))
    record = EntryRecord(
        key=key,
        entry_id=f"{hashed}-{file.entry_id[:32]}",
        rows=1,
        bytes=file.bytes,
        hits=0,
        created=0.0,
        since=0.0,
        last_used=file.last_used,
        pinned=file.priority == Priority.PINNED,
        lineage=Lineage("backend"),
        version=(),
    )
    row = Row(record, b"")
    manifest.insert(row)
    cost = row.cost
    if file.priority == Priority.SUPERSEDED:
        assert manifest.supersede(hashed, file.last_used) is not None
        cost = file.bytes
    return Candidate(file.priority, file.last_used, record.entry_id, cost)


@settings(max_examples=40, deadline=None)
@given(FILES, st.integers(1, 20_000), st.integers(-1, 12))
@pytest.mark.slow
def test_the_manifest_names_enough_of_them(held, excess, surplus):
    with manifest_of(held) as (manifest, inserted):
        entries = sum(file.priority != Priority.SUPERSEDED for file in inserted)
        assert manifest.ledger() == (sum(file.bytes for file in inserted), entries)
        assert manifest.recount() == manifest.ledger()
        assert ids(victims(manifest.candidates(excess), excess)) == one_at_a_time(inserted, excess)
        named = manifest.candidates(excess, surplus)
        assert victims(named, excess, surplus) == victims(inserted, excess, surplus)
