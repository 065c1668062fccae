"""Law 1: the cache changes nothing. Cold, warm, streamed, evicted: what the definition says."""

import itertools
from dataclasses import replace

import oracle
import pytest
from ac_yaml import model_and_collection
from asked import finer, questions
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from legality import legal
from rig import Rig, check
from worlds import shapes, tables

from flightframe_server.errors import ArithmeticOverflow


@st.composite
def asked_worlds(draw, rounds=3, items=3):
    """A world, and pairs of a question and finer ones that are asked before it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    pairs = []
    for _ in range(draw(st.integers(1, rounds))):
        target = draw(questions(model, items=items))
        first = [draw(finer(model, target)) for _ in range(draw(st.integers(0, 2)))]
        pairs.append(([question for question in first if legal(model, question)], target))
    return shape, draw(tables(shape)), pairs


def asked(rig, question, routes):
    """Ask by each route and check against the definition."""
    try:
        expected = rig.expected(question)
    except oracle.Overflow:
        for route in routes:
            with pytest.raises(ArithmeticOverflow):
                route(question)
        return
    for route in routes:
        check(rig, route(question), question, expected, route.__name__)


@HEAVY
@given(asked_worlds())
def test_law_1_every_route_gives_the_answer_by_definition(given):
    shape, data, pairs = given
    with Rig(shape, data) as rig:
        for first, target in pairs:
            note(str(target))
            asked(rig, target, [rig.cold, rig.streamed])
            for question in first:
                note(f"warm: {question}")
                asked(rig, question, [rig.ask])
            asked(rig, target, [rig.ask, rig.ask])


@st.composite
def cut_worlds(draw):
    """A world, and a question cut down after aggregation to few rows, or to none."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    whole = draw(questions(model, window=False, items=2))
    cut = replace(whole, limit=(draw(st.integers(0, 2)), draw(st.integers(0, 1)), ()))
    if draw(st.booleans()):
        cut = replace(cut, having=("null", ("output", "x0")))
    return shape, draw(tables(shape)), cut, whole


@HEAVY
@given(cut_worlds())
def test_law_1_what_having_and_limit_leave_out_is_in_the_entries(given):
    shape, data, cut, whole = given
    with Rig(shape, data) as rig:
        for question in (cut, whole):
            note(str(question))
            asked(rig, question, [rig.ask])


@HEAVY
@given(asked_worlds(rounds=1, items=2))
def test_law_1_whatever_is_evicted(given):
    """Every subset of up to three entries is taken out of the very same store, and asked again."""
    shape, data, pairs = given
    with Rig(shape, data) as rig:
        for first, target in pairs:
            for question in (*first, target):
                note(str(question))
                asked(rig, question, [rig.ask])
        full = held(rig)
        for size in (1, 2, 3):
            for evicted in itertools.combinations(full, size):
                hold(rig, {key: entry for key, entry in full.items() if key not in evicted})
                note(f"without {evicted}")
                for _, target in pairs:
                    asked(rig, target, [rig.ask])


def held(rig):
    """What the store holds: for each key the table, its version and how it was made."""
    store = rig.engine.store
    return {
        record.key: (store.read(record.as_entry()), record.version, record.lineage)
        for record in store.records()
    }


def hold(rig, wanted):
    """Make the store hold exactly these entries."""
    store = rig.engine.store
    there = {entry.key: entry.entry_id for entry in store.holdings()}
    store.drop(entry_id for key, entry_id in there.items() if key not in wanted)
    for key, (table, version, made) in wanted.items():
        if key not in there:
            store.put(key, table, version, made)
    assert {entry.key for entry in store.holdings()} == set(wanted)
