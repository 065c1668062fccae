"""Law 9: one meaning, one entry. Another spelling shares it, another question never does."""

import itertools
from dataclasses import replace

from ac_yaml import model_and_collection
from asked import OTHER, ROUNDED, STOCK, predicates, reach_of
from budget import LIGHT
from hypothesis import given
from hypothesis import strategies as st
from legality import legal
from oracle import default_of
from questions import Question, bare, call
from rig import typed_of
from worlds import Shape, shapes

from flightframe_server.language import parse
from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Conditions
from flightframe_server.resolver.resolve import resolve

EAST = ("cmp", "=", ("level", "store"), ("lit", "S1"))
METRICS = (
    *map(bare, ("revenue", "cost", "qty", "sales", "late", "late_revenue", "buyers", "note")),
    *(call(name, "revenue") for name in ("MIN", "MAX", "COUNT", "MEDIAN", "VAR")),
    *(call("QUANTILE", "revenue", q) for q in ("0.25", "0.5", "0.9", "0.90")),
    call("SUM", "revenue", None, EAST),
    call("SUM", "revenue", None, ("not", EAST)),
    call("COUNT", "qty", None, EAST),
    *(call(name, "ends") for name in ("FIRST", "LAST", "MIN")),
    *(term for term in (*ROUNDED, *OTHER) if term[0] == "call" and term[1] not in ("AVG", "RANGE")),
)


def keys(typed, question):
    """The identity of everything that a question would have kept."""
    plan = make_plan(resolve(parse(str(question)), typed), typed, Conditions("memory"))
    return frozenset(part.key for part in plan.parts)


def meaning(model, question):
    """What a question of one metric means, by a canonical form of its own."""
    ((_, term),) = question.items
    if term[0] == "bare":
        term = call(default_of(model.families[term[1]]), term[1])
    _, reducer, family, q, asked = term
    if reducer == "MEDIAN":
        q = None
    return (
        reducer,
        family,
        None if q is None else float(q),
        frozenset(conjuncts(asked)),
        frozenset(question.anchor),
        frozenset(conjuncts(question.where)),
    )


def conjuncts(test):
    """The outermost conjuncts, in one spelling."""
    match test:
        case None:
            return []
        case ("and", parts):
            return [found for part in parts for found in conjuncts(part)]
        case ("between", one, low, high):
            return [("cmp", ">=", one, ("lit", low)), ("cmp", "<=", one, ("lit", high))]
        case ("in", one, values):
            return [("in", one, tuple(dict.fromkeys(map(plain, values))))]
        case ("cmp", operator, one, ("lit", value)):
            return [("cmp", operator, one, ("lit", plain(value)))]
        case ("distinct", one, ("lit", value)):
            return [("distinct", one, ("lit", plain(value)))]
    return [test]


def plain(value):
    """A value with its type: a boolean is no number, 0 and 0.00 may be told apart."""
    return type(value).__name__, str(value)


@st.composite
def many(draw):
    """Several questions of one metric each over one collection."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    levels = reach_of(model, [bare("revenue")])
    anchors = st.lists(st.sampled_from(levels[:6]), max_size=2, unique=True).map(tuple)
    one = st.builds(
        lambda term, anchor, where: Question(anchor, (("x", term),), where),
        st.sampled_from(METRICS),
        anchors,
        st.none() | predicates(levels[:4]),
    )
    found = draw(st.lists(one, min_size=3, max_size=6))
    # And of each some that differ in one thing only.
    for question in tuple(found):
        ((_, term),) = question.items
        twins = [other for other in METRICS if alike(term, other)]
        found += [
            replace(question, items=(("x", draw(st.sampled_from(twins))),)),
            replace(question, anchor=draw(anchors)),
            replace(question, where=draw(st.none() | predicates(levels[:4]))),
        ]
    return shape, found


def alike(one, other):
    """Whether two metrics are of one family, or of one reducer."""
    return set(one[1:3]) & set(other[1:3]) != set()


@LIGHT
@given(many())
def test_law_9_two_questions_share_an_entry_only_if_they_mean_the_same(given):
    shape, asked = given
    model, _ = model_and_collection(shape)
    typed = typed_of(shape)
    found = [(keys(typed, question), meaning(model, question), question) for question in asked]
    for (one, here, first), (other, there, second) in itertools.combinations(found, 2):
        if here == there:
            assert one == other, (str(first), str(second))
        elif one == other:
            assert nested_alike(here, there), (str(first), str(second))


def nested_alike(here, there):
    """Whether two meanings differ only below NOT and OR, where spellings may be merged."""
    return here[:5] == there[:5] and any(
        test[0] in ("not", "or", "and") for test in here[5] | there[5]
    )


MIRROR = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@st.composite
def spelled(draw):
    """A question and another spelling of it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    term = draw(st.sampled_from((*METRICS, *STOCK)))
    levels = reach_of(model, [term])
    anchor = tuple(draw(st.lists(st.sampled_from(levels), max_size=3, unique=True)))
    parts = tuple(draw(st.lists(predicates(levels), min_size=1, max_size=3)))
    question = Question(anchor, (("x", term),), ("and", parts) if len(parts) > 1 else parts[0])
    again = [respelled(part, draw) for part in draw(st.permutations([*parts, parts[0]]))]
    if draw(st.booleans()):
        again = [("and", tuple(again[:1])), *again[1:]] if len(again) > 1 else again
    turned = tuple(draw(st.permutations([*anchor, *anchor[:1]])))
    other = replace(question, where=("and", tuple(again)))
    return shape, question, other, turned


def respelled(test, draw):
    """The same test in other words."""
    match test:
        case ("cmp", operator, one, ("lit", _) as value) if draw(_booleans):
            return ("cmp", MIRROR[operator], value, one)
        case ("between", one, low, high) if draw(_booleans):
            bounds = [("cmp", ">=", one, ("lit", low)), ("cmp", "<=", one, ("lit", high))]
            return ("and", tuple(bounds))
        case ("and", parts):
            return ("and", tuple(reversed(parts)))
    return test


_booleans = st.booleans()


@LIGHT
@given(spelled())
def test_law_9_another_spelling_shares_the_entry(given):
    shape, question, other, turned = given
    model, _ = model_and_collection(shape)
    if not legal(model, question):
        return
    typed = typed_of(shape)
    text = str(other).replace(f"AT ({', '.join(other.anchor)})", f"AT ({', '.join(turned)})")
    one = make_plan(resolve(parse(str(question)), typed), typed, Conditions("memory"))
    two = make_plan(resolve(parse(text), typed), typed, Conditions("memory"))
    assert {part.key for part in one.parts} == {part.key for part in two.parts}, text


def test_law_9_arguments_and_filters_are_part_of_the_meaning():
    typed = typed_of(Shape())
    texts = [
        "SELECT QUANTILE(revenue, 0.5) AS x AT ()",
        "SELECT QUANTILE(revenue, 0.9) AS x AT ()",
        "SELECT MEDIAN(revenue) AS x AT ()",
        "SELECT COUNT(revenue) AS x AT ()",
        "SELECT COUNT(DISTINCT revenue) AS x AT ()",
        "SELECT COUNT(*) AS x FROM tx AT ()",
        "SELECT COUNT(*) AS x FROM inv AT ()",
        "SELECT COUNT(store) AS x FROM tx AT ()",
        "SELECT revenue AS x WHERE store = 'S1' AT ()",
        "SELECT revenue AS x WHERE store = 'S2' AT ()",
        "SELECT SUM(revenue) FILTER (WHERE store = 'S1') AS x AT ()",
        "SELECT revenue AS x WHERE store = 'null' AT ()",
        "SELECT revenue AS x WHERE store IS NULL AT ()",
        "SELECT revenue AS x WHERE rate = 0.1 AT ()",
        "SELECT revenue AS x WHERE store = 'a'' AND ''b' AT ()",
        "SELECT revenue AS x WHERE store = 'a' AND store = 'b' AT ()",
    ]
    found = [keys(typed, text) for text in texts]
    assert len(set(found)) == len(texts)
