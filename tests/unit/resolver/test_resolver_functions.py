"""Do the functions of one row take what they should, give the declared type, refuse the rest?"""

import pytest

from flightframe_server.algebra.functions import CALLED
from flightframe_server.algebra.types import NULL, DataType, Kind
from flightframe_server.catalog.declared_types import read_type
from flightframe_server.errors import QueryError, TypeMismatch, UnknownName
from flightframe_server.language import parse_expression
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import FIELDS, unknown_function
from flightframe_server.resolver.terms import Apply, ColumnTerm, Constant, text
from flightframe_server.resolver.values import Binding

COLUMNS = {
    "i": "integer",
    "d": "decimal(12,3)",
    "w": "decimal(38,10)",
    "x": "double",
    "s": "text",
    "b": "boolean",
    "day": "date",
    "at_": "timestamp",
}
OF_BERLIN = DataType(Kind.TIMESTAMP, zone="Europe/Berlin")


def typed(written, values=None, wanted=None):
    binding = Binding(values if values is not None else {}) if wanted is None else wanted
    columns = {name: ColumnTerm(read_type(named), "t", name) for name, named in COLUMNS.items()}
    columns["instant"] = ColumnTerm(OF_BERLIN, "t", "instant")
    return Typer(lambda node: columns[node.text], binding).term(parse_expression(written))


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("CASE WHEN b THEN i ELSE d END", "decimal(38,3)"),
        ("CASE WHEN b THEN i END", "integer"),
        ("CASE WHEN b THEN d ELSE w END", "decimal(38,10)"),
        ("CASE WHEN b THEN d ELSE x END", "double"),
        ("CASE WHEN b THEN NULL ELSE s END", "text"),
        ("CASE WHEN b THEN day ELSE at_ END", "timestamp"),
        ("CASE i WHEN 1 THEN 'a' WHEN 2.5 THEN 'b' END", "text"),
        ("CASE s WHEN 'x' THEN TRUE END", "boolean"),
        ("CAST(s AS decimal(5,2))", "decimal(5,2)"),
        ("CAST(s AS int64)", "integer"),
        ("CAST(NULL AS date)", "date"),
        ("ROUND(i, -2)", "integer"),
        ("ROUND(i)", "integer"),
        ("ROUND(d)", "decimal(38,0)"),
        ("ROUND(d, 2)", "decimal(38,2)"),
        ("ROUND(d, 3)", "decimal(12,3)"),
        ("ROUND(d, 30)", "decimal(12,3)"),
        ("ROUND(d, -2)", "decimal(38,0)"),
        ("ROUND(x, 2)", "double"),
        ("LOWER(s) || UPPER(s)", "text"),
        ("SUBSTR(s, i, i)", "text"),
        ("s || NULL", "text"),
        ("EXTRACT(year FROM day)", "integer"),
        ("EXTRACT(hour FROM at_)", "integer"),
        ("MAKE_DATE(i, 1, i)", "date"),
        ("COALESCE(i, d, NULL)", "decimal(38,3)"),
        ("NULLIF(d, 0)", "decimal(12,3)"),
        ("ABS(d)", "decimal(12,3)"),
    ],
)
def test_the_type_of_a_function(written, type_):
    assert typed(written).type == read_type(type_)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("CASE WHEN ¦i THEN 1 END", "a condition is wanted here"),
        ("¦CASE WHEN b THEN 1 ELSE 'x' END", "the results of a CASE are of one type"),
        ("CASE i ¦WHEN 'x' THEN 1 END", "'x' is not a integer"),
        ("CASE day ¦WHEN 1 THEN 1 END", "cannot be compared"),
        ("¦CAST(s AS money)", "there is no type 'money'"),
        ("¦CAST(s AS decimal)", "there is no type 'decimal'"),
        ("¦CAST(s AS decimal(39,2))", "there is no type 'decimal(39,2)'"),
        ("¦CAST(x AS text)", "double cannot be cast to text"),
        ("¦CAST(x AS decimal(38,23))", "double cannot be cast to decimal(38,23)"),
        ("¦CAST(i AS date)", "integer cannot be cast to date"),
        ("¦CAST(i AS boolean)", "integer cannot be cast to boolean"),
        ("¦CAST(day AS integer)", "date cannot be cast to integer"),
        ("¦ROUND(s)", "ROUND does not take (text)"),
        ("¦ROUND(d, i)", "ROUND does not take (decimal(12,3), integer)"),
        ("¦ROUND(d, 1.5)", "ROUND does not take (decimal(12,3), decimal(2,1))"),
        ("¦ROUND(d, 39)", "ROUND does not take"),
        ("¦ROUND(x, 23)", "ROUND does not take"),
        ("¦LOWER(i)", "LOWER does not take (integer)"),
        ("¦SUBSTR(s)", "SUBSTR does not take (text)"),
        ("¦SUBSTR(s, d)", "SUBSTR does not take (text, decimal(12,3))"),
        ("¦SUBSTR(s, 1, 2, 3)", "SUBSTR does not take"),
        ("¦MAKE_DATE(i, i)", "MAKE_DATE does not take (integer, integer)"),
        ("¦s || i", "|| joins texts, not integer"),
        ("¦EXTRACT(century FROM day)", "there is no field century"),
        ("¦EXTRACT(hour FROM day)", "a date has no hour"),
        ("¦EXTRACT(year FROM s)", "EXTRACT takes a date or a timestamp"),
        ("¦COALESCE(i, s)", "COALESCE does not take (integer, text)"),
        # What has no zone is no instant.
        ("¦COALESCE(instant, at_)", "COALESCE does not take (timestamp[Europe/Berlin], timestamp)"),
        ("¦CAST(instant AS text)", "timestamp[Europe/Berlin] cannot be cast to text"),
        ("¦NULLIF(i)", "NULLIF does not take (integer)"),
        ("¦ABS(s)", "ABS does not take (text)"),
        ("¦LOWER(DISTINCT s)", "LOWER takes no DISTINCT and no FILTER"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(written, says):
    at = written.index("¦")
    with pytest.raises(TypeMismatch) as caught:
        typed(written.replace("¦", ""))
    assert says in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.start == at


def test_what_is_of_another_type_is_cast_before_it_is_chosen():
    found = typed("CASE WHEN b THEN i ELSE d END")
    assert isinstance(found, Apply)
    assert {argument.type for argument in found.arguments[1:]} == {found.type}
    assert text(found) == "case(t.b,cast(t.i as decimal(38,3)),cast(t.d as decimal(38,3)))"


@pytest.mark.parametrize(
    ("written", "means"),
    [
        # What has the type wanted is left; what is NULL is NULL of the type that is due.
        ("CAST(s AS text)", "t.s"),
        ("ABS(NULL)", "null"),
        ("ROUND(NULL, 2)", "null"),
        ("EXTRACT(year FROM NULL)", "null"),
        # An instant has the hour that the clock of the collection shows.
        ("EXTRACT(hour FROM instant)", "extract('hour',cast(t.instant as timestamp))"),
        # Berlin is an hour ahead of UTC in January.
        (
            "COALESCE(instant, TIMESTAMP '2024-01-01 12:00:00')",
            "coalesce(t.instant,timestamp '2024-01-01 11:00:00+00:00')",
        ),
    ],
)
def test_what_a_function_means(written, means):
    assert text(typed(written)) == means


def test_instants_that_are_chosen_from_are_of_one_zone():
    found = typed("COALESCE(instant, TIMESTAMP '2024-01-01 12:00:00Z')")
    assert {term.type for term in (found, *found.arguments)} == {OF_BERLIN}


def test_the_year_of_nothing_is_an_integer():
    assert typed("EXTRACT(year FROM NULL)").type == read_type("integer")


def test_casts_to_two_types_have_two_texts():
    one, other = typed("CAST(s AS integer)"), typed("CAST(s AS date)")
    assert text(one) != text(other)


def test_a_case_with_an_operand_is_short_for_comparisons():
    short, long = (
        "CASE i WHEN 1 THEN 2 WHEN 3 THEN 4 END",
        "CASE WHEN i = 1 THEN 2 WHEN i = 3 THEN 4 END",
    )
    assert typed(short) == typed(long)


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("LOWER(?)", "text"),
        ("SUBSTR(s, ?)", "integer"),
        ("ROUND(d, ?)", "integer"),
        ("MAKE_DATE(2024, ?, 1)", "integer"),
        ("CAST(? AS date)", "date"),
        ("? || s", "text"),
        ("CASE i WHEN ? THEN 1 END", "integer"),
    ],
)
def test_a_parameter_without_a_value_has_the_type_that_is_due(written, type_):
    binding = Binding(None)
    assert typed(written, wanted=binding).type != NULL
    assert binding.types == {0: read_type(type_)}


def test_a_parameter_gives_the_places_of_round():
    assert typed("ROUND(d, ?)", {0: 1}).type == read_type("decimal(38,1)")
    with pytest.raises(QueryError):
        typed("ROUND(d, ?)", {0: "1"})
    assert isinstance(typed("CAST(? AS date)", {0: None}), Constant)


def test_every_function_says_how_it_is_written():
    for name, function in CALLED.items():
        assert function.form.startswith(f"{name}(")
    assert len(FIELDS) == 12


def test_a_function_that_is_none_is_named_with_its_neighbours():
    error = unknown_function(parse_expression("LOWERCASE(s)"))
    assert isinstance(error, UnknownName)
    assert "LOWER" in (error.hint or "")
