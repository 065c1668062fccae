"""flightsql-dbapi: its DB-API and its SQLAlchemy dialect, with and without prepared statements."""

from __future__ import annotations

import pytest
from foreign_clients import DBAPI
from foreign_expected import (
    ENGINE_CACHE,
    NORTH,
    SALES,
    SALES_COLUMNS,
    SCHEMA,
    SOUTH,
    STORES_COLUMNS,
    TABLES,
    TICKS,
    UNKNOWN_NAME,
    WRONG_PASSWORD,
)

pytestmark = pytest.mark.parametrize("client", [DBAPI], ids=lambda client: client.key)

# It reads through pandas: a missing text or double is NaN, a missing moment NaT, a day a midnight.
THROUGH_PANDAS = [NORTH, SOUTH, ["nan", None]]


def through_pandas(row: dict) -> list:
    moment = "NaT" if row["moment"] is None else row["moment"]
    weight = "nan" if row["weight"] is None else row["weight"]
    day = f"{row['day']} 00:00:00"
    return [row["sale"], moment, day, row["gift"], row["amount"], weight, row["pieces"]]


def test_every_step_was_taken(client, report):
    assert report["failed"] == {}
    assert tuple(report["steps"]) == client.steps
    assert report["served_from"] == dict.fromkeys(client.carriers, ENGINE_CACHE)
    assert report["version"] == client.version


def test_values_and_types(client, report):
    steps = report["steps"]
    assert steps["execute"] == THROUGH_PANDAS
    assert steps["types"]["rows"] == [through_pandas(row) for row in SALES]
    assert steps["types"]["types"] == {
        "sale": "BIGINT",
        "moment": "TIMESTAMP",
        "day": "DATE",
        "gift": "BOOLEAN",
        "amount": "DECIMAL",
        "weight": "FLOAT",
        "pieces": "BIGINT",
    }
    assert steps["a million rows"] == TICKS


def test_parameters_come_in_dense_unions(client, report):
    assert report["steps"]["parameters"] == [[NORTH], [SOUTH]]
    # It runs each row by itself and keeps no result.
    assert report["steps"]["executemany"] == []


def test_the_catalog(client, report):
    assert report["steps"]["metadata"] == {
        "schemas": [SCHEMA],
        "tables": TABLES,
        "columns": [["store", "TEXT"], ["region", "TEXT"]],
        "info": {"0": "flightframe", "2": report["steps"]["metadata"]["info"]["2"], "3": True}
        | {"504": '"'},
    }


def test_keys_come_from_grains_and_edges(client, report):
    (primary,) = report["steps"]["keys"]["primary"]
    assert (primary["table_name"], primary["column_name"]) == ("stores", "store")
    (foreign,) = report["steps"]["keys"]["foreign"]
    assert (foreign["fk_table_name"], foreign["fk_column_name"]) == ("sales", "store")
    assert (foreign["pk_table_name"], foreign["pk_column_name"]) == ("stores", "store")


def test_sqlalchemy_runs_inspects_and_reflects(client, report):
    steps = report["steps"]
    assert steps["sqlalchemy execute"] == THROUGH_PANDAS
    found = steps["sqlalchemy inspect"]
    assert (found["schemas"], found["tables"]) == ([SCHEMA], TABLES)
    assert [name for name, _, _ in found["columns"]] == SALES_COLUMNS
    types = {name: kind for name, kind, _ in found["columns"]}
    assert (types["day"], types["amount"], types["gift"]) == ("DATE", "DECIMAL", "BOOLEAN")
    assert steps["sqlalchemy reflect"] == STORES_COLUMNS
    assert steps["sqlalchemy prepared parameters"] == [[NORTH], [SOUTH]]


def test_the_dialect_of_the_plug_in_for_superset(client, report):
    found = report["steps"]["flightframe+flightsql"]
    assert (found["schema"], found["tables"]) == (SCHEMA, TABLES)
    assert found["roles"] == {
        "region": {"flightframe:role": "level"},
        "amount": {"flightframe:role": "metric"},
    }
    assert found["type"] == "DECIMAL(38, 2)"
    # Every identifier is quoted, since a name may be a word of Frame-QL.
    assert " ".join(found["text"].split()) == (
        'SELECT "shop"."metrics"."region", sum("shop"."metrics"."amount") AS "total"'
        ' FROM "shop"."metrics" WHERE "shop"."metrics"."region" = \'North\''
        ' GROUP BY "shop"."metrics"."region"'
    )
    assert found["rows"] == [NORTH]
    assert found["no table"] == "NoSuchTableError: stoers"
    assert found["a collection"].startswith("ArgumentError: flightframe+flightsql:// cannot choose")


def test_a_refusal_says_what_the_language_says(client, report):
    assert UNKNOWN_NAME in report["steps"]["refusal"]


def test_the_last_query_is_told(client, report):
    assert report["steps"]["served_from"] == "SELECT region, SUM(amount) AS total AT region"


def test_a_secured_server_is_entered_with_a_password_or_a_token(client, report):
    steps = report["steps"]
    assert steps["tls, user and password"] == THROUGH_PANDAS
    assert steps["tls, token"] == THROUGH_PANDAS
    assert WRONG_PASSWORD in steps["wrong password"]
    # It sends an empty Bearer where it has nothing to send.
    assert "UNAUTHENTICATED: the token is unknown" in steps["no credentials"]
