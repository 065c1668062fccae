"""Several ways to one level: which there are, and the rows that they lead to different members."""

from several_paths import trade

from flightframe_server.planner.source import FetchedRead, StoredRead
from flightframe_server.planner.ways import differing_rows, pairs_of_ways, several_ways
from flightframe_server.resolver.terms import text


def test_a_level_reached_from_two_columns_is_reached_by_several_ways():
    # The role is one way alone, and the stores have the region as a column of their own.
    assert set(several_ways(trade())) == {("lines", "nation"), ("regions", "world")}


def test_the_way_that_is_taken_is_held_against_each_other():
    pairs = list(pairs_of_ways(trade(), "lines", "nation"))
    assert [[str(edge) for way in pair for edge in way] for pair in pairs] == [
        ["customer -> nation", "supplier -> nation"]
    ]


def test_rows_that_differ_are_asked_for_with_both_members_and_where_the_ways_start():
    (pair,) = pairs_of_ways(trade(), "lines", "nation")
    query = differing_rows(trade(), "lines", "nation", pair)
    assert (query.schema, query.table) == ("lines", "t_lines")
    assert [(read.level, read.column) for read in query.anchor] == [
        (" 1", "customer"),
        (" 2", "supplier"),
        ("customer", "customer"),
        ("supplier", "supplier"),
    ]
    assert [[hop.edge for hop in read.hops] for read in query.anchor] == [
        ["customer -> nation"],
        ["supplier -> nation"],
        [],
        [],
    ]
    # NULL is a member: `distinct` tells it from a nation, where `<>` would not.
    assert [text(part) for part in query.filter] == ['distinct(" 1"," 2")']
    assert [metric.schema for metric in query.metrics] == ["lines"]
    # The customer is fetched, after the key that it is fetched along.
    assert [(type(column), column.name) for column in query.columns] == [
        (StoredRead, "order_key"),
        (FetchedRead, "customer"),
        (StoredRead, "supplier"),
    ]
    assert query.tables == {"t_lines", "t_ord", "t_cus", "t_sup"}
