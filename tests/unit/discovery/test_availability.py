"""Where a metric may stand, by its declarations and by the data, and why not elsewhere."""

import pytest
from engine_shop import collection

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.discovery.availability import availabilities
from flightframe_server.resolver.typed import type_collection

MONEY = decimal(10, 2)
TYPED = type_collection(
    collection(),
    {
        "stores": {"store": TEXT, "region": TEXT, "zone": TEXT},
        "prices": {"store": TEXT, "price": MONEY},
        "tx": {"txn": INTEGER, "store": TEXT, "day": DATE, "revenue": MONEY},
        "daily": {"store": TEXT, "day": DATE, "revenue": decimal(38, 2)},
        "inv": {"store": TEXT, "month": DATE, "on_hand": INTEGER},
    },
)


def told(family, broken=()):
    return availabilities(TYPED, dict(broken), TYPED.collection.metric_families[family])


def test_every_level_is_either_allowed_or_blocked_with_its_reason():
    (found,) = told("revenue")
    assert (found.reducer, found.required, found.blocked) == ("SUM", (), ())
    assert set(found.levels) == set(TYPED.graph.level_names)


def test_the_default_stands_first_and_each_reducer_has_its_own_rules():
    summed, last = told("on_hand")
    assert (summed.reducer, summed.required) == ("SUM", ("month",))
    assert (last.reducer, last.required) == ("LAST", ("store",))
    # Days and sales are finer than stock is counted.
    assert [(one.level, one.code) for one in summed.blocked] == [
        ("day", "FAN_OUT"),
        ("txn", "FAN_OUT"),
    ]


@pytest.mark.parametrize(
    ("key", "withdrawn"),
    [
        ("store -> region", {"region"}),
        ("store -> zone", {"zone"}),
        ("the grain of tx", set(TYPED.graph.level_names)),
        ("the grain of inv", set()),
    ],
)
def test_a_broken_promise_blocks_the_levels_that_rest_on_it(key, withdrawn):
    (found,) = told("revenue", {key: "S1 has two"})
    assert {one.level for one in found.blocked} == withdrawn
    assert {one.code for one in found.blocked} <= {"FD_VIOLATION"}
    assert all("S1 has two" in one.reason for one in found.blocked)
    assert set(found.levels) == set(TYPED.graph.level_names) - withdrawn
