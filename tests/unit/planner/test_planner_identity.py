"""Law 9: which two texts are one entry, and which are two."""

import itertools

import pytest
from planned import key_of

SAME = [
    [
        "SELECT day, region, revenue AT (day, region)",
        "SELECT region, day, revenue AT (region, day)",
    ],
    [
        "SELECT day, revenue AT day",
        "SELECT day, revenue AT (day, day)",
        "SELECT Day, REVENUE AT DAY",
    ],
    ["SELECT revenue AT ()", "SELECT SUM(revenue) AT ()", "SELECT revenue AS other AT ()"],
    ["SELECT revenue AT ()", "SELECT revenue AT () LIMIT 1", "SELECT revenue FROM tx AT ()"],
    [
        "SELECT revenue WHERE store = 'S1' AND day IS NULL AT ()",
        "SELECT revenue AT () WHERE day IS NULL AND store = 'S1' AND store = 'S1'",
        "SELECT revenue WHERE 'S1' = store AND (day IS NULL) AT ()",
    ],
    ["SELECT QUANTILE(revenue, 0.5) AS x AT ()", "SELECT QUANTILE(revenue, 0.50) AS y AT ()"],
    ["SELECT COUNT(DISTINCT revenue) AS x AT ()", "SELECT COUNT_DISTINCT(revenue) AS x AT ()"],
]
DIFFERENT = [
    "SELECT revenue AT ()",
    "SELECT revenue AT day",
    "SELECT cost AT ()",
    "SELECT eastern AT ()",
    "SELECT SUM(revenue) FILTER (WHERE region = 'West') AS x AT ()",
    "SELECT revenue WHERE region = 'East' AT ()",
    "SELECT COUNT(revenue) AS x AT ()",
    "SELECT COUNT(DISTINCT revenue) AS x AT ()",
    "SELECT QUANTILE(revenue, 0.5) AS x AT ()",
    "SELECT QUANTILE(revenue, 0.9) AS x AT ()",
    "SELECT MEDIAN(revenue) AS x AT ()",
    "SELECT revenue WHERE store = 'null' AT ()",
    "SELECT revenue WHERE store IS NULL AT ()",
    "SELECT revenue WHERE store = 'a AND b' AT ()",
    "SELECT revenue WHERE store = 'a' AND store = 'b' AT ()",
    "SELECT on_hand WHERE month = DATE '2024-01-01' AT ()",
    "SELECT balance WHERE month = DATE '2024-01-01' AT ()",
    "SELECT COUNT(*) AS x FROM tx AT ()",
    "SELECT COUNT(*) AS x FROM inv AT ()",
    "SELECT COUNT(store) AS x FROM tx AT ()",
]


@pytest.mark.parametrize("texts", SAME, ids=lambda texts: texts[0])
def test_one_meaning_is_one_entry(texts):
    assert len({key_of(text) for text in texts}) == 1


def test_two_meanings_are_two_entries():
    for one, other in itertools.combinations(DIFFERENT, 2):
        assert key_of(one) != key_of(other), (one, other)


def test_a_key_is_sorted_whatever_the_order_asked():
    key = key_of("SELECT region, day, revenue WHERE store = 'S1' AND day IS NULL AT (region, day)")
    assert key.anchor == ("day", "region")
    assert key.filter == ("eq(store,'S1')", "is_null(day)")
