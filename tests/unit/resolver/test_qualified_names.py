"""Names that FROM qualifies: what they mean without, and which of them are refused."""

import pytest
from resolver_shop import refused, resolved

from flightframe_server.language import format_statement, parse
from flightframe_server.resolver.qualified_names import collection_of


@pytest.mark.parametrize(
    ("qualified", "bare"),
    [
        ("SELECT metrics.region, Metrics.amount AT METRICS.region", "SELECT amount AT region"),
        ("SELECT shop.metrics.amount FROM Shop.Metrics AT region", "SELECT amount AT region"),
        (
            "SELECT SUM(t.amount) FROM sales AS t WHERE t.region = 'West' AT t.day"
            " HAVING MAX(t.cost) > 1 ORDER BY t.amount LIMIT 2 PER (t.day)",
            "SELECT SUM(amount) FROM sales WHERE region = 'West' AT day"
            " HAVING MAX(cost) > 1 ORDER BY amount LIMIT 2 PER (day)",
        ),
        (
            "SELECT AVG(m.amount @ (UPPER(m.region) AS r)) AS x FROM metrics AS m AT m.month",
            "SELECT AVG(amount @ (UPPER(region) AS r)) AS x AT month",
        ),
        (
            "SELECT SUM(metrics.amount) FILTER (WHERE metrics.region IS NOT KNOWN) AS x"
            " AT ROLLUP (metrics.month, metrics.region)",
            "SELECT SUM(amount) FILTER (WHERE region IS NOT KNOWN) AS x AT ROLLUP (month, region)",
        ),
        # What a family or a schema qualifies means what it did.
        ("SELECT calendar.month, amount AT month", "SELECT month, amount AT month"),
        ("SELECT store FROM stores AS s AT stores.store", "SELECT store FROM stores AT store"),
        # A sibling holds the amounts of a day.
        ("SELECT daily.amount FROM daily AT day", "SELECT amount FROM daily AT day"),
        # A column of the answer that is the qualified one itself may order it.
        (
            "SELECT t.amount AS Amount FROM sales AS t AT day ORDER BY t.amount",
            "SELECT amount AS Amount FROM sales AT day ORDER BY amount",
        ),
    ],
)
def test_a_qualified_name_means_the_bare_one(qualified, bare):
    assert resolved(qualified) == resolved(bare)


@pytest.mark.parametrize(
    ("query", "code", "column", "message"),
    [
        (
            "SELECT sales.on_hand FROM sales AT day",
            "UNKNOWN_NAME",
            8,
            "sales has no level or metric",
        ),
        ("SELECT t.tag FROM sales AS t AT tag", "UNKNOWN_NAME", 8, "t has no level or metric tag"),
        ("SELECT metrics.amonut AT ()", "UNKNOWN_NAME", 8, "metrics has no level or metric amonut"),
        # An alias stands instead of the name of the table.
        (
            "SELECT sales.amount FROM sales AS s AT ()",
            "UNKNOWN_NAME",
            8,
            "there is no metric or level",
        ),
        (
            "SELECT amount FROM other.metrics AT ()",
            "UNKNOWN_NAME",
            20,
            "other is not the collection",
        ),
        (
            "SELECT amount FROM a.shop.metrics AT ()",
            "UNKNOWN_NAME",
            20,
            "a.shop is not the collection",
        ),
        ("SELECT amount FROM shop.sale AT ()", "UNKNOWN_NAME", 20, "there is no schema sale"),
        (
            "SELECT MAX(t.cost) AS cost FROM sales AS t AT region HAVING t.cost > 3",
            "AMBIGUOUS_METRIC",
            61,
            "t.cost is a column of FROM, and cost another of the answer",
        ),
    ],
)
def test_a_qualifier_is_never_dropped_from_what_its_table_lacks(query, code, column, message):
    error = refused(query)
    assert (error.code, error.place.column) == (code, column)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("query", "collection"),
    [
        ("SELECT x FROM shop.metrics AT ()", "shop"),
        ("SELECT x FROM shop.sales AS s AT ()", "shop"),
        ("SELECT x FROM sales AT ()", None),
        ("SELECT x AT ()", None),
    ],
)
def test_the_collection_that_from_names(query, collection):
    statement = parse(query)
    assert collection_of(statement) == collection
    assert parse(format_statement(statement)) == statement
