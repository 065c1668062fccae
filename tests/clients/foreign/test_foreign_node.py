"""The two clients for Node: one over grpc-js, which sends plain statements, one over Rust, which
prepares every query."""

from __future__ import annotations

import pytest
from foreign_clients import GIZMOSQL, LAKEHOUSE
from foreign_expected import (
    BY_REGION,
    CATALOG,
    ENGINE_CACHE,
    NO_CREDENTIALS,
    SALES,
    SCHEMA,
    TABLES,
    TICKS,
    UNKNOWN_NAME,
    WRONG_PASSWORD,
)

BOTH = pytest.mark.parametrize("client", [GIZMOSQL, LAKEHOUSE], ids=lambda client: client.key)
FIRST = pytest.mark.parametrize("client", [GIZMOSQL], ids=lambda client: client.key)
SECOND = pytest.mark.parametrize("client", [LAKEHOUSE], ids=lambda client: client.key)


def in_javascript(row: dict) -> dict:
    """A row as the scripts write it: integers as texts, days and moments as ISO instants.

    A moment of JavaScript has milliseconds; the microsecond of the second sale is cut by it.
    """
    moment = row["moment"] and f"{row['moment'][:19].replace(' ', 'T')}.000Z"
    return row | {
        "sale": str(row["sale"]),
        "moment": moment,
        "day": f"{row['day']}T00:00:00.000Z",
        "pieces": row["pieces"] and str(row["pieces"]),
    }


@BOTH
def test_every_step_was_taken(client, report):
    assert report["failed"] == {}
    assert tuple(report["steps"]) == client.steps
    assert report["served_from"] == dict.fromkeys(client.carriers, ENGINE_CACHE)
    assert report["version"] == client.version


@BOTH
def test_values_and_types(client, report):
    steps = report["steps"]
    assert steps["execute"] == [{"region": r, "total": total} for r, total in BY_REGION]
    assert steps["types"]["rows"] == [in_javascript(row) for row in SALES]
    assert steps["types"]["types"] == {
        "sale": "Int64",
        "moment": "Timestamp<MICROSECOND>",
        "day": "Date32<DAY>",
        "gift": "Bool",
        "amount": "Decimal[38e+2]",
        "weight": "Float64",
        "pieces": "Int64",
    }
    assert steps["a million rows"] == {"rows": TICKS["rows"], "sum": str(TICKS["sum"])}


@BOTH
def test_the_last_query_is_told(client, report):
    assert report["steps"]["served_from"] == "SELECT region, SUM(amount) AS total AT region"


@FIRST
def test_the_catalog_over_grpc_js(client, report):
    def table(name: str) -> dict:
        return {"catalog": CATALOG, "schema": SCHEMA, "tableName": name, "tableType": "TABLE"}

    assert report["steps"]["metadata"] == {
        "catalogs": [CATALOG],
        "schemas": [{"catalog": CATALOG, "schema": SCHEMA}],
        "tables": [table(name) for name in TABLES],
        "narrowed": [table("stores")],
        "types": ["TABLE"],
    }


@FIRST
def test_the_server_over_grpc_js(client, report):
    # Name, read-only, no transactions, the quote, the longest statement.
    info = {"0": "flightframe", "3": True, "8": 0, "504": '"', "557": "1048576"}
    assert report["steps"]["get_info"] == info
    # 0-11, 100-101, 500-576.
    assert report["steps"]["get_info of all"] == 12 + 2 + 77


@FIRST
def test_a_refusal_over_grpc_js(client, report):
    assert UNKNOWN_NAME in report["steps"]["refusal"]


@SECOND
def test_the_catalog_over_rust(client, report):
    def table(name: str) -> dict:
        place = {"catalog_name": CATALOG, "db_schema_name": SCHEMA}
        return place | {"table_name": name, "table_type": "TABLE"}

    assert report["steps"]["metadata"] == {
        "catalogs": [{"catalog_name": CATALOG}],
        "schemas": [{"catalog_name": CATALOG, "db_schema_name": SCHEMA}],
        "tables": [table(name) for name in TABLES],
        "narrowed": [table("stores")],
    }


@SECOND
def test_a_refusal_over_rust(client, report):
    # The client keeps the server's words to itself.
    assert report["steps"]["refusal"] == "failed to prepare statement"


@FIRST
def test_a_secured_server_over_grpc_js(client, report):
    steps = report["steps"]
    assert steps["tls, user and password"] == steps["tls, token"] == steps["execute"]
    assert WRONG_PASSWORD in steps["wrong password"]
    assert NO_CREDENTIALS in steps["no credentials"]


@SECOND
def test_a_server_that_asks_over_rust(client, report):
    steps = report["steps"]
    assert steps["user and password"] == steps["token"] == steps["execute"]
    # The client keeps the server's words to itself.
    assert steps["no credentials"] == "failed to prepare statement"
