"""EXPLAIN: one row for each part of each column, with its route, and why no entry did."""

import pytest
from planned import COLLECTION, TABLES, conditions, held, plan

from flightframe_server.catalog import read_collection
from flightframe_server.language import parse
from flightframe_server.planner.explain import explain
from flightframe_server.planner.make import make_plan
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection

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
        "@(store): it was made from an older t_tx",
        "@(day) where eq(store,…): its filter is not part of the query's",
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


def test_members_alone_are_one_row_of_their_schema():
    found, (step,) = rows_of("SELECT region, store FROM stores AT (region, store)")
    assert found == [("region, store", "backend", "ask ['t_stores']")]
    assert (step.family, step.anchor) == ("stores", "region, store")


def test_a_sibling_that_is_read_is_said_in_a_note():
    given = {"siblings": {("revenue", "daily"): None}, "rows": {"t_tx": 9, "t_daily": 3}}
    found, _ = rows_of(STORE, **given)
    assert found == [
        ("revenue", "backend", "ask ['t_daily']"),
        ("SUM(revenue)", "note", "read from its sibling daily, equal to it on this data"),
    ]


def test_what_is_trusted_and_not_checked_is_said_in_a_note():
    trusting = COLLECTION.replace("table: t_stores,", "table: t_stores, attest: trusted,")
    typed = type_collection(read_collection(trusting), TABLES)
    asked = resolve(parse("SELECT region, revenue AT region"), typed)
    _, note = explain(make_plan(asked, typed, conditions()), lambda _: "sql")
    assert (note.column, note.route) == ("SUM(revenue)", "note")
    assert note.source == "rests on a promise that is trusted and not checked: store -> region"


def test_doubles_inside_a_nested_frame_are_warned_of():
    _, steps = rows_of("SELECT store, COUNT(AVG(revenue) @ (store, day)) AS x AT store ORDER BY x")
    assert [step.column for step in steps if step.route == "note"] == ["ORDER BY"]
    _, steps = rows_of("SELECT store, COUNT(revenue @ (store, day)) AS x AT store ORDER BY x")
    assert [step.column for step in steps if step.route == "note"] == []


def test_a_window_may_cut_between_doubles():
    _, steps = rows_of("SELECT store, AVG(cost) AS m AT store ORDER BY m LIMIT 1")
    assert steps[-1].source.endswith(", and LIMIT may cut between them")
