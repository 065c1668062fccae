"""What may be told of an entry's filter: the levels and operators, never a value of others."""

import string
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TEXT,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.planner.masked_filters import (
    masked_anchor,
    masked_filter,
    without_values,
)
from flightframe_server.resolver.terms import Apply, Constant, LevelTerm, text

ZONED = DataType(Kind.TIMESTAMP, zone="Europe/Berlin")
NAMES = st.sampled_from(["region", "two words", 'a "quoted" one', "null", "1", "it's"])
LEVELS = NAMES.map(lambda name: LevelTerm(TEXT, name))
VALUES = st.one_of(
    st.text(alphabet=string.printable + "ß€'\"(),…").map(lambda value: Constant(TEXT, value)),
    st.integers(-(10**18), 10**18).map(lambda value: Constant(INTEGER, value)),
    st.decimals(allow_nan=False, allow_infinity=False).map(
        lambda value: Constant(decimal(38, 2), value)
    ),
    st.floats().map(lambda value: Constant(DOUBLE, value)),
    st.dates().map(lambda value: Constant(DATE, value)),
    st.datetimes().map(lambda value: Constant(ZONED, value)),
    st.booleans().map(lambda value: Constant(BOOLEAN, value)),
    st.just(Constant(TEXT, None)),
)
TERMS = st.recursive(
    LEVELS | VALUES,
    lambda inner: st.one_of(
        st.builds(
            lambda name, arguments: Apply(BOOLEAN, name, tuple(arguments)),
            st.sampled_from(["eq", "in", "and", "is_null", "case", "extract"]),
            st.lists(inner, min_size=1, max_size=4),
        ),
        inner.map(lambda only: Apply(decimal(12, 2), "cast", (only,))),
        inner.map(lambda only: Apply(ZONED, "cast", (only,))),
    ),
    max_leaves=8,
)


def blank(term):
    """The same term, every value of which is the integer 7: what it is made of, without values."""
    match term:
        case Constant():
            return Constant(INTEGER, 7)
        case Apply(type=of, function=function, arguments=arguments):
            return Apply(of, function, tuple(map(blank, arguments)))
    return term


@given(TERMS)
def test_a_text_without_values_depends_on_no_value(term):
    assert without_values(text(term)) == without_values(text(blank(term)))


@given(LEVELS, VALUES)
def test_what_is_no_value_is_kept(level, value):
    name = text(level)
    assert without_values(text(Apply(BOOLEAN, "eq", (level, value)))) == f"eq({name},…)"
    cast = Apply(BOOLEAN, "ge", (Apply(decimal(12, 2), "cast", (level,)), value))
    assert without_values(text(cast)) == f"ge(cast({name} as decimal(12,2)),…)"


def test_conditions_of_the_readers_own_are_shown_whole_and_what_looks_the_same_once():
    theirs = ["eq(a,'x')", "ne(b,'one')", "ne(b,'two')"]
    assert masked_filter(theirs, ()) == ("eq(a,…)", "ne(b,…)")
    assert masked_filter(theirs, ["ne(b,'two')"]) == ("eq(a,…)", "ne(b,…)", "ne(b,'two')")
    assert masked_filter(theirs, theirs) == tuple(theirs)


def test_the_expressions_of_an_anchor_are_shown_without_the_values_of_others():
    own = " case(eq(region,'East'),'here','there')"
    other = " case(eq(region,'Secret'),1.5,null)"
    shown = masked_anchor((own, other, "day"), {own})
    assert shown == (own.strip(), "case(eq(region,…),…)", "day")
    assert masked_anchor((own,)) == ("case(eq(region,…),…)",)


def test_numbers_are_values_in_every_spelling():
    for value in (Decimal("-1E+3"), Decimal("0E-10"), Decimal("12.50")):
        shown = text(Apply(BOOLEAN, "gt", (LevelTerm(TEXT, "a"), Constant(decimal(38, 2), value))))
        assert without_values(shown) == "gt(a,…)"
