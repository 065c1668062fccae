"""A statement to a question: its columns, its order, its window, the members that it lists."""

import pytest
from resolver_shop import refused, resolved, typed

from flightframe_server.algebra.types import INTEGER
from flightframe_server.language import parse
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.question import Window
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import text
from flightframe_server.resolver.values import Binding


def names(query):
    """The names of the columns of an answer."""
    return [column.name for column in resolved(query).columns]


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT amount AT (region, day)", ["region", "day", "amount"]),
        ("SELECT amount, DAY AS d, region AT (region, day)", ["amount", "d", "region"]),
        ("SELECT amount AT ()", ["amount"]),
        ("SELECT sum( amount ) AT region", ["region", "sum(amount)"]),
        ("SELECT AMOUNT AT region", ["region", "amount"]),
    ],
)
def test_levels_come_first_unless_they_are_selected(query, columns):
    assert names(query) == columns


@pytest.mark.parametrize(
    ("anchor", "metrics"),
    [
        # Stock may not be summed over months, sizes not over stores, and no meter has a region;
        # cost and note have no reducer of their own.
        ("region", ["amount", "eastern", "balance", "weight", "visits", "profit", "margin"]),
        ("meter, hour", ["level"]),
        ("tag", []),
    ],
)
def test_a_star_is_what_is_legal_at_the_anchor(anchor, metrics):
    levels = anchor.split(", ")
    if metrics:
        assert names(f"SELECT * AT ({anchor})") == levels + metrics
    else:
        assert names(f"SELECT * AT ({anchor})") == levels


def test_a_star_is_what_is_legal_under_the_filter():
    """A month that is pinned leaves nothing to sum over."""
    assert "on_hand" in names("SELECT * WHERE month = '2024-01-01' AT region")
    assert "on_hand" not in names("SELECT * WHERE month > '2024-01-01' AT region")


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        (
            "SELECT region, amount AT (region, day)",
            "LEVEL_NOT_SELECTED",
            "the anchor has day, and SELECT lists other levels but not that one",
        ),
        (
            "SELECT store, amount AT region",
            "LEVEL_NOT_IN_ANCHOR",
            "store is selected but not in the anchor",
        ),
        ("SELECT 1 + 1 AS two AT region", "NOT_SUPPORTED", "an item is a level, or an expressio"),
        (
            "SELECT amount, MAX(amount) AS Amount AT region",
            "AMBIGUOUS_METRIC",
            "two columns are named Amount",
        ),
        ("SELECT amount WHERE FOO(region) = 'x' AT day", "UNKNOWN_NAME", "there is no function FO"),
        ("SELECT amount AS a WHERE regio = 'x' AT day", "UNKNOWN_NAME", "there is no level regio"),
        ("SELECT amount WHERE region + 1 = 2 AT day", "TYPE", "+ takes numbers, not text"),
        ("SELECT amount AT region ORDER BY 'x'", "TYPE", "ORDER BY takes a column or an express"),
        ("SELECT amount AT region HAVING amount", "TYPE", "a condition is wanted here, not a dec"),
    ],
)
def test_a_statement_without_a_meaning(query, code, said):
    error = refused(query)
    assert error.code == code
    assert error.message.startswith(said)


def test_an_output_stands_before_a_metric_of_its_name():
    """Also where the output has the text of another reducer for its name."""
    found = resolved(
        'SELECT MAX(cost) AS "SUM(cost)", MAX(amount) AS amount, region AS r AT region'
        " HAVING SUM(cost) > 1 ORDER BY AMOUNT DESC NULLS FIRST, region, r, MIN(cost)"
    )
    assert text(found.having) == "gt(MAX(cost),1)"
    assert [text(key.term) for key in found.ordering] == [
        "MAX(amount)",
        "region",
        "region",
        "MIN(cost)",
    ]
    assert [(key.descending, key.nulls_first) for key in found.ordering[:2]] == [
        (True, True),
        (False, False),
    ]


def test_an_output_with_the_text_of_a_row_function_is_what_it_is_selected_as():
    found = resolved('SELECT amount AS "ABS(amount)" AT region ORDER BY ABS(amount)')
    assert text(found.ordering[0].term) == "SUM(amount)"


@pytest.mark.parametrize(
    ("limit", "values", "window"),
    [
        ("LIMIT 3", (), Window(3, 0, ())),
        ("LIMIT 0 OFFSET 2", (), Window(0, 2, ())),
        ("LIMIT ? OFFSET ?", (5, 7), Window(5, 7, ())),
        ("LIMIT 2 PER region", (), Window(2, 0, ("region",))),
        ("LIMIT 2 OFFSET 1 PER (Day, region)", (), Window(2, 1, ("day", "region"))),
    ],
)
def test_the_rows_that_a_limit_leaves(limit, values, window):
    found = resolved(f"SELECT amount AT (region, day) ORDER BY amount {limit}", *values)
    assert found.window == window


@pytest.mark.parametrize("value", [None, -1, 1.0, "1", True])
def test_a_limit_is_a_whole_number_from_0(value):
    error = refused("SELECT amount AT region LIMIT ?", value)
    assert (error.code, error.message) == ("TYPE", "LIMIT and OFFSET take whole numbers from 0")


def test_a_limit_that_is_not_bound_yet_is_announced_as_an_integer():
    binding = Binding(None)
    resolve(parse("SELECT amount AT region LIMIT ? OFFSET ?"), typed(), binding)
    assert binding.types == {0: INTEGER, 1: INTEGER}


def test_a_limit_counts_within_levels_of_the_anchor():
    error = refused("SELECT amount AT region ORDER BY amount LIMIT 1 PER day")
    assert error.code == "LEVEL_NOT_IN_ANCHOR"
    assert error.message == "PER names day, which is not in the anchor"


@pytest.mark.parametrize(
    ("query", "schemas"),
    [
        ("SELECT store AT store", "stores tags sales daily stock claims visits"),
        ("SELECT tag, store AT (tag, store)", "tags"),
        ("SELECT tag FROM tags AT tag", "tags"),
        ("SELECT region FROM SALES AT region", "sales"),
        ("SELECT region AT region", "stores tags sales daily stock claims visits"),
        # What cannot be filtered so has no members that pass.
        ("SELECT region AT region WHERE month = '2024-01-01'", "sales daily stock visits"),
        ("SELECT region AT region ORDER BY amount", "stores tags sales daily stock claims visits"),
        ("SELECT UPPER(region) AS r AT region", "stores tags sales daily stock claims visits"),
        ("SELECT hour AT hour", "readings"),
        ("SELECT amount AT store", ""),
        ("SELECT MIN(day) AS d AT store", ""),
    ],
)
def test_levels_alone_are_the_members_of_every_schema_that_reaches_them(query, schemas):
    assert resolved(query).members_of == tuple(schemas.split())


@pytest.mark.parametrize(
    ("query", "schemas"),
    [
        ("SELECT MIN(day) AS x AT ()", "sales daily visits"),
        ("SELECT MIN(store) AS x AT ()", "stores tags sales daily stock claims visits"),
        ("SELECT MAX(store) AS x AT month", "sales daily stock visits"),
        ("SELECT MAX(store) AS x AT () WHERE month > '2024-01-01'", "sales daily stock visits"),
        ("SELECT MAX(store) FILTER (WHERE tag = 'x') AS x AT ()", "tags"),
        ("SELECT MAX(store) AS x FROM daily AT ()", "daily"),
        ("SELECT margin, MAX(store) AS x AT ()", "sales"),
        ("SELECT on_hand, MAX(day) AS x AT month", "FAN_OUT"),
        ("SELECT *, MAX(store) AS x AT month", "AMBIGUOUS_SCHEMA"),
        ("SELECT MAX(hour) AS x AT store", "UNREACHABLE_ANCHOR"),
        ("SELECT MAX(MAX(day) @ month) AS x AT tag", "UNREACHABLE_ANCHOR"),
        ("SELECT MAX(hour) AS x AT () WHERE tag = 'x'", "FILTER_UNREACHABLE"),
        ("SELECT COUNT(DISTINCT store) AS x AT region", "AMBIGUOUS_SCHEMA"),
        ("SELECT amount AS a, COUNT(store) AS x AT region", "sales"),
        ("SELECT store AT store HAVING COUNT(*) > 1 ORDER BY size", "BLOCKED_REDUCTION"),
        ("SELECT profit, COUNT(*) AS x AT region HAVING on_hand > 1", "AMBIGUOUS_SCHEMA"),
    ],
)
def test_whose_members_are_reduced(query, schemas):
    if schemas.isupper():
        assert refused(query).code == schemas
    else:
        needs = needs_of(resolved(query).columns[-1].term, (), ())
        assert " ".join(need.metric.schema for need in needs) == schemas


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("SELECT tag, hour AT (tag, hour)", "UNREACHABLE_ANCHOR", "no rows reach hour and tag tog"),
        (
            "SELECT hour AT hour WHERE region = 'East'",
            "FILTER_UNREACHABLE",
            "rows that reach hour cannot be filtered by region",
        ),
        ("SELECT * FROM tags AT ()", "NOT_SUPPORTED", "no metric may be asked here"),
    ],
)
def test_members_that_no_schema_has(query, code, said):
    error = refused(query)
    assert error.code == code
    assert error.message.startswith(said)


def test_members_are_listed_of_a_schema_that_reaches_them():
    error = refused("SELECT hour FROM sales AT hour")
    assert error.code == "UNREACHABLE_ANCHOR"
    assert error.message.startswith("the members of sales")


def test_cells_of_counted_rows_may_be_summed():
    found = resolved("SELECT SUM(COUNT(*) @ day) AS x FROM sales AT region")
    assert text(found.columns[-1].term) == "SUM(COUNT(rows(sales)) @ (day))"
