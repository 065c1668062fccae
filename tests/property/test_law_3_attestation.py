"""Law 3: edges are attested on the data as it is; a broken one withdraws exactly what needs it.

Some keys get a second parent. Brute force says which edges, and which pairs of paths, no longer
tell one member, and who takes them; the rest must go on and be right.
"""

import itertools

import oracle
import pytest
from ac_yaml import model_and_collection
from asked import questions
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from legality import levels_in
from rig import Rig, check
from worlds import shapes, tables

from flightframe_server.errors import ArithmeticOverflow, FDViolation

PARENTS = {"region": ["East", "West", None], "zone": ["Z1", "Z2", None], "category": ["A", "B"]}


@st.composite
def broken_worlds(draw):
    """A world in which some rows of its maps stand twice with another parent, and questions."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    data = draw(tables(shape))
    for edge in model.edges:
        if edge.table is not None and data[edge.table] and draw(st.booleans()):
            row = draw(st.sampled_from(data[edge.table]))
            other = {**row, edge.target: draw(st.sampled_from(PARENTS[edge.target]))}
            data[edge.table] = [*data[edge.table], other]
    return shape, data, [draw(questions(model)) for _ in range(3)]


def broken_edges(model, data):
    """The edges whose map gives some member two parents, NULL counted as one."""
    found = set()
    for edge in model.edges:
        if edge.table is not None:
            pairs = {(row[edge.source], row[edge.target]) for row in data[edge.table]}
            sources = [source for source, _ in pairs if source is not None]
            if len(set(sources)) < len(sources):
                found.add(edge)
    return found


def broken_pairs(model, data, broken):
    """Pairs of levels between which two whole paths lead some member to different ends."""
    found = set()
    frames = oracle.Frames(model, data)
    for source in model.levels:
        ends = {}
        for path in paths(model, source):
            ends.setdefault(path[-1].target, []).append(path)
        members = {
            row[edge.source]
            for edge in model.edges
            if edge.source == source and edge.table is not None
            for row in data[edge.table]
        } - {None}
        for target, several in ends.items():
            whole = [path for path in several if not broken.intersection(path)]
            for one, other in itertools.combinations(whole, 2):
                if any(
                    follow(frames, one, member) != follow(frames, other, member)
                    for member in members
                ):
                    found.add((source, target))
    return found


def paths(model, source):
    """Every path that starts in a level."""
    for edge in model.edges:
        if edge.source == source:
            yield (edge,)
            yield from ((edge, *rest) for rest in paths(model, edge.target))


def follow(frames, path, member):
    """Where a path leads a member."""
    for edge in path:
        member = frames.hop(edge, member)
    return member


def needs_broken(model, data, question):
    """Whether some metric of a question reads a level along what the data breaks."""
    broken = broken_edges(model, data)
    pairs = broken_pairs(model, data, broken)
    frames = oracle.Frames(model, data)
    outputs = dict(question.items)
    terms = [*outputs.values(), *(oracle.resolved(term, outputs) for term, _, _ in question.order)]
    terms += oracle.operands(oracle.resolved(question.having, outputs))
    for term in terms:
        if term[0] == "level":
            continue
        for node, anchor in frames.needs(term, question.anchor):
            schema, read = frames.schema_of(node), {*anchor, *levels_in(question.where)}
            read |= levels_of_its_own(model, node)
            for level in read:
                start, path = oracle.path(model, schema, level)
                visited = [start, *(edge.target for edge in path)]
                if broken.intersection(path) or pairs.intersection(
                    itertools.combinations(visited, 2)
                ):
                    return True
    return False


def levels_of_its_own(model, node):
    """The levels that a reducer reads beside the anchor and WHERE."""
    if node[0] == "rows":
        return set()
    _, reducer, name, _, asked = node
    family = model.families[name]
    found = levels_in(asked) | levels_in(family.filter)
    for declared in family.reducers:
        if declared.operator == reducer:
            found |= set(declared.order_by)
            if declared.snapshot:
                level, _, per = declared.snapshot
                found |= {level, *per}
    return found


@HEAVY
@given(broken_worlds())
def test_law_3_a_broken_edge_withdraws_exactly_what_needs_it(given):
    shape, data, asked = given
    with Rig(shape, data) as rig:
        for question in asked:
            note(str(question))
            refused = needs_broken(rig.model, data, question)
            expected, overflows = None, False
            if not refused:
                try:
                    expected = rig.expected(question)
                except oracle.Overflow:
                    overflows = True
            for route in (rig.cold, rig.streamed, rig.ask, rig.ask):
                if refused or overflows:
                    with pytest.raises(FDViolation if refused else ArithmeticOverflow):
                        check(rig, route(question), question, [], route.__name__)
                else:
                    check(rig, route(question), question, expected, route.__name__)
