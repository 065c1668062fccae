"""Strategies for questions over a model: legal ones by construction, with all the clauses."""

from dataclasses import replace
from decimal import Decimal

import legality
import oracle
from hypothesis import assume
from hypothesis import strategies as st
from questions import Question, bare, call
from worlds import (
    CUSTOMERS,
    DAYS,
    MOMENTS,
    MONTHS,
    PRODUCTS,
    RATES,
    REGIONS,
    STORES,
)

EXACT = (
    *map(bare, ("revenue", "cost", "qty", "weight", "sales", "late", "late_revenue", "buyers")),
    *map(bare, ("profit", "margin", "width", "kept", "typical")),
    *(call(name, "qty") for name in ("COUNT", "MIN", "MAX", "AVG", "RANGE", "COUNT_DISTINCT")),
    *(call(name, "revenue") for name in ("COUNT", "MIN", "MAX", "AVG", "RANGE", "COUNT_DISTINCT")),
    *(call(name, "weight") for name in ("MIN", "MAX", "COUNT")),
    *(call(name, "ends") for name in ("FIRST", "LAST")),
    call("SUM", "revenue", None, ("cmp", "<>", ("level", "store"), ("lit", "S1"))),
    call("COUNT_DISTINCT", "buyers", None, ("null", ("level", "category"))),
    ("nested", "MAX", bare("qty"), ("store",)),
    ("nested", "SUM", bare("sales"), ("month", "product")),
    ("nested", "RANGE", bare("revenue"), ("day",)),
    ("nested", "COUNT", bare("revenue"), ("store",)),
    ("nested", "AVG", ("bin", "-", bare("revenue"), bare("cost")), ("day", "store")),
    ("bin", "+", bare("revenue"), ("lit", 1)),
    ("bin", "*", bare("cost"), ("lit", Decimal("-1.5"))),
    ("bin", "/", bare("revenue"), bare("sales")),
    ("bin", "%", bare("qty"), ("lit", 3)),
    ("bin", "*", bare("revenue"), bare("cost")),
    ("fn", "ABS", (bare("cost"),)),
    ("fn", "SQRT", (bare("sales"),)),
    ("fn", "ROUND", (bare("cost"), ("lit", 1))),
    ("fn", "ROUND", (bare("qty"), ("lit", -1))),
    ("case", ("cmp", ">=", bare("qty"), ("lit", 3)), bare("revenue"), bare("sales")),
    ("case", ("null", bare("revenue")), ("lit", 7), ("bin", "%", bare("qty"), bare("sales"))),
    bare("share"),
    ("fn", "NULLIF", (bare("qty"), ("lit", 3))),
)
ROUNDED = (
    *(call(name, "qty") for name in ("MEDIAN", "VAR", "STDDEV")),
    *(call(name, "revenue") for name in ("MEDIAN", "VAR", "STDDEV")),
    call("QUANTILE", "revenue", "0.25"),
    call("QUANTILE", "qty", "0.9"),
    call("VAR", "weight"),
    call("AVG", "weight"),
    ("nested", "VAR", bare("revenue"), ("store",)),
    ("nested", "MEDIAN", bare("revenue"), ("day",)),
)
OTHER = (
    *map(bare, ("note", "seen", "moments")),
    *(call(name, "note") for name in ("MIN", "COUNT", "COUNT_DISTINCT")),
    *(call(name, "moments") for name in ("MAX", "COUNT_DISTINCT")),
)
STOCK = (
    *map(bare, ("on_hand", "stock_now")),
    *(call(name, "on_hand") for name in ("LAST", "FIRST", "MAX", "AVG", "COUNT")),
    ("nested", "SUM", call("LAST", "on_hand"), ("store",)),
    ("nested", "AVG", bare("on_hand"), ("month",)),
    ("nested", "SUM", ("nested", "MAX", bare("on_hand"), ("store",)), ("month",)),
    ("nested", "MAX", bare("on_hand"), ("month", "store")),
)
ROW_TESTS = (
    lambda node: ("cmp", "=", ("row", "UPPER", node, ()), ("lit", "U1")),
    lambda node: ("in", ("row", "LOWER", node, ()), ("s1", "east", "é_%", "o'x")),
    lambda node: ("cmp", "<", ("row", "SUBSTR", node, (2, 1)), ("lit", "2")),
    lambda node: ("like", ("row", "SUBSTR", node, (0, 3)), "_a"),
    lambda node: ("cmp", ">", ("row", "LENGTH", node, ()), ("lit", 2)),
)
DAY_TESTS = (
    lambda node: ("cmp", ">=", ("row", "EXTRACT", node, ("isodow",)), ("lit", 3)),
    lambda node: ("in", ("row", "EXTRACT", node, ("isoyear",)), (1970, 2024)),
    lambda node: ("between", ("row", "EXTRACT", node, ("week",)), 5, 14),
    lambda node: ("cmp", "=", ("row", "EXTRACT", node, ("month",)), ("lit", 1)),
)
PATTERNS = ["S%", "_1", "%", "%a%", "É%", "É_%", "o'_", "U_", "", "East"]


def members(level):
    """Values to compare a level with."""
    pools = {
        "store": STORES[:5],
        "region": [*REGIONS, "East", "North"],
        "zone": ["Z1", "Z2", "Z9"],
        "coast": ["Atlantic", "Pacific", "Inland"],
        "product": PRODUCTS[:4],
        "category": ["A", "B"],
        "day": DAYS,
        "week": [DAYS[0], DAYS[3]],
        "moment": [*MOMENTS[:4], DAYS[1]],
        "hour": [*MOMENTS[:2], DAYS[2]],
        "month": [*MONTHS, DAYS[0]],
        "quarter": [MONTHS[0], MONTHS[2]],
        "year": [MONTHS[0], DAYS[6]],
        "promo": [True, False],
        "rate": [*RATES[:3], 0, Decimal("0.1")],
        "cust": CUSTOMERS[:4],
        "txn": [1, 2, 5],
    }
    return st.sampled_from(pools[level])


def predicates(levels):
    """Predicates over levels."""
    levels = sorted(set(levels))
    textual = [level for level in levels if level in ("store", "region", "coast", "zone", "cust")]

    def about(level):
        node, values = ("level", level), members(level)
        value = values.map(lambda item: ("lit", item))
        found = [
            st.tuples(st.just("cmp"), st.just("="), st.just(node), value),
            st.tuples(
                st.just("cmp"), st.sampled_from(["<>", "<", "<=", ">", ">="]), st.just(node), value
            ),
            st.tuples(
                st.just("in"), st.just(node), st.lists(values, min_size=1, max_size=3).map(tuple)
            ),
            st.tuples(st.just("between"), st.just(node), values, values),
            st.just(("null", node)),
            st.just(("not", ("null", node))),
            st.tuples(st.just("distinct"), st.just(node), value),
        ]
        if level == "promo":
            found.append(st.just(("is", node)))
        if level in textual:
            found.append(st.tuples(st.just("like"), st.just(node), st.sampled_from(PATTERNS)))
            found.append(st.sampled_from(ROW_TESTS).map(lambda test: test(node)))
        if level in ("day", "week", "month", "moment"):
            found.append(st.sampled_from(DAY_TESTS).map(lambda test: test(node)))
        if level == "day":
            moment = ("lit", MOMENTS[5])
            found.append(st.sampled_from(["<", ">="]).map(lambda op: ("cmp", op, node, moment)))
        return st.one_of(found)

    simple = st.sampled_from(levels).flatmap(about)
    return st.recursive(
        simple,
        lambda part: (
            st.tuples(
                st.sampled_from(["and", "or"]), st.lists(part, min_size=2, max_size=3).map(tuple)
            )
            | st.tuples(st.just("not"), part)
        ),
        max_leaves=3,
    )


def havings(terms):
    """Predicates over metrics that compare exactly."""
    number = st.sampled_from([0, 1, 3, Decimal("0.10"), Decimal("-2.5")]).map(
        lambda value: ("lit", value)
    )
    compare = st.tuples(
        st.just("cmp"), st.sampled_from(["=", "<>", "<", ">="]), st.sampled_from(terms), number
    )
    missing = st.tuples(st.just("null"), st.sampled_from(terms))
    simple = compare | missing
    turned = st.tuples(st.just("not"), simple)
    return simple | st.tuples(st.sampled_from(["and", "or"]), st.tuples(simple, simple | turned))


def reach_of(model, terms):
    """The levels that every metric of some terms reaches, and the schemas they read."""
    frames = oracle.Frames(model, {})
    schemas = {frames.schema_of(node) for term in terms for node, _ in frames.needs(term, ())}
    reached = [
        legality.closure(model, legality.own_levels(model, schema)) for schema in sorted(schemas)
    ]
    return sorted(set.intersection(*reached))


@st.composite
def questions(draw, model, *, window=True, only=None, items=3):
    """One question that the rules allow."""
    pool = only or draw(st.sampled_from([EXACT, EXACT, EXACT + ROUNDED + OTHER, STOCK, MIXED]))
    terms = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=items, unique=True))
    levels = reach_of(model, terms)
    anchor = draw(st.lists(st.sampled_from(levels), max_size=3, unique=True).map(tuple))
    where = draw(st.none() | predicates(levels))
    items = tuple((f"x{index}", term) for index, term in enumerate(terms))
    question = Question(anchor, items, where)
    if window:
        question = draw(windowed(model, question))
    assume(legality.legal(model, question))
    return question


MIXED = (*STOCK[:7], bare("revenue"), bare("sales"), bare("late_revenue"), bare("buyers"))


# Metrics that HAVING and ORDER BY name and SELECT does not: of the same facts, and of others.
ASIDE = st.sampled_from((bare("sales"), bare("qty"), *STOCK[:4], *STOCK[-2:], bare("kept")))


def also_legal(model, question, term):
    """Whether the question may read one more metric."""
    return legality.legal(model, replace(question, order=((term, False, None),)))


@st.composite
def windowed(draw, model, question):
    """The question with HAVING, ORDER BY and LIMIT, each perhaps."""
    items = question.items
    exact = [("output", name) for name, term in items if term in EXACT or term in STOCK]
    numbers = [item for item in exact if dict(items)[item[1]] not in OTHER]
    aside = [
        term for term in draw(st.lists(ASIDE, max_size=2)) if also_legal(model, question, term)
    ]
    numbers += aside
    having = draw(st.none() | havings(numbers)) if numbers else None
    keys = [*exact, *aside, *(("level", level) for level in question.anchor)]
    order = ()
    if keys:
        key = st.tuples(st.sampled_from(keys), st.booleans(), st.sampled_from([None, True, False]))
        order = tuple(draw(st.lists(key, max_size=2)))
    limit = None
    if draw(st.booleans()):
        per = st.just(())
        if question.anchor:
            per = st.lists(st.sampled_from(question.anchor), max_size=1).map(tuple)
        limit = draw(st.tuples(st.integers(0, 3), st.integers(0, 2), per))
    return replace(question, having=having, order=order, limit=limit)


@st.composite
def kin(draw, model, question):
    """A question about other levels of the same dimensions, or under another filter.

    Some can be rolled up to the given one, some only seem to: weeks for months, a place for the
    region that a fact holds itself.
    """
    levels = reach_of(model, [term for _, term in question.items])
    anchor = []
    for level in question.anchor:
        family = model.family_of(level)
        near = [other for other in levels if model.family_of(other) == family]
        # A level that some metric does not reach has no kin; the question is refused as it is.
        anchor.append(draw(st.sampled_from(near or [level])))
    if draw(st.booleans()):
        anchor.append(draw(st.sampled_from(levels)))
    where = draw(st.sampled_from([None, question.where]) | predicates(levels))
    return Question(tuple(dict.fromkeys(anchor)), question.items, where)


@st.composite
def finer(draw, model, question):
    """A question from which the given one might be rolled up: more levels, less filter."""
    levels = reach_of(model, [term for _, term in question.items])
    more = draw(st.lists(st.sampled_from(levels), max_size=2))
    kept = []
    for level in question.anchor:
        sources = [
            edge.source for edge in model.edges if edge.target == level and edge.source in levels
        ]
        kept.append(draw(st.sampled_from([level, *sources])))
    anchor = tuple(dict.fromkeys([*kept, *more]))
    where = question.where
    if where is not None:
        needed = sorted(legality.levels_in(where))
        shape = draw(st.sampled_from(["drop", "drop and hold", "keep", "part"]))
        if shape.startswith("drop"):
            where = None
        if shape == "drop and hold":
            anchor = tuple(dict.fromkeys([*anchor, *needed]))
        if shape == "part" and where[0] == "and":
            where = draw(st.sampled_from(where[1]))
    return Question(anchor, question.items, where)
