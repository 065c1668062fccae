"""Who gives way: the policy against an oracle that removes one file at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.cache.entries import EntryRecord, Made
from flightframe_server.cache.eviction import Candidate, Standing, victims
from flightframe_server.cache.manifest import Manifest, Row
from flightframe_server.cache.opening import open_manifest
from flightframe_server.planner.identity import Domain, EntryKey, Operator, Shelf

FILES = st.lists(
    st.builds(
        Candidate,
        standing=st.sampled_from([int(standing) for standing in Standing]),
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
        for standing in ("superseded", "plain", "pinned"):
            number = {"superseded": 0, "plain": 1, "pinned": 2}[standing]
            group = [file for file in left.values() if file.standing == number]
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
            assert going.standing <= staying.standing
            if going.standing == staying.standing:
                assert going.last_used <= staying.last_used


def test_what_was_used_last_and_what_a_hint_asks_for_stays():
    old, new = Candidate(1, 10.0, "a", 5), Candidate(1, 20.0, "b", 5)
    hinted = Candidate(2, 1.0, "c", 5)
    assert ids(victims([hinted, new, old], 5)) == ["a"]
    assert ids(victims([hinted, new, old], 6)) == ["a", "b"]
    assert ids(victims([hinted, new, old], 11)) == ["a", "b", "c"]
    assert ids(victims([hinted, new, old], 0)) == []


@contextmanager
def manifest_of(held: list[Candidate]) -> Iterator[Manifest]:
    with TemporaryDirectory() as folder:
        manifest = open_manifest(Path(folder), 1.0)
        with manifest.transaction():
            for file in held:
                insert(manifest, file)
        yield manifest
        manifest.close()


def insert(manifest: Manifest, file: Candidate) -> None:
    shelf = Shelf("c", "duckdb", Domain.METRIC, file.entry_id, Operator("SUM"))
    record = EntryRecord(
        key=EntryKey(shelf, ()),
        entry_id=file.entry_id,
        rows=1,
        bytes=file.bytes,
        hits=0,
        created=0.0,
        since=0.0,
        last_used=file.last_used,
        pinned=file.standing == Standing.PINNED,
        made=Made("backend"),
        version=(),
    )
    manifest.insert(Row(record, b""))
    if file.standing == Standing.SUPERSEDED:
        key = '{"anchor":[],"arguments":[],"backend":"duckdb","collection":"c","domain":"METRIC",'
        key += f'"family":"{file.entry_id}","filter":[],"operator":"SUM"}}'
        assert manifest.supersede(key, file.last_used) is not None


@settings(max_examples=40, deadline=None)
@given(FILES, st.integers(1, 400))
def test_the_manifest_names_enough_of_them(held, excess):
    with manifest_of(held) as manifest:
        assert manifest.total() == sum(file.bytes for file in held)
        assert ids(victims(manifest.candidates(excess), excess)) == one_at_a_time(held, excess)
