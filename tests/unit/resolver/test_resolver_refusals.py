"""Does a refusal say what was likely meant: a comma, HAVING, quotes, the reducer that was asked?"""

import pytest

from flightframe_server.algebra.types import DATE, INTEGER, TEXT
from flightframe_server.catalog import read_collection
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import type_collection

COLLECTION = """
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: store, region: region}}
  - {name: tags, grain: [store, tag], columns: {store: store, tag: tag}}
  - name: sales
    grain: [sale]
    columns: {sale: sale, store: store, day: day, amount: amount, cost: cost}
  - {name: stock, grain: [store, month], columns: {store: store, month: month, on_hand: on_hand}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: labels, levels: [tag]}
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: cost, family_root: {schema: sales, column: cost},
     ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: on_hand, family_root: {schema: stock, column: on_hand},
     ip_reducers: [{operator: SUM, a_block: [calendar]}]}
  - {name: profit, derived: {formula: "amount - cost", inputs: [amount, cost]}}
  - {name: margin, derived: {formula: "profit / AVG(amount)", inputs: [profit, amount]}}
"""
TYPED = type_collection(
    read_collection(COLLECTION),
    {
        "stores": {"store": TEXT, "region": TEXT},
        "tags": {"store": TEXT, "tag": TEXT},
        "sales": {
            **{"sale": INTEGER, "store": TEXT, "day": DATE},
            **{"amount": INTEGER, "cost": INTEGER},
        },
        "stock": {"store": TEXT, "month": DATE, "on_hand": INTEGER},
    },
)


def refused(query):
    with pytest.raises(FlightframeError) as found:
        resolve(parse(query), TYPED)
    return found.value


@pytest.mark.parametrize(
    ("query", "column", "what"),
    [
        ("SELECT region amount AT region", 15, "amount is a metric of its own"),
        ("SELECT amount cost AT region", 15, "cost is a metric of its own"),
        ("SELECT region, amount cost, margin AT region", 23, "cost is a metric of its own"),
        ("SELECT amount region AT region", 15, "region is a level of its own"),
        ("SELECT region store, amount AT (region, store)", 15, "store is a level of its own"),
        ('SELECT SUM(amount) "Cost" AT region', 20, "Cost is a metric of its own"),
        ("SELECT amount + 1 cost AT region", 19, "cost is a metric of its own"),
    ],
)
def test_a_missing_comma_is_named_where_it_is_missing(query, column, what):
    error = refused(query)
    assert (error.code, error.place.line, error.place.column) == ("PARSE", 1, column)
    assert error.message.startswith(what)
    assert error.hint.startswith("write a comma before")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT region AS store, amount AT region", ["store", "amount"]),
        ("SELECT amount AS cost AT region", ["region", "cost"]),
        ("SELECT SUM(amount) amount AT region", ["region", "amount"]),
        ("SELECT amount amount AT region", ["region", "amount"]),
        ("SELECT AVG(amount) Amount AT region", ["region", "Amount"]),
        ("SELECT amount - cost amount AT region", ["region", "amount"]),
        ("SELECT amount total AT region", ["region", "total"]),
    ],
)
def test_an_alias_that_is_said_to_be_one_or_names_its_own_item_is_one(query, names):
    assert [column.name for column in resolve(parse(query), TYPED).columns] == names


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT amount WHERE amount > 100 AT region", "amount is a metric"),
        ("SELECT amount WHERE profit > 100 AT region", "profit is a metric"),
        ("SELECT amount WHERE 100 < AMOUNT AT region", "AMOUNT is a metric"),
        ("SELECT amount WHERE SUM(amount) > 100 AT region", "WHERE filters rows by levels"),
        ("SELECT amount AS a WHERE a > 100 AT region", "a is a column of the answer"),
        ("SELECT SUM(amount) FILTER (WHERE cost > 1) AS a AT region", "cost is a metric"),
        ("SELECT SUM(amount) FILTER (WHERE SUM(cost) > 1) AS a AT region", "a condition is over"),
    ],
)
def test_a_condition_on_a_metric_is_sent_to_having(query, said):
    error = refused(query)
    assert error.message.startswith(said)
    assert error.hint == "a condition on a metric stands in HAVING"


@pytest.mark.parametrize("query", ["SELECT amount AT amount", "SELECT amount AT (region, profit)"])
def test_a_metric_in_the_anchor_is_sent_to_select(query):
    assert refused(query).hint == "metrics stand in SELECT"


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT amount WHERE region = West AT region", "'West'"),
        ('SELECT amount WHERE region = "West" AT region', "'West'"),
        ("SELECT amount WHERE West = region AT region", "'West'"),
        ("SELECT amount WHERE region <> West AND store = 'S1' AT region", "'West'"),
        ("SELECT amount WHERE region BETWEEN 'A' AND West AT region", "'West'"),
        ("SELECT amount WHERE LOWER(region) = west AT region", "'west'"),
        ("SELECT amount AT region HAVING region = West", "'West'"),
        ("SELECT SUM(amount) FILTER (WHERE region = West) AS a AT day", "'West'"),
        ('SELECT amount WHERE region = "O\'Brien" AT region', "'O''Brien'"),
    ],
)
def test_a_text_without_quotes_is_told_of_them(query, hint):
    error = refused(query)
    assert error.code == "UNKNOWN_NAME"
    assert error.hint == f"a text stands in single quotes: {hint}"


def test_a_name_that_is_near_another_is_told_both():
    error = refused("SELECT amount WHERE region = stor AT region")
    assert error.hint == "did you mean store? And a text stands in single quotes: 'stor'"


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT amount WHERE regio = 'West' AT region", "did you mean region?"),
        ("SELECT amount WHERE day = yesterday AT region", "did you mean day?"),
        ("SELECT amount WHERE zzz = 5 AT region", None),
    ],
)
def test_a_name_that_stands_beside_no_text_is_not(query, hint):
    assert refused(query).hint in (hint, None)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT amount WHERE day > 2024-01-01 AT region", "a date is written DATE '2024-02-01'"),
        ("SELECT amount WHERE store = 5 AT region", "a text stands in single quotes: '12'"),
        ("SELECT amount WHERE store IN (5, 6) AT region", "a text stands in single quotes: '12'"),
    ],
)
def test_a_number_beside_another_kind_of_value_is_told_how_that_is_written(query, hint):
    assert refused(query).hint == hint


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT AVG(on_hand) AT day", "AVG(on_hand) cannot be asked at day: no edge leads there"),
        ("SELECT SUM(on_hand) AT day", "SUM(on_hand) cannot be asked at day: no edge leads there"),
        ("SELECT AVG(amount) AT tag", "AVG(amount) cannot be asked at tag: tags links them many"),
        ("SELECT profit AT tag", "SUM(amount), which profit is made of, cannot be asked at tag"),
        ("SELECT margin AT tag", "SUM(amount), which margin is made of, cannot be asked at tag"),
        ("SELECT AVG(on_hand) WHERE day = '2024-01-01' AT store", "AVG(on_hand) cannot be filter"),
        ("SELECT on_hand AT store", "SUM(on_hand) may not aggregate over calendar"),
    ],
)
def test_what_was_asked_is_named_and_not_what_it_is_made_of(query, said):
    assert refused(query).message.startswith(said)


def test_a_way_that_nobody_meant_is_told_with_what_can_be_reached():
    error = refused("SELECT AVG(on_hand) AT day")
    assert error.code == "FAN_OUT"
    assert error.message.endswith("through sales facts would count more than once")
    assert error.hint == "stock reaches month, region, store"


def test_a_mean_is_no_other_metric_than_its_sum():
    mean, total = (
        resolve(parse(f"SELECT {text}(amount) AS x AT region"), TYPED) for text in ("AVG", "SUM")
    )
    assert set(total.needs) < set(mean.needs)
