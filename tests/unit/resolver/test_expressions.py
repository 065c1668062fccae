"""Syntax to terms: what each test means, what it takes, and what a parameter in it is bound as."""

import datetime

import pytest

from flightframe_server.algebra.types import INTEGER, NULL
from flightframe_server.catalog.declared_types import read_type
from flightframe_server.errors import NotSupported, QueryError, UnknownName
from flightframe_server.language import parse_expression
from flightframe_server.language.syntax import Expression, IsIn
from flightframe_server.resolver.comparisons import comparison
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.terms import Apply, ColumnTerm, Constant, text
from flightframe_server.resolver.values import Binding

COLUMNS = {
    **{"i": "integer", "d": "decimal(12,3)", "x": "double", "s": "text", "b": "boolean"},
    **{"day": "date", "at_": "timestamp"},
}
LEAVES = {name: ColumnTerm(read_type(named), "t", name) for name, named in COLUMNS.items()}


def typer(binding=None):
    """A typer over the columns."""
    return Typer(lambda node: LEAVES[node.text], binding or Binding())


def meant(written, *values):
    """The canonical text of what an expression means, without the schema."""
    found = typer(Binding(dict(enumerate(values)))).term(parse_expression(written))
    return text(found).replace("t.", "")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("-i", "negate(i)"),
        ("+i", "i"),
        ("-(i + 1)", "negate(add(i,1))"),
        ("i < 1", "lt(i,1)"),
        ("i >= 1", "ge(i,1)"),
        ("i != 1", "ne(i,1)"),
        # A literal stands on the right, and what it says turns with it.
        ("1 < i", "gt(i,1)"),
        ("1 <= i", "ge(i,1)"),
        ("1 > i", "lt(i,1)"),
        ("1 >= i", "le(i,1)"),
        ("1 = i", "eq(i,1)"),
        ("1 IS DISTINCT FROM i", "distinct(i,1)"),
        ("i IS NOT DISTINCT FROM NULL", "not(distinct(i,null))"),
        ("i BETWEEN 1 AND 3", "and(ge(i,1),le(i,3))"),
        ("i NOT BETWEEN 1 AND 3", "not(and(ge(i,1),le(i,3)))"),
        ("s IS NULL", "is_null(s)"),
        ("s IS NOT NULL", "not(is_null(s))"),
        ("i IN (1, 2, 1)", "in(i,1,2)"),
        ("i NOT IN (1)", "not(in(i,1))"),
        ("s LIKE 'a%'", "like(s,'a%')"),
        ("s NOT LIKE 'a%'", "not(like(s,'a%'))"),
        ("NOT b OR b AND i = 1", "or(not(b),and(b,eq(i,1)))"),
        # A text beside a value of another type is read as one.
        ("i = '42'", "eq(i,42)"),
        ("day = '2024-02-01'", "eq(day,date '2024-02-01')"),
        ("b = 'TRUE'", "eq(b,True)"),
        # A day beside a moment is its midnight.
        ("day < at_", "lt(to_timestamp(day),at_)"),
        ("at_ >= '2024-02-01'", "ge(at_,to_timestamp(date '2024-02-01'))"),
        ("day IN ('2024-02-01')", "in(day,date '2024-02-01')"),
    ],
)
def test_what_an_expression_means(written, means):
    assert meant(written) == means


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("-s", "TYPE", "a sign stands before a number, not a text"),
        ("+day", "TYPE", "a sign stands before a number, not a date"),
        ("i LIKE 'a'", "TYPE", "LIKE takes text, not integer"),
        ("i IN (1, NULL)", "TYPE", "NULL inside an IN list is never equal to anything"),
        ("i IN (1, 'x')", "TYPE", "'x' is not a integer"),
        ("s IN (1)", "TYPE", "text and integer cannot be compared"),
        ("i AND b", "TYPE", "a condition is wanted here, not a integer"),
        ("NOT s", "TYPE", "a condition is wanted here, not a text"),
        ("s = b", "TYPE", "text and boolean cannot be compared"),
    ],
)
def test_what_has_no_meaning(written, code, said):
    with pytest.raises(QueryError) as found:
        meant(written)
    assert found.value.code == code
    assert found.value.message.startswith(said)
    assert found.value.place is not None


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("s = 1", "a text stands in single quotes: '12'"),
        ("day = 1.5", "a date is written DATE '2024-02-01'"),
        ("at_ = x", "a moment is written TIMESTAMP '2024-02-01 12:00:00'"),
        ("b = 1", None),
        ("s = b", None),
    ],
)
def test_a_number_is_told_what_it_was_likely_meant_to_be(written, hint):
    with pytest.raises(QueryError) as found:
        meant(written)
    assert found.value.hint == hint


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("i = ?", "integer"),
        ("? < d", "decimal(12,3)"),
        ("i IN (1, ?)", "integer"),
        ("s LIKE ?", "text"),
        ("i + ?", "integer"),
        ("? * x", "double"),
        ("day BETWEEN '2024-01-01' AND ?", "date"),
        ("b IS DISTINCT FROM ?", "boolean"),
        ("COALESCE(i, ?)", "integer"),
        ("? = NULL", "text"),
    ],
)
def test_a_parameter_without_a_value_has_the_type_of_what_stands_beside_it(written, type_):
    binding = Binding(None)
    typer(binding).term(parse_expression(written))
    assert binding.types == {0: read_type(type_)}


def test_what_a_parameter_without_a_value_is_computed_with_has_the_type_of_a_value():
    found = typer(Binding(None)).term(parse_expression("? + d"))
    unbound = Constant(read_type("decimal(12,3)"), None)
    assert found == Apply(read_type("decimal(38,3)"), "add", (unbound, LEAVES["d"]))


def test_a_parameter_with_a_value_is_the_value():
    assert meant("i + ?", 2) == "add(i,2)"
    assert meant("day = ?", datetime.date(2024, 2, 1)) == "eq(day,date '2024-02-01')"
    with pytest.raises(QueryError, match="NULL inside an IN list"):
        meant("i IN (?)", None)


def test_null_beside_a_value_is_null_of_its_type():
    found = comparison("eq", LEAVES["i"], Constant(NULL, None))
    assert found.arguments[1] == Constant(INTEGER, None)
    unknown = Apply(NULL, "negate", (Constant(NULL, None),))
    assert comparison("eq", LEAVES["i"], unknown).arguments[1] is unknown


def test_a_call_of_a_row_function_is_the_output_of_its_name():
    named = Typer(lambda node: LEAVES[node.text], Binding(), lambda node: LEAVES["x"])
    assert named.term(parse_expression("ABS(i)")) is LEAVES["x"]


def test_a_name_beside_what_means_nothing_is_not_told_of_quotes():
    def leaf(node):
        raise UnknownName(f"there is no level {node.text}")

    with pytest.raises(UnknownName) as found:
        Typer(leaf, Binding()).term(parse_expression("zzz = yyy"))
    assert (found.value.message, found.value.hint) == ("there is no level zzz", None)


def test_a_list_of_computed_values_is_refused():
    one = parse_expression("i")
    with pytest.raises(NotSupported, match="IN takes literals and parameters"):
        typer().term(IsIn(one, (one,)))


def test_every_kind_of_syntax_has_a_meaning():
    with pytest.raises(AssertionError, match="no meaning for Expression"):
        typer().term(Expression())
