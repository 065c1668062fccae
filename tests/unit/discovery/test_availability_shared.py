"""What is found once for all metrics alike is what each of them is told when it is asked alone."""

import large_collection
import pytest
from engine_shop import collection

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.collection import RootedMetric
from flightframe_server.discovery.availability import Availabilities
from flightframe_server.discovery.metric_terms import MetricTerms
from flightframe_server.discovery.needed_promises import NeededPromises
from flightframe_server.discovery.verdicts import check
from flightframe_server.errors import FlightframeError
from flightframe_server.language.syntax import Call, Name
from flightframe_server.planner.promises import SiblingIsEqual, TableSize, facts_of
from flightframe_server.planner.violations import way_key
from flightframe_server.resolver.legality import check_nested
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.typed import type_collection
from flightframe_server.resolver.values import Binding

MONEY = decimal(10, 2)
SHOP = type_collection(
    collection(),
    {
        "stores": {"store": TEXT, "region": TEXT, "zone": TEXT},
        "prices": {"store": TEXT, "price": MONEY},
        "tx": {"txn": INTEGER, "store": TEXT, "day": DATE, "revenue": MONEY},
        "daily": {"store": TEXT, "day": DATE, "revenue": decimal(38, 2)},
        "inv": {"store": TEXT, "month": DATE, "on_hand": INTEGER},
    },
)
ODD = type_collection(
    read_collection("""
version: 1
name: odd
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, area: area}}
  - {name: owners, table: owners, grain: [shop], columns: {shop: shop, owner: owner}}
  - name: sales
    table: sales
    grain: [sale]
    columns: {sale: sale, shop: shop, made: made, sent: sent, amount: amount, pieces: pieces,
              owner_seen: {lookup: owner, via: {schema: owners, on: [shop]}}}
  - {name: stock, table: stock, grain: [shop, month],
     columns: {shop: shop, month: month, pieces: pieces}}
dimension_families:
  - {name: place, levels: [shop, area], edges: [{from: shop, to: area, via: shops}]}
  - {name: calendar, levels: [made, sent, month],
     edges: [{from: made, to: month, derived_by: MONTH_OF},
             {from: sent, to: month, derived_by: MONTH_OF}]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
  - {name: pieces, family_root: {schema: sales, column: pieces}, ip_reducers: [{operator: SUM}]}
  - {name: far, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}],
     filter: "area <> 'here'"}
  - {name: owned, family_root: {schema: sales, column: owner_seen}, default_reducer: MAX}
  - {name: seen, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}],
     filter: "owner_seen = 'x'"}
  - name: stock
    family_root: {schema: stock, column: pieces}
    ip_reducers:
      - {operator: SUM, a_block: [calendar], default: true}
      - {operator: LAST, a_block: [place], order_by: [month]}
  - {name: left, family_root: {schema: stock, column: pieces},
     ip_reducers: [{operator: SUM, snapshot: {level: month, pick: LAST}}]}
  - {name: usual, derived: {formula: "AVG(amount @ month)", inputs: [amount]}}
  - {name: each, derived: {formula: "amount / pieces", inputs: [amount, pieces]}}
  - {name: turned, derived: {formula: "amount / stock", inputs: [amount, stock]}}
  - {name: kept, derived: {formula: "stock / amount", inputs: [amount, stock]}}
"""),
    {
        "shops": {"shop": TEXT, "area": TEXT},
        "owners": {"shop": TEXT, "owner": TEXT},
        "sales": {
            "sale": INTEGER,
            "shop": TEXT,
            "made": DATE,
            "sent": DATE,
            "amount": MONEY,
            "pieces": INTEGER,
        },
        "stock": {"shop": TEXT, "month": DATE, "pieces": INTEGER},
    },
)


def alone(typed, violations, family, found):
    """The refusal at each level of one family under one reducer, asked one by one."""
    name = Name((family.name,))
    asked = Call(found.reducer, (name,)) if found.reducer else name
    term = MetricNames(Scope(typed, Binding())).leaf(asked)
    refusals = {}
    for level in typed.graph.level_names:
        anchor = tuple(sorted({level, *found.required}))
        try:
            for need in needs_of(term, anchor, ()):
                check(typed, violations, need.metric, need.anchor)
            check_nested(typed, term, anchor, ())
        except FlightframeError as error:
            refusals[level] = (error.code, error.message)
    return refusals


def assert_alike(typed, violations, families):
    where = Availabilities(typed, violations)
    for family in families:
        for found in where.of(family):
            told = {one.level: (one.code, one.reason) for one in found.blocked}
            assert told == alone(typed, violations, family, found), (family.name, found.reducer)
            names = typed.graph.level_names
            assert found.levels == tuple(level for level in names if level not in told)


@pytest.mark.parametrize("typed", [SHOP, ODD], ids=["shop", "odd"])
def test_every_metric_at_every_level_under_each_broken_promise(typed):
    families = typed.collection.metric_families.values()
    assert_alike(typed, {}, families)
    for key in facts_of(typed):
        assert_alike(typed, {key: "a row"}, families)
    assert_alike(typed, dict.fromkeys(facts_of(typed), "a row"), families)


def refused(typed, violations, family):
    """Each level at which a family is refused under each reducer, and with which words."""
    return {
        (found.reducer, one.level): one.reason
        for found in Availabilities(typed, violations).of(family)
        for one in found.blocked
    }


@pytest.mark.parametrize("typed", [SHOP, ODD], ids=["shop", "odd"])
def test_a_promise_that_decides_a_verdict_is_among_those_looked_up(typed):
    needed = NeededPromises(MetricTerms(typed))
    decided = 0
    for family in typed.collection.metric_families.values():
        kept = refused(typed, {}, family)
        for key in facts_of(typed):
            broken = refused(typed, {key: "a row"}, family)
            for _, level in dict(broken.items() - kept.items()):
                decided += 1
                assert key in needed.of([family], [level]), (family.name, level)
    assert decided > 20


@pytest.mark.parametrize("typed", [SHOP, ODD], ids=["shop", "odd"])
def test_what_no_verdict_rests_on_is_not_looked_up(typed):
    families = typed.collection.metric_families.values()
    needed = NeededPromises(MetricTerms(typed)).of(families, typed.graph.level_names)
    facts = facts_of(typed)
    neither = {key for key, one in facts.items() if isinstance(one, TableSize | SiblingIsEqual)}
    assert neither
    assert needed.isdisjoint(neither)


def test_the_odd_collection_has_what_sharing_could_get_wrong():
    promised = facts_of(ODD)
    assert way_key("sales", "month") in promised
    assert any("fetched along a key" in key for key in promised)
    reducers = {
        (type(family.meaning) is RootedMetric, family.name)
        for family in ODD.collection.metric_families.values()
    }
    assert {(False, "usual"), (True, "left")} <= reducers


@pytest.fixture(scope="module")
def large():
    """The large collection, typed as its tables are."""
    declared = read_collection(large_collection.text())
    tables = {}
    for schema in declared.schemas.values():
        tables[schema.table] = {
            column: DATE
            if column == "day"
            else INTEGER
            if column.endswith("_row")
            else MONEY
            if column.startswith("v")
            else TEXT
            for column in schema.columns
        }
    return type_collection(declared, tables)


def test_the_large_collection_is_as_large_as_it_says(large):
    assert len(large.collection.schemas) == large_collection.TABLES
    assert len(large.graph.level_names) == large_collection.LEVELS
    assert len(large.collection.metric_families) == large_collection.METRICS


@pytest.mark.slow
@pytest.mark.parametrize("violations", [{}, {large_collection.BROKEN_EDGE: "m0 has m0 and m1"}])
def test_a_sample_of_the_large_collection(large, violations):
    families = list(large.collection.metric_families.values())
    assert_alike(large, violations, families[::61])
