"""The ADBC driver in two versions: every call of its DB-API, run by one script."""

from __future__ import annotations

import pytest
from foreign_clients import ADBC
from foreign_expected import (
    ARROW_TYPES,
    BY_REGION,
    CATALOG,
    ENGINE_CACHE,
    NO_CREDENTIALS,
    NORTH,
    SALES,
    SALES_COLUMNS,
    SCHEMA,
    SOUTH,
    TABLES,
    TICKS,
    UNKNOWN_NAME,
    WRONG_PASSWORD,
)

pytestmark = pytest.mark.parametrize("client", ADBC, ids=lambda client: client.key)


def tables_of(objects: list[dict]) -> list[dict]:
    """The tables of a listing that holds one catalog and one schema."""
    (catalog,) = objects
    (schema,) = catalog["catalog_db_schemas"]
    assert (catalog["catalog_name"], schema["db_schema_name"]) == (CATALOG, SCHEMA)
    return schema["db_schema_tables"]


def columns_of(table: dict) -> list[str]:
    return [column["column_name"] for column in table["table_columns"]]


def test_every_step_was_taken(client, report):
    assert report["failed"] == {}
    assert tuple(report["steps"]) == client.steps
    assert report["served_from"] == dict.fromkeys(client.carriers, ENGINE_CACHE)
    # The tests' own environment may have a newer one.
    assert report["version"] >= "1.13" if client.setup == "main" else report["version"] == "1.9.0"


def test_values_and_types(client, report):
    steps = report["steps"]
    assert steps["execute"] == BY_REGION
    assert steps["types"] == {"types": ARROW_TYPES, "rows": SALES}
    assert steps["cursor again"] == [3, 3, 1]
    assert steps["a million rows"] == TICKS


def test_parameters_are_bound(client, report):
    steps = report["steps"]
    assert steps["parameters"] == [[NORTH], [SOUTH]]
    assert steps["prepare"] == {"0": "string"}
    assert steps["execute_schema"] == {"region": "string", "total": "decimal128(38, 2)"}


def test_many_rows_of_parameters_are_counted(client, report):
    # One row for each of the two regions.
    assert report["steps"]["executemany"] == 2


def test_partitions(client, report):
    assert report["steps"]["partitions"] == {
        "parts": 1,
        "names": ["region", "total"],
        "rows": BY_REGION,
    }


def test_objects_at_every_depth(client, report):
    depths = report["steps"]["get_objects"]
    assert depths["catalogs"] == [{"catalog_name": CATALOG, "catalog_db_schemas": None}]
    schemas = [{"db_schema_name": SCHEMA, "db_schema_tables": None}]
    assert depths["db_schemas"] == [{"catalog_name": CATALOG, "catalog_db_schemas": schemas}]
    listed = tables_of(depths["tables"])
    assert [table["table_name"] for table in listed] == TABLES
    assert {table["table_type"] for table in listed} == {"TABLE"}
    assert {str(table["table_columns"]) for table in listed} == {"None"}
    sales = tables_of(depths["columns"])[TABLES.index("sales")]
    assert columns_of(sales) == SALES_COLUMNS
    types = {column["column_name"]: column["xdbc_type_name"] for column in sales["table_columns"]}
    assert (types["amount"], types["moment"], types["gift"]) == ("DECIMAL", "TIMESTAMP", "BOOLEAN")


def test_objects_are_filtered(client, report):
    filtered = report["steps"]["get_objects filtered"]
    by_table = tables_of(filtered["by table"])
    assert [table["table_name"] for table in by_table] == ["sales", "stores"]
    (stores,) = tables_of(filtered["by column"])
    assert columns_of(stores) == ["region"]
    # The driver manager of 1.9 does not pass types on.
    found = [table["table_name"] for table in tables_of(filtered["by type"])]
    assert found == (TABLES if report["version"] == "1.9.0" else [])
    assert filtered["by schema"] == [{"catalog_name": CATALOG, "catalog_db_schemas": []}]
    assert filtered["by catalog"] == []


def test_tables_and_the_server_are_described(client, report):
    steps = report["steps"]
    assert steps["get_table_schema"] == {
        "sale": "int64",
        "store": "string",
        "day": "date32[day]",
        "moment": "timestamp[us]",
        "gift": "bool",
        # A column of facts is its metric at the table's grain: SUM of decimal(12,2).
        "amount": "decimal128(38, 2)",
        "weight": "double",
        "pieces": "int64",
    }
    assert steps["get_table_types"] == ["TABLE"]
    assert steps["get_info"]["vendor_name"] == "flightframe"


def test_a_read_is_cancelled_or_left_and_the_connection_goes_on(client, report):
    assert "anceled" in report["steps"]["cancel"]["told"]
    assert report["steps"]["early close"] == BY_REGION


def test_a_refusal_says_what_the_language_says(client, report):
    assert UNKNOWN_NAME in report["steps"]["refusal"]
    assert "Traceback (most" not in report["steps"]["refusal"]


def test_the_last_query_is_told(client, report):
    assert report["steps"]["served_from"] == "SELECT region, SUM(amount) AS total AT region"


def test_a_secured_server_is_entered_with_a_password_or_a_token(client, report):
    steps = report["steps"]
    assert steps["tls, user and password"] == BY_REGION
    assert steps["tls, token"] == BY_REGION
    assert WRONG_PASSWORD in steps["wrong password"]
    assert NO_CREDENTIALS in steps["no credentials"]
