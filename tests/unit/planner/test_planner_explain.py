"""EXPLAIN: one row for each part of each column, with its route, and why no entry did."""

import pytest
from planned import held, plan

from flightframe_server.planner.explain import explain

STORE = "SELECT store, revenue AT store"


def rows_of(text, *entries, **given):
    steps = explain(plan(text, *entries, **given), lambda query: f"ask {sorted(query.tables)}")
    return [(step.column, step.route, step.source) for step in steps], steps


def test_each_route_is_shown():
    exact = held("SELECT region, cost AT region", "e7", rows=3, tables=("t_stores", "t_tx"))
    found, steps = rows_of(
        "SELECT region, revenue, cost, COUNT(cost) AS n AT region",
        held(STORE, "e1", rows=6),
        exact,
    )
    assert found == [
        ("revenue", "rollup", "entry e1 @(store) of 6 rows along store -> region"),
        ("cost", "exact", "entry e7 of 3 rows"),
        ("n", "backend", "ask ['t_stores', 't_tx']"),
    ]
    assert [step.step for step in steps] == [1, 2, 3]
    assert {step.anchor for step in steps} == {"region"}


def test_a_rollup_says_that_it_filters():
    found, _ = rows_of("SELECT revenue WHERE store = 'S1' AT ()", held(STORE, rows=6))
    assert found == [("revenue", "rollup", "entry e1 @(store) of 6 rows filtered")]


def test_each_entry_passed_over_shows_the_first_rule_it_failed():
    entries = [
        held("SELECT day, revenue WHERE store = 'S1' AT day", "a"),
        held("SELECT store, revenue AT store", "b", sign="0"),
    ]
    _, (step,) = rows_of("SELECT region, revenue AT region", *entries)
    assert step.why_not.split("; ")[:2] == [
        "@(day) where eq(store,'S1'): its filter is not part of the query's",
        "@(store): it was made from an older t_tx",
    ]


def test_a_sibling_passed_over_says_why():
    differs = {("revenue", "daily"): "at S1 it has 1, and the root 2"}
    _, (step,) = rows_of(STORE, siblings=differs)
    assert "sibling daily" in step.why_not
    assert "at S1 it has 1, and the root 2" in step.why_not


def test_a_derived_column_has_a_row_for_each_input_and_a_hidden_one_is_named_so():
    found, _ = rows_of("SELECT store, profit AT store ORDER BY COUNT(cost)")
    assert [column for column, _, _ in found] == ["profit", "profit", "(hidden)"]


def test_a_streamed_frame_is_one_statement():
    found, _ = rows_of(STORE, stream_rows=-1)
    assert found == [("revenue", "stream", "ask ['t_tx']")]


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("SELECT store, revenue AT store ORDER BY revenue", False),
        ("SELECT store, AVG(revenue) AS m AT store ORDER BY m", True),
        ("SELECT store, revenue AT store HAVING AVG(revenue) > 1", True),
        ("SELECT store, AVG(revenue) AS m AT store", False),
    ],
)
def test_order_by_doubles_is_warned_of(text, warned):
    found, _ = rows_of(text)
    assert ("note" in [route for _, route, _ in found]) == warned
