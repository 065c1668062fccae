"""What a back-end is asked: levels hop by hop, columns in the order they are made, tables named."""

from dataclasses import replace

import pytest
import several_paths
from planned import COLLECTION, TABLES, plan
from several_paths import TRADE, trade

from flightframe_server.algebra.types import DATE, TEXT, TIMESTAMP, decimal, fine_timestamp
from flightframe_server.catalog import read_collection
from flightframe_server.errors import InternalError
from flightframe_server.planner.hops import FunctionHop, TableHop, ValueHop, hop_of
from flightframe_server.planner.source import (
    ComputedRead,
    FetchedRead,
    StoredRead,
    column_reads,
    read_level,
    state_column,
    state_name,
)
from flightframe_server.resolver.terms import text
from flightframe_server.resolver.typed import type_collection


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


def with_days(stored):
    """The collection of several paths, whose rows and log keep their days as this type."""
    lines = {**several_paths.TABLES["t_lines"], "day": stored}
    log = {**several_paths.TABLES["t_log"], "at": stored}
    tables = {**several_paths.TABLES, "t_lines": lines, "t_log": log}
    return type_collection(read_collection(TRADE), tables)


def test_moments_that_are_cut_into_periods_are_told_from_days():
    moments = with_days(TIMESTAMP)
    assert read_level(moments, "log", "month").cuts
    # The moment itself is a member of its level, and nothing cuts a day.
    assert not read_level(moments, "log", "day").cuts
    assert not read_level(moments, "lines", "nation").cuts
    assert not read_level(with_days(DATE), "log", "month").cuts


def test_a_level_has_further_columns_where_further_ways_lead_to_it():
    read = read_level(trade(), "lines", "nation")
    assert (read.column, read.others) == ("customer", ("supplier",))
    assert read_level(trade(), "customers", "nation").others == ()


def test_a_level_that_no_way_leads_to_is_a_mistake_of_the_caller():
    with pytest.raises(InternalError, match="level nation is not reachable from zones"):
        read_level(trade(), "zones", "nation")


def test_a_role_is_had_along_the_way_that_it_names():
    read = read_level(trade(), "lines", "supplier_nation")
    assert (read.column, read.others) == ("supplier", ())
    assert [hop.edge for hop in read.hops] == ["supplier -> nation"]
    (role,) = trade().graph.schema_path("lines", "supplier_nation")
    with pytest.raises(InternalError):
        # It is no single step in the tables' own words.
        hop_of(trade(), role)


def test_columns_are_read_as_the_type_that_their_table_keeps():
    typed = with_days(fine_timestamp())
    at, amount = column_reads(typed, "log", ["day", "amount"])
    assert (at.type, at.stored_type) == (TIMESTAMP, fine_timestamp())
    assert amount.stored_type == amount.type == decimal(10, 2)


def test_a_fetched_column_and_a_map_are_read_as_the_other_table_keeps_them():
    (*_, price) = query_of("SELECT price AT ()").columns
    assert isinstance(price, FetchedRead)
    assert price.stored_type == price.type == decimal(10, 2)
    # A fetched moment is counted in microseconds, and kept in nanoseconds.
    prices = {**TABLES["t_prices"], "price": fine_timestamp()}
    typed = type_collection(read_collection(COLLECTION), {**TABLES, "t_prices": prices})
    (*_, price) = column_reads(typed, "tx", ["price"])
    assert (price.type, price.stored_type) == (TIMESTAMP, fine_timestamp())
    (hop,) = query_of("SELECT region, revenue AT region").anchor[0].hops
    assert hop.stored_types == (TEXT, TEXT)
    assert replace(hop, stored=None).stored_types == (hop.source_type, hop.type)


def test_states_have_names_that_no_level_has():
    assert state_name(0, "value") == "m0_value"
    assert state_column("value") == " value"


def test_a_frame_has_the_points_of_what_it_shows_and_not_of_what_it_is_ordered_by():
    frame = plan("SELECT store, revenue AT store ORDER BY COUNT(on_hand)", stream_rows=-1).stream
    assert [source.schema for source in frame.sources] == ["tx", "inv"]
    assert (frame.makers, frame.hidden) == (1, 1)
    assert frame.tables == {"t_tx", "t_inv"}
    shown = plan("SELECT store, revenue, COUNT(on_hand) AS n AT store", stream_rows=-1).stream
    assert (shown.makers, shown.hidden) == (2, 0)


def test_a_frame_of_members_has_the_points_of_their_schema():
    frame = plan("SELECT store FROM tx AT store ORDER BY cost", stream_rows=-1).stream
    assert [source.schema for source in frame.sources] == ["tx"]
    assert (frame.makers, frame.hidden) == (1, 0)
