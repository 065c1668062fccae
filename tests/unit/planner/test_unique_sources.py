"""Look-ups that say that their source column is unique: those looked at, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flightframe_server.algebra.types import DATE, TEXT, TIMESTAMP
from flightframe_server.planner.hops import FunctionHop, TableHop
from flightframe_server.planner.source import LevelRead, SourceQuery
from flightframe_server.planner.unique_sources import with_unique_sources

STORE = TableHop("store -> region", "region", "stores", "store", "region", TEXT, TEXT)
COUNTRY = TableHop("region -> country", "country", "regions", "region", "country", TEXT, TEXT)
MONTH = FunctionHop("day -> month", "month", "MONTH_OF", DATE)
REGION = LevelRead("region", TEXT, "store", TEXT, "store", (STORE,))
WHERE = LevelRead("country", TEXT, "store", TEXT, "store", (STORE, COUNTRY))
WHEN = LevelRead("month", DATE, "day", DATE, "day", (MONTH,))


def query(*anchor: LevelRead, filters: tuple[LevelRead, ...] = ()) -> SourceQuery:
    return SourceQuery("tx", "tx", anchor, filters, (), (), ())


def marks(asked: SourceQuery) -> list[tuple[str, bool]]:
    hops = [hop for read in asked.levels for hop in read.hops]
    return [(hop.edge, hop.unique) for hop in hops if isinstance(hop, TableHop)]


def test_the_columns_that_are_unique_are_marked_wherever_they_are_read():
    marked = with_unique_sources(query(REGION, WHEN, filters=(WHERE,)), {("stores", "store")})
    assert marks(marked) == [
        ("store -> region", True),
        ("store -> region", True),
        ("region -> country", False),
    ]
    assert marked.anchor[1] == WHEN


@pytest.mark.parametrize("unique", [set(), {("stores", "region")}, {("tx", "store")}])
def test_a_query_without_one_is_the_very_same(unique):
    asked = query(REGION, WHERE)
    assert with_unique_sources(asked, unique) is asked


@pytest.mark.parametrize("stored", [(TIMESTAMP, TEXT), (TEXT, DATE)])
def test_columns_that_are_cut_to_members_are_never_unique(stored):
    cut = replace(REGION, hops=(replace(STORE, stored=stored),))
    assert marks(with_unique_sources(query(cut), {("stores", "store")})) == [
        ("store -> region", False)
    ]
