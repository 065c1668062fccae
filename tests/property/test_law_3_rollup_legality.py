"""Law 3: whatever entry may answer gives the very number; what may not is never read.

Every entry is tried, not only the cheapest that the planner would take.
"""

from dataclasses import replace

import oracle
import pytest
from ac_yaml import model_and_collection
from asked import (
    EXACT,
    OTHER,
    ROUNDED,
    STOCK,
    finer,
    kin,
    members,
    predicates,
    questions,
    reach_of,
)
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from legality import closure, legal, levels_in, pinned
from questions import Question, bare, call
from rig import Rig, same, sum_error
from worlds import shapes, tables

from flightframe_server.composer.rollup import roll_up
from flightframe_server.composer.states import finish
from flightframe_server.language import parse
from flightframe_server.planner.plan import Exact, Rollup
from flightframe_server.planner.rollup import Target, judge
from flightframe_server.planner.route import entry_key
from flightframe_server.planner.source import state_column
from flightframe_server.resolver.resolve import resolve

DERIVED = ("profit", "margin", "width", "typical", "kept", "share")
SIMPLE = tuple(
    term
    for term in (*EXACT, *ROUNDED, *OTHER, *STOCK)
    if (term[0] == "call" and term[1] not in ("AVG", "RANGE"))
    or (term[0] == "bare" and term[1] not in DERIVED)
)
NEVER = ("COUNT_DISTINCT", "MEDIAN", "QUANTILE")


def reducer_of(term):
    """The reducer that a metric stands for, FILTER and snapshots aside."""
    return term[1] if term[0] == "call" else TOTALS.get(term[1], "SUM")


TOTALS = {"sales": "COUNT", "late": "COUNT", "note": "MAX", "seen": "MAX", "moments": "MIN"}
TOTALS |= {"buyers": "COUNT_DISTINCT", "stock_now": "MEDIAN"}
WAYS = {
    "sums": ("SUM",),
    "counts": ("COUNT",),
    "extremes": ("MIN", "MAX"),
    "moments": ("VAR", "STDDEV"),
    "ordered": ("FIRST", "LAST"),
    "kept apart": NEVER,
}
"""Each way in which states combine; a snapshot is kept apart like a median."""


@st.composite
def held_worlds(draw, way):
    """A world, questions of one metric, and others whose entries might answer them."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    pool = tuple(term for term in SIMPLE if reducer_of(term) in WAYS[way])
    target = draw(questions(model, window=False, only=pool, items=1))
    if way == "kept apart":
        target = draw(held_to_one(model, target))
    targets = [target, *(draw(kin(model, target)) for _ in range(2))]
    others = [draw(finer(model, draw(st.sampled_from(targets)))) for _ in range(3)]
    others += [draw(kin(model, target)), draw(otherwise_filtered(model, target))]
    asked = [
        [question for question in found if legal(model, question)] for found in (targets, others)
    ]
    return shape, draw(tables(shape)), *asked


@st.composite
def otherwise_filtered(draw, model, question):
    """The question under another filter, at its own anchor and the levels that it reads."""
    levels = reach_of(model, [term for _, term in question.items])
    where = draw(predicates(levels))
    anchor = (*question.anchor, *sorted(levels_in(where) - set(question.anchor)))
    return replace(question, anchor=anchor, where=where)


@st.composite
def held_to_one(draw, model, question):
    """The question with a level held to one member: its rows are not collapsed over that."""
    levels = reach_of(model, [term for _, term in question.items])
    level = draw(st.sampled_from(levels))
    pin = ("null", ("level", level))
    if draw(st.booleans()):
        pin = ("cmp", "=", ("level", level), ("lit", draw(members(level))))
    where = pin if question.where is None or draw(st.booleans()) else ("and", (pin, question.where))
    return replace(question, where=where)


def target_of(rig, question):
    """What the planner would look for, and the metric of it."""
    snapshot, attested = rig.engine.attested()
    typed, versions = snapshot.typed, snapshot.versions
    resolved = resolve(parse(str(question)), typed)
    (need,) = resolved.needs
    key = entry_key(typed, rig.backend.id, need)
    maps = snapshot.facts.edges
    return Target(need.metric, key, resolved.filter, versions, attested.violations, versions, maps)


def values_from(rig, target, verdict):
    """What an entry says, point by point."""
    table = rig.engine.store.read(verdict.entry)
    if isinstance(verdict, Rollup):
        maps = rig.engine.attested()[0].facts.known_maps
        table = roll_up(table, verdict, target.key.anchor, target.metric, maps)
    states = {name: state_column(name) for name, _ in target.metric.states}
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


@pytest.mark.parametrize("way", WAYS)
@HEAVY
@given(st.data())
def test_law_3_every_entry_that_may_answer_gives_the_number(way, data):
    shape, rows, targets, others = data.draw(held_worlds(way))
    with Rig(shape, rows) as rig:
        for question in (*others, *targets):
            note(f"held: {question}")
            rig.ask(question)
        for question in targets:
            answers_of_entries(rig, question)


CLIMBED = (bare("revenue"), bare("sales"), call("MAX", "revenue"), bare("stock_now"))


@st.composite
def whole_worlds(draw):
    """A world with rows, a metric, and every level that it reaches, each alone and none."""
    shape, term = draw(shapes), draw(st.sampled_from(CLIMBED))
    model, _ = model_and_collection(shape)
    rows = draw(tables(shape).filter(lambda rows: len(rows["tx"]) > 2 and len(rows["inv"]) > 2))
    anchors = [(), *((level,) for level in reach_of(model, [term]))]
    asked = [Question(anchor, (("x", term),)) for anchor in anchors]
    return shape, rows, [question for question in asked if legal(model, question)]


@HEAVY
@given(whole_worlds())
def test_law_3_a_level_is_had_from_another_only_as_the_rows_have_it(given):
    """Every level from every other: no month from weeks, no region of a fact from its store."""
    shape, rows, asked = given
    with Rig(shape, rows) as rig:
        for question in asked:
            rig.ask(question)
        for question in asked:
            note(str(question))
            answers_of_entries(rig, question)


def answers_of_entries(rig, question):
    """Check what each entry says that may answer a question."""
    target = target_of(rig, question)
    frames = oracle.Frames(rig.model, rig.tables, question.where)
    anchor, term = target.key.anchor, question.items[0][1]
    points = frames.points([term], anchor)
    expected = {point: frames.value(term, anchor, point) for point in points}
    error = sum_error(rig.tables)
    for entry in rig.entries():
        if entry.key.group != target.key.group:
            continue
        verdict = judge(rig.engine.typed, target, entry)
        if isinstance(verdict, Exact | Rollup):
            may_be_read(rig, question, target, verdict)
            got = values_from(rig, target, verdict)
            assert set(got) == set(expected), (str(question), entry.key)
            for point, value in expected.items():
                assert same(got[point], value, error), (str(question), entry.key, point)
