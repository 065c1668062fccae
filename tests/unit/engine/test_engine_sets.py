"""Sets of engines: pinned by questions, replaced as one, closed with the last question."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flightframe_server.engine.engine_sets import EngineSets
from flightframe_server.runtime import Runtime


@contextmanager
def in_use(sets):
    """Use the current set for as long as the block lasts."""
    used = sets.begin()
    try:
        yield used.engines
    finally:
        sets.end(used)


class Store:
    """A store that counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0


class Engine:
    """An engine on a store."""

    def __init__(self, root: str, store: Store | None) -> None:
        self.root, self.store = Path(root), store

    def close(self) -> None:
        if self.store is not None:
            self.store.closed += 1


@pytest.fixture
def stores():
    return Store(), Store()


def test_a_set_in_use_is_closed_with_its_last_question(stores):
    one, two = stores
    sets = EngineSets({"a": Engine("a", one)})
    with in_use(sets) as first, in_use(sets) as second:
        sets.replace({"b": Engine("b", two)})
        assert first is second
        assert (one.closed, sets.former) == (0, 1)
        with in_use(sets) as third:
            assert list(third) == ["b"]
        assert one.closed == 0
    assert (one.closed, two.closed, sets.former) == (1, 0, 0)


def test_a_set_that_is_not_used_is_closed_at_once(stores):
    one, two = stores
    sets = EngineSets({"a": Engine("a", one)})
    sets.replace({"b": Engine("b", two)})
    assert (one.closed, sets.former) == (1, 0)


def test_a_store_stays_open_while_any_engine_is_on_it(stores):
    one, two = stores
    sets = EngineSets({"a": Engine("a", one), "b": Engine("b", two)})
    with in_use(sets):
        sets.replace({"a": Engine("a", one)})
        sets.replace({})
        assert sets.store_at(Path("a")) is one
        assert sets.store_at(Path("b")) is two
        assert (one.closed, two.closed) == (0, 0)
    assert sets.store_at(Path("a")) is None
    assert (one.closed, two.closed) == (1, 1)


def test_an_engine_that_serves_on_is_not_closed(stores):
    one, two = stores
    kept = Engine("a", one)
    sets = EngineSets({"a": kept, "b": Engine("b", two)})
    sets.replace({"a": kept})
    assert (one.closed, two.closed) == (0, 1)


def test_a_question_that_fails_uses_its_set_no_more(stores):
    one, _ = stores
    sets = EngineSets({"a": Engine("a", one)})
    with suppress(ZeroDivisionError), in_use(sets):
        sets.replace({})
        raise ZeroDivisionError
    assert (one.closed, sets.former) == (1, 0)


def test_a_pinned_runtime_shows_one_set_and_pins_no_other():
    before, after = {"a": Engine("a", None)}, {"b": Engine("b", None)}
    runtime = Runtime("test", before)
    with runtime.pinned() as pinned:
        runtime.sets.replace(after)
        assert pinned.engines is before
        assert runtime.engines is after
        with pinned.pinned() as again:
            assert again is pinned
        assert (pinned.statements, pinned.results) == (runtime.statements, runtime.results)
        assert pinned.query_log is runtime.query_log
    with runtime.pinned() as pinned:
        assert pinned.engines is after
