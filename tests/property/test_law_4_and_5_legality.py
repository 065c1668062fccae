"""Laws 4 and 5: what may be asked is decided by the rules alone, by brute force here.

No data is read: the same question is refused or not whatever is in the tables or in the cache.
"""

import oracle
import pytest
from ac_yaml import model_and_collection
from asked import STOCK, finer, predicates, questions, reach_of
from budget import HEAVY, LIGHT
from hypothesis import given, note
from hypothesis import strategies as st
from legality import legal
from questions import Question, call, families_of
from rig import Rig, check, typed_of
from worlds import Shape, shapes, tables

from flightframe_server.errors import BlockedReduction, NotFiner
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve

NESTED = (
    *(
        ("nested", outer, inner, anchor)
        for outer in ("SUM", "AVG", "RANGE", "MAX")
        for inner in (
            call("SUM", "on_hand"),
            call("LAST", "on_hand"),
            call("COUNT", "on_hand"),
            ("nested", "MAX", call("SUM", "on_hand"), ("month",)),
            ("nested", "SUM", call("LAST", "on_hand"), ("store", "month")),
            ("bin", "-", call("SUM", "on_hand"), call("MIN", "on_hand")),
        )
        for anchor in (("month",), ("store",), ("quarter", "store"), ("region", "month"))
    ),
)
REFUSALS = (BlockedReduction, NotFiner)
ORDERED = (call("LAST", "on_hand"), call("FIRST", "on_hand"), call("LAST", "ends"))


@st.composite
def any_questions(draw, pool):
    """A question that may be illegal."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    terms = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=2, unique=True))
    levels = reach_of(model, terms)
    anchor = tuple(draw(st.lists(st.sampled_from(levels), max_size=3, unique=True)))
    where = draw(st.none() | predicates(levels))
    items = tuple((f"x{index}", term) for index, term in enumerate(terms))
    return shape, Question(anchor, items, where)


def judged(shape, question):
    """Whether the product allows a question; only the rules of reduction may refuse it."""
    try:
        resolve(parse(str(question)), typed_of(shape))
    except REFUSALS:
        return False
    return True


@LIGHT
@given(any_questions(STOCK))
def test_law_4_a_block_is_what_the_rule_says(given):
    shape, question = given
    model, _ = model_and_collection(shape)
    assert judged(shape, question) == legal(model, question), str(question)


@LIGHT
@given(any_questions(NESTED))
def test_law_4_no_nesting_evades_a_block(given):
    shape, question = given
    model, _ = model_and_collection(shape)
    assert judged(shape, question) == legal(model, question), str(question)


@LIGHT
@given(any_questions(ORDERED))
def test_law_5_first_and_last_need_an_order_without_ties(given):
    shape, question = given
    model, _ = model_and_collection(shape)
    assert judged(shape, question) == legal(model, question), str(question)


@HEAVY
@given(any_questions((*STOCK, *NESTED, *ORDERED)), st.data())
def test_law_4_and_5_what_is_allowed_is_right_and_stays_allowed_with_a_cache(given, data):
    shape, question = given
    model, _ = model_and_collection(shape)
    with Rig(shape, data.draw(tables(shape))) as rig:
        note(str(question))
        for route in (rig.cold, rig.ask, rig.ask):
            if legal(model, question):
                check(rig, route(question), question, rig.expected(question), route.__name__)
            else:
                with pytest.raises(REFUSALS):
                    route(question)


@st.composite
def ordered_worlds(draw):
    """A world, and a question of the first or the last that the rules allow, and finer ones."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    target = draw(questions(model, only=ORDERED, items=2))
    first = draw(finer(model, target))
    return shape, draw(tables(shape)), [first, target] if legal(model, first) else [target]


@HEAVY
@given(ordered_worlds())
def test_law_5_the_row_at_the_first_or_last_key_is_the_answer(given):
    """Rows whose key holds a NULL are passed by; a NULL value at the key is the answer."""
    shape, data, asked = given
    with Rig(shape, data) as rig:
        for question in asked:
            note(str(question))
            for route in (rig.cold, rig.streamed, rig.ask, rig.ask):
                check(rig, route(question), question, rig.expected(question), route.__name__)


def test_law_4_the_brute_force_knows_the_cases_that_were_reckoned_by_hand():
    model, _ = model_and_collection(shapes_default())
    stock = (("x", call("SUM", "on_hand")),)
    assert not legal(model, Question(("store",), stock))
    assert not legal(model, Question(("quarter",), stock))
    assert legal(model, Question(("region", "month"), stock))
    january = ("cmp", "=", ("level", "month"), ("lit", oracle.datetime.date(2024, 1, 1)))
    assert legal(model, Question(("region",), stock, january))
    assert not legal(model, Question(("region",), (("x", ORDERED[0]),)))
    assert legal(model, Question(("store",), (("x", ORDERED[0]),)))


def shapes_default():
    """The plainest shape: stock does not add up over the calendar."""
    assert families_of(Shape())["on_hand"].reducers[0].a_block == ("calendar",)
    return Shape()
