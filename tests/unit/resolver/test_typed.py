"""Columns and levels get one type each: from tables, expressions, functions, mappings and roles."""

import pytest

from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
    fine_timestamp,
)
from flightframe_server.catalog import read_collection
from flightframe_server.errors import CatalogError
from flightframe_server.resolver.typed import type_collection

BERLIN = "Europe/Berlin"
OF_BERLIN = DataType(Kind.TIMESTAMP, zone=BERLIN)
COLLECTION = """\
version: 1
name: shop
timezone: Europe/Berlin
schemas:
  - {name: stores, grain: [store], columns: {store: id, town: town, size: size}}
  - {name: towns, grain: [town], columns: {town: town, region: region, mark: mark}}
  - name: sales
    grain: [sale]
    columns:
      sale: id
      store: store
      home: home
      moment: moment
      noted: noted
      mark: mark
      amount: amount
      doubled: {expr: "amount * 2", type: "decimal(18,2)"}
      wide: {lookup: size, via: {schema: stores, on: [store]}}
dimension_families:
  - {name: sellers, levels: [store], edges: [{from: store, to: town, via: stores}]}
  - {name: marks, levels: [mark]}
  - {name: places, levels: [town, region], edges: [{from: town, to: region, via: towns}]}
  - name: calendar
    levels: [moment, hour, day]
    edges:
      - {from: hour, to: day, derived_by: DAY_OF}
      - {from: moment, to: hour, derived_by: HOUR_OF}
derived_dimensions:
  - {name: big, source: region, mapping: {West: true, East: false}}
  - {name: rank, source: region, mapping: {West: 1, East: 2.5}}
  - {name: score, source: region, mapping: {West: 1, East: 2}, default: 3}
roles:
  - {name: seller_town, level: town, from: store}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
"""
TABLES = {
    "stores": {"id": INTEGER, "town": TEXT, "size": INTEGER},
    "towns": {"town": TEXT, "region": TEXT, "mark": decimal(9, 3)},
    "sales": {
        **{"id": INTEGER, "store": INTEGER, "home": TEXT, "mark": decimal(12, 1)},
        **{"moment": fine_timestamp("UTC"), "noted": TIMESTAMP, "amount": decimal(12, 2)},
    },
}


def typed(old="", new="", **sales):
    """The collection with one text replaced, and other types of columns of sales."""
    assert old in COLLECTION
    tables = {**TABLES, "sales": {**TABLES["sales"], **sales}}
    return type_collection(read_collection(COLLECTION.replace(old, new, 1)), tables)


def mistakes(*change, **sales):
    """The mistakes of a changed collection."""
    with pytest.raises(CatalogError) as found:
        typed(*change, **sales)
    return [error.message.partition(": ")[2] or error.message for error in found.value.each()]


@pytest.mark.parametrize(
    ("level", "type_"),
    [
        ("store", INTEGER),
        ("region", TEXT),
        # A role is of the type of the level that it plays.
        ("seller_town", TEXT),
        # An hour of instants is one, a day is none; instants are of the collection's zone.
        ("moment", OF_BERLIN),
        ("hour", OF_BERLIN),
        ("day", DATE),
        # The mark that keeps the most places.
        ("mark", decimal(9, 3)),
        # A mapping is of the one type that it lists, and a text where it lists two.
        ("big", BOOLEAN),
        ("score", INTEGER),
        ("rank", TEXT),
    ],
)
def test_the_type_of_a_level(level, type_):
    assert typed().level_types[level] == type_


def test_a_column_counts_microseconds_and_its_table_may_keep_more():
    found = typed()
    assert found.column_types["sales", "moment"] == OF_BERLIN
    assert found.stored_type("sales", "moment") == fine_timestamp(BERLIN)
    assert found.stored_type("sales", "noted") == TIMESTAMP
    assert found.fine == {("sales", "moment")}
    assert found.column_types["sales", "wide"] == INTEGER
    assert found.zone == BERLIN


def test_the_name_that_a_column_has_in_its_table():
    assert typed().source_column("stores", "store") == "id"
    with pytest.raises(CatalogError, match="column doubled is not stored in a table"):
        typed().source_column("sales", "doubled")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'expr: "amount * 2", type: "decimal(18,2)"',
            "expr: home, type: integer",
            "doubled is text, not integer",
        ),
        ("amount * 2", "amount * home", "* takes numbers, not text"),
        ("amount * 2", "FOO(amount)", "there is no function FOO"),
        ("[mark]", "[mark, ghost]", "level ghost is in no schema and no edge leads to it"),
        (
            "home: home",
            "seller_town: amount",
            "level seller_town is decimal(12,2) elsewhere, and plays one that is text",
        ),
    ],
)
def test_what_does_not_fit(old, new, said):
    assert mistakes(old, new) == [said]


def test_a_column_that_is_looked_up_stands_in_a_table():
    change = ("size: size}", "size: {expr: 'store + 1', type: integer}}")
    assert mistakes(*change) == ["size is not stored in a table"]


def test_moments_with_a_zone_and_moments_without_are_two_types():
    assert mistakes("home: home", "hour: noted") == [
        "level hour is timestamp elsewhere and timestamp[Europe/Berlin] here"
    ]
