"""What a collection promises of its data: each promise by key, its tables, what to compare."""

import planned
import pytest
from several_paths import TABLES, TRADE, trade

from flightframe_server.algebra.types import DATE, TEXT
from flightframe_server.catalog import read_collection
from flightframe_server.planner.promises import (
    ColumnHoldsPeriods,
    EdgeIsFunction,
    GrainIsKey,
    KeyIsUnique,
    PathsAgree,
    SiblingIsEqual,
    TableSize,
    WaysAgree,
    facts_of,
    table_hops,
)
from flightframe_server.resolver.typed import type_collection


def of_kind(typed, kind):
    return {key: fact for key, fact in facts_of(typed).items() if isinstance(fact, kind)}


def tables_of(typed, kind):
    return {key: set(fact.tables) for key, fact in of_kind(typed, kind).items()}


def edges_of(path):
    return [hop.edge for hop in path]


def test_every_fact_stands_under_its_own_key():
    for typed in (planned.typed(), trade()):
        assert all(fact.key == key for key, fact in facts_of(typed).items())


def test_an_edge_through_a_table_is_promised_a_function_and_no_other_edge():
    # The edge to coast is listed value by value, those of the calendar are computed.
    assert tables_of(planned.typed(), EdgeIsFunction) == {
        "store -> region": {"t_stores"},
        "product -> category": {"t_products"},
    }
    hops = {hop.edge: (hop.table, hop.source_column) for hop in table_hops(planned.typed())}
    assert hops == {
        "store -> region": ("t_stores", "id"),
        "product -> category": ("t_products", "sku"),
    }


def test_a_role_promises_no_edge_of_its_own():
    assert "supplier -> nation" in of_kind(trade(), EdgeIsFunction)
    assert "supplier -> supplier_nation" not in facts_of(trade())


def test_paths_that_part_and_meet_again_must_agree_and_are_compared_where_they_part():
    found = of_kind(trade(), PathsAgree)
    # From a day two paths of calendar functions lead to the year, and nothing in the data decides.
    assert set(found) == {
        *("store => region", "store => zone", "store => bloc", "store => world"),
        "region => world",
    }
    ((one, two),) = found["store => region"].pairs
    assert edges_of(one) == ["store -> district", "district -> region"]
    assert edges_of(two) == ["store -> region"]
    assert found["store => region"].tables == {"t_sto", "t_dis"}
    # Four paths: the first with the two that start otherwise. Those that part at the region alone
    # are held against each other by the promise of the region.
    assert [tuple(map(edges_of, pair)) for pair in found["store => world"].pairs] == [
        (
            ["store -> district", "district -> region", "region -> zone", "zone -> world"],
            ["store -> region", "region -> zone", "zone -> world"],
        ),
        (
            ["store -> district", "district -> region", "region -> zone", "zone -> world"],
            ["store -> region", "region -> bloc", "bloc -> world"],
        ),
    ]
    assert found["region => world"].tables == {"t_reg", "t_zon", "t_blo"}


def test_a_level_with_one_path_promises_nothing_of_paths():
    assert of_kind(planned.typed(), PathsAgree) == {}


def test_several_ways_to_a_level_must_agree_on_all_the_tables_that_they_read():
    every = of_kind(trade(), WaysAgree)
    # A region's two columns lead to one world each.
    assert set(every) == {"all ways from lines to nation", "all ways from regions to world"}
    found = every["all ways from lines to nation"]
    assert (found.schema, found.level) == ("lines", "nation")
    # The customer is fetched along the order, so that the orders decide as well.
    assert found.tables == {"t_lines", "t_sup", "t_cus", "t_ord"}
    assert {hop.edge for hop in found.hops} == {"supplier -> nation", "customer -> nation"}
    assert of_kind(planned.typed(), WaysAgree) == {}


def test_a_stored_period_must_be_what_its_functions_give():
    (found,) = of_kind(planned.typed(), ColumnHoldsPeriods).values()
    assert (found.key, found.schema, found.level) == ("inv.month is a period", "inv", "month")
    assert (found.tables, found.functions) == ({"t_inv"}, {"MONTH_OF"})


def test_moments_in_a_level_of_days_must_be_days():
    found = of_kind(trade(), ColumnHoldsPeriods)
    assert {key: fact.functions for key, fact in found.items()} == {
        "log.day is a period": {"DAY_OF"},
        "months.month is a period": {"MONTH_OF"},
    }
    days = {**TABLES, "t_log": {**TABLES["t_log"], "at": DATE}}
    typed = type_collection(read_collection(TRADE), days)
    assert set(of_kind(typed, ColumnHoldsPeriods)) == {"months.month is a period"}


def test_a_column_is_fetched_along_a_key_of_the_other_table_in_its_own_words():
    (price,) = of_kind(planned.typed(), KeyIsUnique).values()
    assert price.key == "tx.price is fetched along a key"
    assert (price.table, price.columns, price.tables) == (
        "t_prices",
        ("store", "product"),
        {"t_prices"},
    )
    found = of_kind(trade(), KeyIsUnique)
    assert {key: (fact.table, fact.columns) for key, fact in found.items()} == {
        "lines.customer is fetched along a key": ("t_ord", ("id",)),
        "months.customer is fetched along a key": ("t_ord", ("id",)),
    }


def test_every_grain_is_a_key_but_that_of_rows():
    found = tables_of(trade(), GrainIsKey)
    assert "the grain of log" not in found
    assert found["the grain of lines"] == {"t_lines"}
    # A part of this grain is fetched.
    assert found["the grain of months"] == {"t_mon", "t_ord"}
    assert len(found) == len(TABLES) - 1


def test_a_sibling_must_equal_its_root_on_the_tables_of_both():
    assert tables_of(planned.typed(), SiblingIsEqual) == {
        "daily holds revenue": {"t_tx", "t_daily"},
        "told_sums holds amount": {"t_told", "t_told_sums"},
    }
    found = of_kind(planned.typed(), SiblingIsEqual)["daily holds revenue"]
    assert (found.family, found.schema) == ("revenue", "daily")


def test_a_sibling_at_a_climbed_grain_rests_on_the_table_that_is_climbed_through():
    regional = planned.COLLECTION.replace(
        "table: t_told_sums, grain: [store], columns: {store: store, amount: amount}",
        "table: t_told_sums, grain: [region], columns: {region: store, revenue: amount}",
    ).replace(
        "siblings: [{schema: told_sums, column: amount, operator: SUM}]",
        "siblings: []",
    )
    regional = regional.replace(
        "siblings: [{schema: daily, column: revenue, operator: SUM}]",
        "siblings: [{schema: told_sums, column: revenue, operator: SUM}]",
    )
    typed = type_collection(read_collection(regional), planned.TABLES)
    assert tables_of(typed, SiblingIsEqual) == {
        "told_sums holds revenue": {"t_tx", "t_stores", "t_told_sums"}
    }


def test_a_sibling_that_cannot_be_compared_rests_on_both_tables_all_the_same():
    # No sum of texts is taken, which is said when it is tried.
    told = {**planned.TABLES["t_told"], "amount": TEXT}
    typed = type_collection(read_collection(planned.COLLECTION), {**planned.TABLES, "t_told": told})
    found = tables_of(typed, SiblingIsEqual)
    assert found["told_sums holds amount"] == {"t_told", "t_told_sums"}


def test_the_size_of_every_table_is_a_fact():
    found = of_kind(planned.typed(), TableSize)
    assert {fact.table: set(fact.tables) for fact in found.values()} == {
        table: {table} for table in planned.TABLES
    }
    assert "the rows of t_tx" in found


@pytest.mark.parametrize(
    ("schema", "dropped"),
    [
        # The table of an edge, and of a fetched column; the grain goes with either.
        (
            "stores, table: t_stores",
            {"store -> region", "the grain of stores", "id of t_stores is unique"},
        ),
        (
            "prices\n    table: t_prices",
            {"tx.price is fetched along a key", "the grain of prices"},
        ),
    ],
)
def test_what_is_trusted_is_not_looked_at(schema, dropped):
    assert planned.COLLECTION.count(f"name: {schema}") == 1
    mark = "\n    attest: trusted" if "\n" in schema else ", attest: trusted"
    trusting = planned.COLLECTION.replace(f"name: {schema}", f"name: {schema}{mark}")
    typed = type_collection(read_collection(trusting), planned.TABLES)
    assert facts_of(planned.typed()).keys() - facts_of(typed).keys() == dropped
