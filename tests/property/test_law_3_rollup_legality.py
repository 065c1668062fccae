"""Law 3: whatever entry may answer gives the very number; what may not is never read.

Every entry is tried, not only the cheapest that the planner would take.
"""

import oracle
from ac_yaml import model_and_collection
from asked import EXACT, OTHER, ROUNDED, STOCK, finer, questions
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from legality import closure, legal, levels_in, pinned
from rig import Rig, same
from worlds import shapes, tables

from flightframe_server.composer.rollup import roll_up
from flightframe_server.composer.states import finish
from flightframe_server.language import parse
from flightframe_server.planner.make import entry_key
from flightframe_server.planner.plan import Exact, Rollup
from flightframe_server.planner.rollup import Target, judge
from flightframe_server.planner.source import held_name
from flightframe_server.resolver.resolve import resolve

DERIVED = ("profit", "margin", "width", "typical", "kept", "share")
SIMPLE = tuple(
    term
    for term in (*EXACT, *ROUNDED, *OTHER, *STOCK)
    if (term[0] == "call" and term[1] != "AVG") or (term[0] == "bare" and term[1] not in DERIVED)
)
NEVER = ("COUNT_DISTINCT", "MEDIAN", "QUANTILE")


@st.composite
def held_worlds(draw):
    """A world, a question of one metric, and others whose entries might answer it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    target = draw(questions(model, window=False, only=SIMPLE))
    target = type(target)(target.anchor, target.items[:1], target.where)
    others = [draw(finer(model, target)) for _ in range(3)]
    others = [question for question in others if legal(model, question)]
    return shape, draw(tables(shape)), target, others


def target_of(rig, question):
    """What the planner would look for, and the metric of it."""
    ground = rig.engine.ground()
    resolved = resolve(parse(str(question)), ground.typed)
    ((metric, anchor),) = resolved.needs
    key = entry_key(ground.typed, rig.backend.id, resolved, metric, anchor)
    broken, maps = ground.attested.broken, frozenset(ground.attested.maps)
    return Target(metric, key, resolved.filter, ground.versions, broken, ground.versions, maps)


def values_from(rig, target, verdict):
    """What an entry says, point by point."""
    table = rig.engine.store.read(verdict.entry)
    if isinstance(verdict, Rollup):
        maps = rig.engine.ground().attested.maps
        table = roll_up(table, verdict, target.key.anchor, target.metric, maps)
    states = {name: held_name(name) for name, _ in target.metric.states}
    values = finish(table, states, target.metric)
    points = zip(*(table[level].to_pylist() for level in target.key.anchor), strict=True)
    points = list(points) if target.key.anchor else [()]
    assert len(points) == table.num_rows
    return dict(zip(points, values.to_pylist(), strict=True))


def may_be_read(rig, question, target, verdict):
    """Check by brute force that the rules allow this entry."""
    held, wanted = verdict.entry.key, target.key
    # Its filter is no more than the query's, and what is left of it can be seen in its levels.
    assert set(held.filter) <= set(wanted.filter), (str(question), held)
    reach = closure(rig.model, held.anchor)
    assert set(wanted.anchor) <= reach, (str(question), held)
    if not held.filter and question.where is not None and held != wanted:
        assert levels_in(question.where) <= reach, (str(question), held)
    if target.metric.operator.name in NEVER or target.metric.snapshot is not None:
        pins = pinned(question.where) if question.where is not None else set()
        assert set(wanted.anchor) <= set(held.anchor), (str(question), held)
        assert set(held.anchor) - set(wanted.anchor) <= pins, (str(question), held)


@HEAVY
@given(held_worlds())
def test_law_3_every_entry_that_may_answer_gives_the_number(given):
    shape, data, question, others = given
    with Rig(shape, data) as rig:
        for other in others:
            note(f"held: {other}")
            rig.ask(other)
        target = target_of(rig, question)
        frames = oracle.Frames(rig.model, data, question.where)
        anchor, term = target.key.anchor, question.items[0][1]
        points = frames.points([term], anchor)
        expected = {point: frames.value(term, anchor, point) for point in points}
        for entry in rig.entries():
            if entry.key.shelf != target.key.shelf:
                continue
            verdict = judge(rig.engine.typed, target, entry)
            if isinstance(verdict, Exact | Rollup):
                may_be_read(rig, question, target, verdict)
                got = values_from(rig, target, verdict)
                assert set(got) == set(expected), (str(question), entry.key)
                for point, value in expected.items():
                    assert same(got[point], value), (str(question), entry.key, point)
