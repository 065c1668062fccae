"""Names and reducer calls to metrics: what each stands for, and why another stands for nothing."""

import pytest
from resolver_shop import refused, resolved, scope, typed

from flightframe_server.algebra.types import DOUBLE
from flightframe_server.errors import AmbiguousReducer
from flightframe_server.language import parse
from flightframe_server.resolver.metrics import MetricNames, default_operator
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import text
from flightframe_server.resolver.values import Binding


def meant(item, source=None):
    """The canonical text of what an item means, and its type."""
    term = MetricNames(scope(source)).leaf(parse(f"SELECT {item} AS x AT ()").items[0].expression)
    return text(term), str(term.type)


@pytest.mark.parametrize(
    ("item", "means", "type_"),
    [
        # The only reducer, the one marked, the one named as the default, and of rows their count.
        ("amount", "SUM(amount)", "decimal(38,2)"),
        ("AMOUNT", "SUM(amount)", "decimal(38,2)"),
        ("on_hand", "SUM(on_hand)", "integer"),
        ("weight", "divide(SUM(weight),COUNT(weight))", "double"),
        ("visits", "COUNT(visits)", "integer"),
        ("MAX(amount)", "MAX(amount)", "decimal(12,2)"),
        ("MIN(note)", "MIN(note)", "text"),
        ("COUNT(note)", "COUNT(note)", "integer"),
        ("COUNT(DISTINCT note)", "COUNT_DISTINCT(note)", "integer"),
        ("MEDIAN(amount)", "MEDIAN(amount)", "double"),
        ("AVG(amount)", "divide(SUM(amount),COUNT(amount))", "double"),
        # Equal arguments are one metric, however they are written.
        ("QUANTILE(amount, 0.50)", "QUANTILE(amount, 0.5)", "double"),
        ("QUANTILE(amount, 5e-1)", "QUANTILE(amount, 0.5)", "double"),
        ("QUANTILE(amount, 1)", "QUANTILE(amount, 1)", "double"),
        ("LAST(on_hand)", "LAST(on_hand, month)", "integer"),
        ("balance", "SUM(balance, LAST month, store)", "integer"),
        ("eastern", "SUM(eastern where eq(region,'East') and gt(sales.cost,0))", "decimal(38,2)"),
        (
            "SUM(amount) FILTER (WHERE store = 'S' AND day IS NULL)",
            "SUM(amount where eq(store,'S') and is_null(day))",
            "decimal(38,2)",
        ),
        ("profit", "subtract(SUM(amount),SUM(cost))", "decimal(38,2)"),
        ("SUM(amount @ (store, day))", "SUM(SUM(amount) @ (day,store))", "decimal(38,2)"),
        ("AVG(profit @ day)", "AVG(subtract(SUM(amount),SUM(cost)) @ (day))", "double"),
    ],
)
def test_what_an_item_means(item, means, type_):
    assert meant(item) == (means, type_)


@pytest.mark.parametrize(
    ("item", "means"),
    [
        ("COUNT(*)", "COUNT(rows(stock))"),
        ("COUNT(month)", "COUNT(level(stock.month))"),
        ("COUNT(DISTINCT region)", "COUNT_DISTINCT(level(stock.region))"),
    ],
)
def test_rows_are_counted_of_the_schema_that_is_named(item, means):
    assert meant(item, "stock") == (means, "integer")


@pytest.mark.parametrize(
    ("item", "code", "said", "hint"),
    [
        ("cost", "AMBIGUOUS_REDUCER", "cost alone could mean", "write SUM(cost) or MAX(cost)"),
        ("note", "AMBIGUOUS_REDUCER", "note declares no default", "name one, such as MIN, MAX"),
        ("SUM(note)", "REDUCER_NOT_DECLARED", "note does not declare SUM", "it declares none"),
        ("LAST(amount)", "REDUCER_NOT_DECLARED", "amount does not declare LAST", "it declares SUM"),
        # A closed family answers to what it declares, and to no statistic.
        ("MAX(size)", "REDUCER_NOT_DECLARED", "size does not declare MAX", "it declares SUM"),
        ("AVG(size)", "REDUCER_NOT_DECLARED", "size does not declare AVG", "it declares SUM"),
        ("SUM(visits)", "REDUCER_NOT_DECLARED", "visits counts rows and has no values", None),
        ("AVG(visits)", "REDUCER_NOT_DECLARED", "visits counts rows and has no values", None),
        ("SUM(profit)", "REDUCER_NOT_DECLARED", "profit is derived", "name a level after @"),
        ("SUM(store)", "REDUCER_NOT_DECLARED", "SUM takes a metric, and store is a level", None),
        ("SUM(amount + cost)", "REDUCER_NOT_DECLARED", "SUM takes one metric", "declare a comp"),
        # A mean is named as a mean, not as the sum that it is made of.
        ("AVG(note)", "TYPE", "AVG takes a number, and note is text", None),
        ("MEDIAN(note)", "TYPE", "MEDIAN takes a number, and note is text", None),
        ("AVG(MAX(note) @ day)", "TYPE", "AVG takes a number, and MAX(note) is text", None),
        ("SUM(MAX(note) @ day)", "TYPE", "SUM takes a number, and MAX(note) is text", None),
        ("SUM(amount, 1)", "TYPE", "SUM takes 1 argument", None),
        ("QUANTILE(amount)", "TYPE", "QUANTILE takes 2 arguments", None),
        ("QUANTILE(amount, 1.1)", "TYPE", "QUANTILE takes a number from 0 to 1", None),
        ("QUANTILE(amount, -0.1)", "TYPE", "QUANTILE takes a number from 0 to 1", None),
        ("QUANTILE(amount, '0.5')", "TYPE", "QUANTILE takes a number from 0 to 1", None),
        ("QUANTILE(amount, TRUE)", "TYPE", "QUANTILE takes a number from 0 to 1", None),
        ("QUANTILE(amount, NULL)", "TYPE", "QUANTILE takes a number from 0 to 1", None),
        ("QUANTILE(amount, cost)", "AMBIGUOUS_REDUCER", "cost alone could mean", "write SUM(cost)"),
        ("SUM(DISTINCT amount)", "NOT_SUPPORTED", "SUM(DISTINCT x) is refused", "only COUNT"),
        ("SUM(*)", "NOT_SUPPORTED", "SUM(*) has no meaning", None),
        ("PRIOR(amount)", "NOT_SUPPORTED", "PRIOR is reserved", None),
        ("LAST(amount @ day)", "NOT_SUPPORTED", "LAST over an anchor of its own", None),
        ("SUM(1 @ day)", "NOT_SUPPORTED", "an anchor of its own is given to metrics", None),
        ("store + 1", "LEVEL_NOT_IN_ANCHOR", "store is read at each point", "add store to AT"),
        ("region + 1", "TYPE", "+ takes numbers, not text", None),
        (
            "SUM(amount @ day) FILTER (WHERE store = 'S')",
            "NOT_SUPPORTED",
            "a reducer over an anchor of its own takes no FILTER",
            "filter the metric inside",
        ),
        ("amount @ day", "LEVEL_NOT_IN_ANCHOR", "x @ day is one value at each point", "add day to"),
        ("1 @ ()", "NOT_SUPPORTED", "an anchor of its own is given to metrics", None),
        (
            "AVG((amount @ ()) @ day)",
            "NOT_SUPPORTED",
            "an anchor of its own stands inside",
            "a red",
        ),
        ("ABS(*)", "NOT_SUPPORTED", "* stands alone in SELECT or inside COUNT", None),
        (
            "SUM(amount) FILTER (WHERE QUX(store) = 'S')",
            "UNKNOWN_NAME",
            "there is no function QUX",
            None,
        ),
        ("COUNT(*)", "AMBIGUOUS_SCHEMA", "COUNT(*) reads rows, and FROM", "add FROM stores or"),
        ("QUX(amount)", "UNKNOWN_NAME", "there is no function QUX", None),
        ("SUM(amoun)", "UNKNOWN_NAME", "there is no metric or level amoun", "did you mean amount"),
    ],
)
def test_an_item_that_means_nothing(item, code, said, hint):
    error = refused(f"SELECT {item} AS x AT region")
    assert error.code == code
    assert error.message.startswith(said)
    assert error.hint is None if hint is None else error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("query", "code", "said", "hint"),
    [
        ("SELECT amount FROM stock AT region", "UNKNOWN_NAME", "amount has no rows in", "its rows"),
        (
            "SELECT MAX(amount) AS x FROM daily AT region",
            "REDUCER_NOT_DECLARED",
            "daily holds SUM(amount), not MAX",
            "leave FROM out, or name sales",
        ),
    ],
)
def test_a_metric_that_the_named_schema_does_not_hold(query, code, said, hint):
    error = refused(query)
    assert error.code == code
    assert error.message.startswith(said)
    assert error.hint.startswith(hint)


def test_a_sibling_that_is_named_changes_no_metric():
    named, unnamed = (resolved(f"SELECT amount{at} AT day").needs for at in (" FROM daily", ""))
    assert named == unnamed


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), 1.5, True, "0.5"])
def test_a_value_that_is_no_share_is_refused_when_it_is_bound(value):
    """NULL is no share, and stands for none: the median was not asked for."""
    assert refused("SELECT QUANTILE(amount, ?) AS x AT region", value).code == "TYPE"


def test_a_share_that_is_not_bound_yet_is_announced_as_a_double():
    binding = Binding(None)
    resolve(parse("SELECT QUANTILE(amount, ?) AS x AT region"), typed(), binding)
    assert binding.types == {0: DOUBLE}


def test_what_a_formula_is_made_of_is_called_after_the_formula():
    error = refused("SELECT margin AT meter")
    assert error.message.startswith("SUM(amount), which margin is made of, cannot be asked")


def test_the_reducer_that_a_bare_name_means_is_one_or_an_error():
    families = typed().collection.metric_families
    assert default_operator(families["weight"], families["weight"].meaning) == "AVG"
    with pytest.raises(AmbiguousReducer):
        default_operator(families["cost"], families["cost"].meaning)
