"""What a collection trusts is needed all the same: it is named in the plan, and not checked."""

import pytest
from planned import COLLECTION, NOW, TABLES, question, typed

from flightframe_server.catalog import read_collection
from flightframe_server.errors import FDViolation
from flightframe_server.language import parse
from flightframe_server.planner.make import make_plan
from flightframe_server.planner.plan import Conditions
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection

STORES = ("t_stores, grain: [store]", "t_stores, attest: trusted, grain: [store]")
PRICES = ("    table: t_prices\n", "    table: t_prices\n    attest: trusted\n")
FACTS = ("    table: t_tx\n", "    table: t_tx\n    attest: trusted\n")


@pytest.mark.parametrize(
    ("change", "text", "trusted"),
    [
        (STORES, "SELECT region, revenue AT region", "store -> region"),
        (STORES, "SELECT revenue AT () WHERE coast = 'Inland'", "store -> region"),
        (STORES, "SELECT region FROM tx AT region", "store -> region"),
        (STORES, "SELECT COUNT(*) AS n FROM stores AT region", "the grain of stores"),
        (PRICES, "SELECT price AT ()", "tx.price is fetched along a key"),
        (FACTS, "SELECT revenue AT store", "the grain of tx"),
    ],
)
def test_what_is_trusted_is_named_and_not_checked(change, text, trusted):
    assert COLLECTION.count(change[0]) == 1
    trusting = type_collection(read_collection(COLLECTION.replace(*change)), TABLES)
    conditions = Conditions("db", versions=NOW, violations={trusted: "a row"})
    (part,) = make_plan(resolve(parse(text), trusting), trusting, conditions).parts
    assert part.trusted == (trusted,)
    with pytest.raises(FDViolation, match="a row"):
        make_plan(question(text), typed(), conditions)


def test_what_trusts_nothing_says_nothing():
    (part,) = make_plan(
        question("SELECT region, revenue AT region"), typed(), Conditions("db", versions=NOW)
    ).parts
    assert part.trusted == ()
