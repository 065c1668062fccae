"""`x @ a` outside a reducer: at each point of the answer, x by definition where that point lies.

Where the rows of a point's schemas come to a level of `a` from the anchor on one way, each of them
says which; where they do not, the question is refused.
"""

from decimal import Context, localcontext

import legality
import oracle
import pytest
from ac_yaml import model_and_collection
from asked import EXACT, STOCK, predicates, reach_of
from budget import HEAVY
from hypothesis import assume, given, note
from hypothesis import strategies as st
from questions import Question, write
from rig import SOURCE, Rig, rows_of, same_rows, sum_error
from worlds import shapes, tables

from flightframe_server.errors import LevelNotInAnchor


@st.composite
def asked_beside(draw):
    """A world, metrics at an anchor, a metric at an anchor of its own, and a filter."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    frames = oracle.Frames(model, {})
    pool = st.sampled_from((*EXACT, *STOCK[:4]))
    terms = tuple(draw(st.lists(pool, min_size=1, max_size=2, unique=True)))
    beside = draw(pool)
    levels = reach_of(model, [*terms, beside])
    assume(levels)
    anchor = tuple(draw(st.lists(st.sampled_from(levels), max_size=3, unique=True)))
    near = sorted(legality.closure(model, anchor) & set(levels))
    own = (
        tuple(sorted(draw(st.lists(st.sampled_from(near), max_size=2, unique=True))))
        if near
        else ()
    )
    where = draw(st.none() | predicates(levels))
    items = tuple((f"x{at}", term) for at, term in enumerate(terms))
    assume(legality.legal(model, Question(anchor, items, where)))
    assume(legality.legal(model, Question(own, (("y", beside),), where)))
    schemas = {frames.schema_of(node) for term in terms for node, _ in frames.needs(term, anchor)}
    return shape, draw(tables(shape)), Question(anchor, items, where), (beside, own, schemas)


def text_of(question, beside, own):
    """The question with the metric beside it."""
    before, _, after = str(question).partition(" WHERE " if question.where else " AT ")
    word = " WHERE " if question.where else " AT "
    return f"{before}, ({write(beside)}) @ ({', '.join(own)}) AS y{word}{after}"


def way(model, schema, anchor, level):
    """The edges from the anchor to a level that the rows of a schema take; None: there are none."""
    if level in anchor:
        return ()
    _, edges = oracle.path(model, schema, level) or (None, ())
    starts = [at for at, edge in enumerate(edges) if edge.source in anchor]
    return edges[starts[-1] :] if starts else None


def located(frames, schemas, anchor, own, point):
    """The point of an anchor of its own that the rows of a point lie in."""
    found = set()
    for schema in schemas:
        for row in frames.rows(schema):
            if tuple(frames.level(schema, row, level) for level in anchor) == point:
                found.add(tuple(frames.level(schema, row, level) for level in own))
    assert len(found) <= 1, "the world breaks its own promise"
    return found.pop() if found else tuple(None for _ in own)


def expected(rig, question, beside, own, schemas):
    """The rows of the answer, in the order of the anchor's levels."""
    frames = oracle.Frames(rig.model, rig.tables, question.where)
    terms = [term for _, term in question.items]
    rows = []
    with localcontext(Context(prec=200)):
        for point in frames.points(terms, question.anchor):
            values = [frames.value(term, question.anchor, point) for term in terms]
            there = located(frames, schemas, question.anchor, own, point)
            rows.append((*point, *values, frames.value(beside, own, there)))
    width = len(question.anchor)
    return sorted(rows, key=lambda row: [oracle.member_key(member) for member in row[:width]])


@HEAVY
@given(asked_beside())
def test_a_value_at_another_anchor_is_told_beside_each_point_by_every_route(given):
    shape, data, question, (beside, own, schemas) = given
    SOURCE.sign = "0"
    with Rig(shape, data) as rig:
        text = text_of(question, beside, own)
        note(text)
        ways = [
            {way(rig.model, schema, question.anchor, level) for schema in schemas} for level in own
        ]
        if any(None in found or len(found) > 1 for found in ways):
            with pytest.raises(LevelNotInAnchor):
                rig.cold(text)
            return
        try:
            wanted = expected(rig, question, beside, own, schemas)
        except oracle.Overflow:
            assume(False)
        warm = str(Question(question.anchor, (*question.items, ("y", beside)), None))
        for route in (rig.cold, rig.streamed, rig.ask, rig.ask):
            same_rows(rows_of(route(text)), wanted, sum_error(data), f"{route.__name__}: {text}")
        if legality.legal(rig.model, Question(question.anchor, (("y", beside),), None)):
            rig.ask(warm)
            same_rows(rows_of(rig.ask(text)), wanted, sum_error(data), f"warm: {text}")
