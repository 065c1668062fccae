"""Saved frames as tools see them: views whose columns are those of their answers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.composer.compose import answer_schema
from flightframe_server.resolver.saved_frames import fitted_collection
from flightframe_server.sql.tables import PublishedTable, published

AC = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: s, region: region}}
  - {name: sales, grain: [sale], columns: {sale: id, store: s, day: d, amount: amount}}
dimension_families:
  - name: place
    levels: [store, region]
    level_descriptions: {region: Where a store lies.}
    edges: [{from: store, to: region, via: stores}]
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - name: amount
    description: What was paid.
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM}]
frames:
  - name: by_region
    description: What each region paid.
    query: SELECT region, amount AS paid, amount / COUNT(amount) AS each AT region
  - {name: Levels, query: "SELECT month, y, amount AT (month, EXTRACT(year FROM month) AS y)"}
"""
TYPES = {
    "stores": {"s": TEXT, "region": TEXT},
    "sales": {"id": INTEGER, "s": TEXT, "d": DATE, "amount": decimal(10, 2)},
}


@pytest.fixture(scope="module")
def tables() -> dict[str, PublishedTable]:
    typed = fitted_collection(read_collection(AC), TYPES)
    return {table.name: table for table in published("here", typed).tables}


def test_frames_are_views_beside_the_other_tables(tables):
    assert {name: table.kind for name, table in tables.items()} == {
        "Levels": "VIEW",
        "by_region": "VIEW",
        "metrics": "TABLE",
        "sales": "TABLE",
        "stores": "TABLE",
    }
    assert list(tables) == sorted(tables)
    assert tables["by_region"].description == "What each region paid."


def test_the_columns_of_a_frame_have_the_types_of_its_answer(tables):
    for name in ("by_region", "Levels"):
        table = tables[name]
        assert table.saved is not None
        answered = answer_schema(table.saved)
        assert [(field.name, field.type, field.nullable) for field in table.schema] == [
            (field.name, field.type, field.nullable) for field in answered
        ]
    assert tables["by_region"].schema.field("paid").type == pa.decimal128(38, 2)


def facts(field: pa.Field) -> dict[str, str]:
    return {key.decode().split(":")[-1]: value.decode() for key, value in field.metadata.items()}


def test_what_is_said_of_a_column_is_what_its_level_or_metric_says(tables):
    region, paid, each = map(facts, tables["by_region"].schema)
    assert (region["role"], region["level"]) == ("level", "region")
    assert region["REMARKS"] == "Where a store lies."
    assert (paid["role"], paid["metric"], paid["reducer"]) == ("value", "amount", "SUM")
    assert (paid["REMARKS"], paid["PRECISION"], paid["SCALE"]) == ("What was paid.", "38", "2")
    assert each["role"] == "value"
    assert {"metric", "REMARKS"}.isdisjoint(each)
    assert each["TABLE_NAME"] == "by_region"
    assert facts(tables["Levels"].schema.field("y"))["role"] == "value"
