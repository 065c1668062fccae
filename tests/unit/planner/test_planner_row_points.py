"""Rows that are points: only by a key that was looked at, and as its values are stored."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planned import plan, typed

from flightframe_server.algebra.types import TIMESTAMP
from flightframe_server.planner.row_points import with_row_points
from flightframe_server.planner.source import LevelRead, StoredRead

KEYS = frozenset({"tx", "inv", "told"})


def are_points(text: str, keys=KEYS) -> bool:
    (query,) = plan(text, keys=keys).queries
    return query.rows_are_points


@pytest.mark.parametrize(
    "text",
    [
        "SELECT txn, revenue AT txn",
        "SELECT txn, region, revenue AT (txn, region)",
        "SELECT txn, price, gain AT txn",
        "SELECT txn, revenue AT txn WHERE region = 'East'",
        "SELECT txn, COUNT(*) AS n FROM tx AT txn",
        "SELECT store, month, on_hand AT (store, month)",
        "SELECT txn, eastern AT txn",
    ],
)
def test_at_the_grain_each_row_is_a_point(text):
    assert are_points(text)
    assert not are_points(text, frozenset())


@pytest.mark.parametrize(
    "text",
    [
        "SELECT store, revenue AT store",
        "SELECT revenue AT ()",
        "SELECT store, on_hand AT store WHERE month = DATE '2024-01-01'",
        "SELECT store, month, LAST(on_hand) AS kept AT (store, month)",
        "SELECT store, month, balance AT (store, month)",
    ],
)
def test_coarser_points_and_rows_that_are_picked_are_grouped(text):
    assert not are_points(text)


def test_values_that_are_cut_to_members_are_grouped():
    (query,) = plan("SELECT txn, revenue AT txn").queries
    assert with_row_points(query, typed(), KEYS).rows_are_points
    columns = tuple(
        replace(column, stored=TIMESTAMP)
        if isinstance(column, StoredRead) and column.name == "txn"
        else column
        for column in query.columns
    )
    assert not with_row_points(replace(query, columns=columns), typed(), KEYS).rows_are_points
    (read,) = query.anchor
    assert isinstance(read, LevelRead)
    cut = replace(query, anchor=(replace(read, type=TIMESTAMP),))
    assert not with_row_points(cut, typed(), KEYS).rows_are_points
