"""Law 1: the cache changes nothing. Cold, warm, streamed, evicted: what the definition says."""

import itertools

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
def asked_worlds(draw, rounds=3):
    """A world, and pairs of a question and finer ones that are asked before it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    pairs = []
    for _ in range(draw(st.integers(1, rounds))):
        target = draw(questions(model))
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


@HEAVY
@given(asked_worlds(rounds=2), st.randoms(use_true_random=False))
def test_law_1_whatever_is_evicted(given, random):
    shape, data, pairs = given
    with Rig(shape, data) as rig:
        for first, target in pairs:
            for question in (*first, target):
                asked(rig, question, [rig.ask])
        entries = rig.entries()
        subsets = [subset for size in (1, 2, 3) for subset in itertools.combinations(entries, size)]
        for subset in random.sample(subsets, min(6, len(subsets))):
            rig.engine.store.drop(entry.entry_id for entry in subset)
            for _, target in pairs:
                asked(rig, target, [rig.ask])
