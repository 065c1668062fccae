"""A collection against the types of its tables: what does not fit, all of it, where it stands."""

from collections.abc import Mapping

import pytest

from flightframe_server.algebra.types import DATE, DOUBLE, INTEGER, TEXT, DataType, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.errors import CatalogError
from flightframe_server.resolver.typed import type_collection

COLLECTION = """\
version: 1
name: shop
schemas:
  - name: stores
    grain: [store]
    columns: {store: id, region: region}
  - name: sales
    grain: [sale]
    columns:
      sale: id
      store: store
      day: day
      amount: amount
      doubled: {expr: "amount * 2", type: "decimal(18,2)"}
      size: {lookup: region, via: {schema: stores, on: [store]}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: calendar, levels: [day]}
metric_families:
  - name: revenue
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
"""

STORES = {"id": INTEGER, "region": TEXT}
SALES = {"id": INTEGER, "store": INTEGER, "day": DATE, "amount": decimal(12, 2)}


def told(
    tables: Mapping[str, Mapping[str, DataType]],
    unanswered: Mapping[str, Mapping[str, str]] | None = None,
) -> list[tuple[int, str, str | None]]:
    with pytest.raises(CatalogError) as caught:
        type_collection(read_collection(COLLECTION), tables, lambda: unanswered or {})
    return [(each.line, each.message.partition(": ")[2], each.hint) for each in caught.value.each()]


def test_what_fits_asks_for_no_more() -> None:
    def asked() -> Mapping[str, Mapping[str, str]]:
        raise AssertionError("asked for columns that are not answered, and none is missing")

    typed = type_collection(read_collection(COLLECTION), {"stores": STORES, "sales": SALES}, asked)
    assert str(typed.column_types["sales", "amount"]) == "decimal(12,2)"


def test_a_column_of_a_type_that_is_not_answered_is_told_as_that() -> None:
    left = {name: type_ for name, type_ in SALES.items() if name != "amount"}
    found = told(
        {"stores": STORES, "sales": left}, {"sales": {"amount": "JSON"}, "other": {"amount": "MAP"}}
    )
    assert found == [
        (
            13,
            "column amount of table sales is of type JSON, which is not answered",
            "store it as text, a number, a date or a timestamp; or, in a database, cast it in a"
            " view, and name the view as the schema's table; or leave the column out",
        )
    ]


def test_every_table_and_column_that_is_missing_and_nothing_that_follows() -> None:
    """`doubled` needs amount, `size` looks up a table that is not there: no mistakes of theirs."""
    tables = {"sales": {"id": INTEGER, "stor": INTEGER, "day": DATE}}
    assert told(tables, {"sales": {"amount": "JSON"}}) == [
        (4, "the database has no table stores for schema stores", None),
        (11, "table sales has no column store", "did you mean stor?"),
        (
            13,
            "column amount of table sales is of type JSON, which is not answered",
            "store it as text, a number, a date or a timestamp; or, in a database, cast it in a"
            " view, and name the view as the schema's table; or leave the column out",
        ),
    ]


def test_every_level_that_has_no_type_of_its_own() -> None:
    sales = {**SALES, "store": TEXT, "day": DOUBLE}
    assert [line for line, _, _ in told({"stores": STORES, "sales": sales})] == [11, 12]


def test_an_expression_that_does_not_fit_beside_a_column_that_is_missing() -> None:
    sales = {"id": INTEGER, "store": INTEGER, "amount": TEXT}
    assert [line for line, _, _ in told({"stores": STORES, "sales": sales})] == [12, 14]
