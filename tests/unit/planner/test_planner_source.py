"""What a back-end is asked: levels hop by hop, columns in the order they are made, tables named."""

import pytest
from planned import plan

from flightframe_server.planner.hops import FunctionHop, TableHop, ValueHop
from flightframe_server.planner.source import ComputedRead, FetchedRead, StoredRead
from flightframe_server.resolver.terms import text


def query_of(asked):
    (found,) = plan(asked).queries
    return found


def test_a_level_is_read_from_its_column_and_climbed():
    (read,) = query_of("SELECT coast, revenue AT coast").anchor
    assert (read.level, read.start, read.column) == ("coast", "store", "store")
    assert read.visited == ("store", "region", "coast")
    table, listed = read.hops
    assert isinstance(table, TableHop)
    assert (table.table, table.source_column, table.target_column) == ("t_stores", "id", "region")
    assert isinstance(listed, ValueHop)
    assert (listed.pairs, listed.default, listed.null) == ((("East", "Atlantic"),), "Inland", None)


def test_a_period_is_a_function_of_the_day():
    (read,) = query_of("SELECT year, revenue AT year").anchor
    assert [hop.function for hop in read.hops] == ["MONTH_OF", "YEAR_OF"]
    assert all(isinstance(hop, FunctionHop) for hop in read.hops)


def test_a_stored_month_and_a_facts_own_region_are_read_as_they_are():
    assert query_of("SELECT month, on_hand AT month").anchor[0].hops == ()
    assert query_of("SELECT region, amount AT region").anchor[0].hops == ()


def test_levels_that_only_filters_read_are_not_grouped_by():
    asked = (
        "SELECT day, SUM(revenue) FILTER (WHERE region = 'East') AS x WHERE category = 'A' AT day"
    )
    found = query_of(asked)
    assert [read.level for read in found.anchor] == ["day"]
    assert [read.level for read in found.filter_levels] == ["category", "region"]
    assert [text(part) for part in found.filter] == ["eq(category,'A')"]


def test_a_column_comes_after_those_it_is_made_from():
    found = query_of("SELECT gain, price AT ()")
    kinds = {read.name: type(read) for read in found.columns}
    assert kinds == {
        **dict.fromkeys(("revenue", "cost", "store", "product"), StoredRead),
        "gain": ComputedRead,
        "price": FetchedRead,
    }
    names = [read.name for read in found.columns]
    assert names.index("gain") > max(names.index("revenue"), names.index("cost"))
    assert names.index("price") > max(names.index("store"), names.index("product"))
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("asked", "tables"),
    [
        ("SELECT revenue AT ()", {"t_tx"}),
        ("SELECT coast, revenue WHERE category = 'A' AT coast", {"t_tx", "t_stores", "t_products"}),
        ("SELECT price AT ()", {"t_tx", "t_prices"}),
        ("SELECT month, on_hand AT month", {"t_inv"}),
        ("SELECT store FROM stores AT store", {"t_stores"}),
    ],
)
def test_every_table_that_is_read_is_named(asked, tables):
    assert query_of(asked).tables == tables


def test_an_ordered_or_snapshot_metric_reads_the_levels_of_its_key():
    for asked in ("SELECT store, LAST(on_hand) AS x AT store", "SELECT store, balance AT store"):
        assert [read.level for read in query_of(asked).filter_levels] == ["month"]
