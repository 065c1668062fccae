"""Where what may not be asked stands in the text, also where the collection's rules refuse it."""

import pytest
from resolver_shop import refused


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELECT amount, on_hand AT region", "on_hand"),
        ("SELECT amount / SUM(on_hand) AS q AT region", "SUM(on_hand)"),
        ("SELECT amount, COUNT(on_hand) + SUM(on_hand) AS q AT region", "SUM(on_hand)"),
        ("SELECT amount AT region HAVING on_hand > 2", "on_hand"),
        ("SELECT amount AT region ORDER BY region, SUM(on_hand)", "SUM(on_hand)"),
        ("SELECT on_hand AT ROLLUP (region, store)", "on_hand"),
        ("SELECT region, on_hand AT region", "on_hand"),
    ],
)
def test_a_refusal_names_the_place_of_what_may_not_be_asked(query, text):
    error = refused(query)
    assert (error.code, error.place is not None) == ("BLOCKED_REDUCTION", True), error
    assert query[error.place.start : error.place.end] == text


def test_a_filter_that_rows_do_not_reach_is_named_where_it_stands():
    query = (
        "SELECT amount, on_hand AT (store, month) WHERE region = 'E' AND day > DATE '2024-01-01'"
    )
    error = refused(query)
    assert error.code == "FILTER_UNREACHABLE"
    assert query[error.place.start : error.place.end] == "day"


def test_what_is_not_finer_is_named_where_it_stands():
    query = "SELECT region, amount / SUM(amount @ ()) AS s AT region"
    error = refused(query)
    assert error.code == "NOT_FINER"
    assert query[error.place.start : error.place.end] == "SUM(amount @ ())"
