"""Is a text that no member of a level equals remarked upon, and never one that some row has?

Expected by the shop's tables: regions East, West and NULL, stores S1 to S5 and S9, which no table
of stores lists, coasts Atlantic, Pacific and Inland.
"""

import pytest
from test_promises import shop

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.engine import MetricEngine

__all__ = ["shop"]

BY_REGION = "SELECT revenue AT region"


def notes(made, query, *values):
    request = Request(query, tuple(enumerate(values)))
    found = answer(request, made.serving)
    told = found.provenance.to_json().get("notes", [])
    assert tuple(told) == found.provenance.notes
    # A second answer, from what the first one left, says the same.
    assert list(answer(request, made.serving).provenance.notes) == told
    return told


WEST = "'west' is no known member of region; did you mean 'West'?"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT revenue WHERE region = 'west' AT region",
        "SELECT revenue WHERE 'west' = region AT ()",
        "SELECT revenue WHERE region IN ('East', 'west') AT region",
        "SELECT revenue WHERE NOT region = 'west' AND store = 'S1' AT region",
        "SELECT revenue WHERE region <> 'west' OR day > DATE '2024-01-01' AT month",
        "SELECT revenue WHERE region IS DISTINCT FROM 'west' AT month",
        "SELECT SUM(revenue) FILTER (WHERE region = 'west') AS r AT ()",
        "SELECT revenue AT region HAVING region = 'west'",
        "SELECT buyers WHERE region = 'west' AT ()",
        "SELECT COUNT(*) AS n FROM tx WHERE region = 'west' AT ()",
        "SELECT region FROM stores WHERE region = 'west' AT region",
        "SELECT AVG(revenue @ day) AS a WHERE region = 'west' AT ()",
    ],
)
def test_a_text_of_another_case_is_told_with_the_member_meant(shop, query):
    made = shop()
    made.ask("SELECT region FROM stores AT region")
    assert notes(made, query) == [WEST]


def test_a_bound_text_is_told_as_well(shop):
    assert notes(shop(), "SELECT revenue WHERE region = ? AT ()", "west") == [WEST]


def test_what_is_like_a_member_and_what_is_like_none(shop):
    made = shop()
    query = "SELECT revenue WHERE region = '{}' AT ()"
    assert notes(made, query.format("Wset")) == [
        "'Wset' is no known member of region; did you mean West?"
    ]
    assert notes(made, query.format("Bavaria")) == ["'Bavaria' is no known member of region"]


def test_several_are_told_together_and_further_ones_counted(shop):
    query = "SELECT revenue WHERE region IN ('a', 'b', 'East', 'c', 'd', 'e') AT ()"
    assert notes(shop(), query) == ["'a' and 'b' and 'c' and 2 more are no known members of region"]


def test_members_that_a_mapping_lists_are_known(shop):
    made = shop()
    assert notes(made, "SELECT revenue WHERE coast = 'atlantic' AT ()") == [
        "'atlantic' is no known member of coast; did you mean 'Atlantic'?"
    ]
    assert notes(made, "SELECT revenue WHERE coast = 'Inland' AT ()") == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT revenue WHERE region = 'West' AT region",
        "SELECT revenue WHERE region IN ('East', 'West') AT region",
        "SELECT revenue WHERE store = 'S9' AT ()",
        "SELECT revenue WHERE region IS NULL AT ()",
        "SELECT revenue WHERE region > 'a' AT ()",
        "SELECT revenue WHERE region LIKE 'w%' AT ()",
        "SELECT revenue WHERE LOWER(region) = 'west' AT ()",
        "SELECT revenue WHERE day = '2030-01-01' AT ()",
        "SELECT revenue AT region",
    ],
)
def test_what_some_row_may_have_is_not_remarked_upon(shop, query):
    made = shop()
    made.ask("SELECT store, revenue AT store")
    made.ask("SELECT store FROM stores AT store")
    assert notes(made, query) == []


def test_members_of_a_column_are_known_once_an_entry_has_them_all(shop):
    made = shop()
    query = "SELECT revenue WHERE store = 's1' AT ()"
    made.ask("SELECT store, revenue WHERE product = 'P1' AT store")
    made.ask("SELECT store FROM stores AT store")
    assert notes(made, query) == []
    made.ask("SELECT store, revenue AT store")
    assert notes(made, query.replace("s1", "s2")) == [
        "'s2' is no known member of store; did you mean 'S2'?"
    ]


def test_members_of_an_older_version_are_not_known(shop):
    made = shop()
    made.ask("SELECT store, revenue AT store")
    made.replace("UPDATE tx SET store = lower(store);")
    assert notes(made, "SELECT revenue WHERE store = 's1' AT ()") == []


def test_an_answer_without_the_engine_is_remarked_upon_too(shop, tmp_path):
    made = shop()
    off = MetricEngine(made.engine.collection, tmp_path, made.backend, enabled=False)
    serving = Runtime("test", {"shop": off})
    found = answer(Request("SELECT revenue WHERE coast = 'atlantic' AT ()"), serving)
    assert found.provenance.notes == (
        "'atlantic' is no known member of coast; did you mean 'Atlantic'?",
    )
