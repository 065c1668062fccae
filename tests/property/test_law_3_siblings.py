"""Law 3: there is one number for each family; a sibling answers only while it is attested equal.

The summary may be what the facts add up to, or lack a row, have one too many, or tell another
number. Whatever it tells, the answer is the root's.
"""

from decimal import Decimal

import pytest
from ac_yaml import model_and_collection
from asked import questions
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from questions import Question, bare, call
from rig import Rig, check
from worlds import DAYS, MONEY, SHAPES, STORES, summary_of, tables

from flightframe_server.errors import SiblingDiffers

SUMMED = (
    bare("revenue"),
    call("COUNT", "revenue"),
    call("AVG", "revenue"),
    call("RANGE", "revenue"),
    ("bin", "-", bare("revenue"), bare("cost")),
    ("nested", "MAX", bare("revenue"), ("store",)),
    call("SUM", "revenue", None, ("cmp", "<>", ("level", "store"), ("lit", "S1"))),
)


@st.composite
def summarised(draw):
    """A world with a summary that is right or wrong, and questions about what it sums up."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape.summary]))
    model, _ = model_and_collection(shape)
    data = draw(tables(shape).filter(lambda data: data["tx"]))
    # Every fact twice more: the summary is the smaller table, and would be read.
    data["tx"] = [{**row, "txn": 3 * row["txn"] + more} for row in data["tx"] for more in (0, 1, 2)]
    daily = [dict(row) for row in summary_of(data["tx"])]
    match draw(st.sampled_from(["right", "right", "a row less", "a row more", "another number"])):
        case "a row less":
            daily.remove(draw(st.sampled_from(daily)))
        case "a row more":
            row = st.tuples(
                st.sampled_from(STORES), st.sampled_from([*DAYS, None]), st.sampled_from(MONEY)
            )
            daily.append(dict(zip(("store", "day", "revenue"), draw(row), strict=True)))
        case "another number":
            row = draw(st.sampled_from(daily))
            row["revenue"] = draw(st.sampled_from([None, Decimal("0.01"), Decimal("10.10")]))
    data["daily"] = daily
    return shape, data, [draw(questions(model, only=SUMMED)) for _ in range(2)]


def totals(rows):
    """What rows tell for each store and day; several rows of one add up."""
    told = {}
    for row in rows:
        told.setdefault((row["store"], row["day"]), []).append(row["revenue"])
    found = {}
    for key, values in told.items():
        known = [value for value in values if value is not None]
        found[key] = sum(known) if known else None
    return found


@HEAVY
@given(summarised())
def test_law_3_a_sibling_answers_only_while_it_is_equal(given):
    shape, data, asked = given
    equal = totals(data["daily"]) == totals(summary_of(data["tx"]))
    with Rig(shape, data) as rig:
        for question in asked:
            note(str(question))
            expected = rig.expected(question)
            for route in (rig.cold, rig.streamed, rig.ask, rig.ask):
                check(rig, route(question), question, expected, route.__name__)
        pinned = Question(("day", "store"), (("x", bare("revenue")),), source="daily")
        for route in (rig.cold, rig.ask):
            if equal:
                check(rig, route(pinned), pinned, rig.expected(pinned), route.__name__)
            else:
                with pytest.raises(SiblingDiffers):
                    route(pinned)
