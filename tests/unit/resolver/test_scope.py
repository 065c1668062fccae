"""What a name means: in any case, with a family or a schema before it, or what is near it."""

import pytest
from resolver_shop import scope, typed

from flightframe_server.errors import UnknownName
from flightframe_server.language.syntax import Anchor, Name
from flightframe_server.resolver.scope import column_named


def name(text):
    """A name as it is written, perhaps with dots."""
    return Name(tuple(text.split(".")))


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("store", "store"),
        ("STORE", "store"),
        ("season", "season"),
        # A level of a grain alone.
        ("Sale", "sale"),
        # Its dimension family, or a schema that has it for a column.
        ("location.region", "region"),
        ("Location.Region", "region"),
        ("stores.region", "region"),
        ("claims.region", "region"),
        # A sale reaches its region, and has no column of it.
        ("sales.region", None),
        ("calendar.region", None),
        ("nowhere.region", None),
        ("shop.stores.region", None),
        ("amount", None),
        ("regio", None),
    ],
)
def test_the_level_that_a_name_means(written, level):
    assert scope().level(name(written)) == level


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("regio", "there is no level regio", "did you mean region?"),
        ("zzzz", "there is no level zzzz", None),
        ("sales.region", "there is no level sales.region", "did you mean region?"),
        ("Profit", "Profit is a metric, and a level is wanted here", "there"),
    ],
)
def test_a_name_that_is_no_level(written, message, hint):
    with pytest.raises(UnknownName) as found:
        scope().require_level(name(written), "there")
    assert (found.value.message, found.value.hint) == (message, hint)


def test_an_anchor_is_of_declared_levels_each_once_in_the_order_written():
    anchor = Anchor(tuple(map(name, ("STORE", "day", "location.store", "Day"))))
    assert scope().levels(anchor) == ("store", "day")


@pytest.mark.parametrize(
    ("written", "family"), [("amount", "amount"), ("MARGIN", "margin"), ("store", None)]
)
def test_the_family_that_a_name_means(written, family):
    found = scope().family(written)
    assert (found and found.name) == family


def test_the_schema_that_a_name_means():
    assert scope().schema(name("SALES")) == "sales"
    with pytest.raises(UnknownName) as found:
        scope().schema(name("sale"))
    assert found.value.message == "there is no schema sale"
    assert found.value.hint == "did you mean sales?"


def test_a_name_that_is_neither_is_told_what_is_near_of_both():
    error = scope().unknown_metric(name("mount"))
    assert error.message == "there is no metric or level mount"
    assert {"month", "amount"} <= set(error.hint.rstrip("?").split())


def test_a_column_is_named_in_any_case_and_only_of_its_schema():
    assert column_named(typed(), "sales", name("AMOUNT")).column == "amount"
    with pytest.raises(UnknownName, match="schema stock has no column amount"):
        column_named(typed(), "stock", name("amount"))


def test_a_level_has_the_type_that_the_collection_gives_it():
    assert str(scope().level_term(name("hour")).type) == "integer"
    assert str(scope().level_term(name("quarter")).type) == "date"
