"""Law 2: a fact is in exactly one member of every level, NULL among them; none is lost or doubled.

Judged without the oracle's grouping: whatever the anchor, the members add up to the rows.
"""

import itertools

import oracle
from ac_yaml import model_and_collection
from asked import predicates
from budget import HEAVY
from hypothesis import given
from hypothesis import strategies as st
from legality import closure, own_levels
from questions import Question, bare, call
from rig import Rig, rows_of
from worlds import shapes, tables

ADDED = (
    ("r", bare("revenue")),
    ("q", bare("qty")),
    ("n", bare("sales")),
    ("v", call("COUNT", "qty")),
)


@st.composite
def lookups(draw):
    """A world, a filter, and anchors each determined by the one before it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    reached = sorted(closure(model, own_levels(model, "tx")))
    where = draw(st.none() | predicates(reached))
    anchors = [tuple(draw(st.lists(st.sampled_from(reached), max_size=4, unique=True)))]
    for _ in range(2):
        coarser = sorted(closure(model, anchors[-1]))
        if coarser:
            anchors.append(tuple(draw(st.lists(st.sampled_from(coarser), max_size=3, unique=True))))
    return shape, draw(tables(shape)), where, anchors


def added(rows, width):
    """The columns after the levels, each added up; NULL where all of it is NULL."""
    found = []
    for index in range(width, width + len(ADDED)):
        known = [row[index] for row in rows if row[index] is not None]
        found.append(sum(known) if known else None)
    return found


def totals(model, data, where):
    """The same from the rows alone."""
    rows = oracle.Frames(model, data, where).rows("tx")
    money = [row["revenue"] for row in rows if row["revenue"] is not None]
    counts = [row["qty"] for row in rows if row["qty"] is not None]
    return [sum(money) if money else None, sum(counts) if counts else None, len(rows), len(counts)]


@HEAVY
@given(lookups())
def test_law_2_members_add_up_to_the_rows_and_to_coarser_members_by_every_route(given):
    shape, data, where, anchors = given
    with Rig(shape, data) as rig:
        expected = totals(rig.model, data, where)
        for anchor in [*anchors, ()]:
            question = Question(anchor, ADDED, where)
            for route in (rig.cold, rig.ask, rig.streamed):
                rows = rows_of(route(question))
                points = [row[: len(anchor)] for row in rows]
                assert len(set(points)) == len(points), (route.__name__, str(question))
                got = added(rows, len(anchor))
                if not rows:
                    got = [None, None, 0, 0]
                assert got == expected, (route.__name__, str(question))
        for finer, coarser in itertools.pairwise(anchors):
            both = tuple(dict.fromkeys([*finer, *coarser]))
            shares = {}
            for row in rows_of(rig.ask(Question(both, ADDED, where))):
                at = dict(zip(both, row, strict=False))
                shares.setdefault(tuple(at[level] for level in coarser), []).append(row)
            got = {
                row[: len(coarser)]: list(row[len(coarser) :])
                for row in rows_of(rig.ask(Question(coarser, ADDED, where)))
            }
            wanted = {point: added(rows, len(both)) for point, rows in shares.items()}
            if coarser or data["tx"]:
                assert {point: got[point] for point in wanted} == wanted, str(coarser)
                assert not coarser or set(got) == set(wanted)
