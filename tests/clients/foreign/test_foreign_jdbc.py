"""The Arrow JDBC driver, the way into DBeaver, DataGrip, Tableau and the rest: one program, run on
each version of it."""

from __future__ import annotations

import pytest
from foreign_clients import JDBC
from foreign_expected import (
    BY_REGION,
    CATALOG,
    ENGINE_CACHE,
    NO_CREDENTIALS,
    NORTH,
    READS_ONLY,
    SALES,
    SCHEMA,
    SOUTH,
    STORES_COLUMNS,
    TABLES,
    TICKS,
    UNKNOWN_NAME,
    WRONG_PASSWORD,
)
from foreign_setups import SETUPS

# A version that the registry may not have runs where it was found; the end of the run counts it.
RUNNABLE = [client for client in JDBC if client.published or SETUPS[client.setup].missing() is None]
pytestmark = pytest.mark.parametrize("client", RUNNABLE, ids=lambda client: client.key)

BIGINT, BOOLEAN, DATE, DECIMAL, DOUBLE, TIMESTAMP, VARCHAR = -5, 16, 91, 3, 8, 93, 12

STORE = ("stores", "store", 1)
NO_ACTION = 3

# Getters that the driver itself leaves unwritten, whatever a server answers.
UNWRITTEN = {
    f"{name}(1)"
    for name in (
        "deletesAreDetected",
        "insertsAreDetected",
        "othersDeletesAreVisible",
        "othersInsertsAreVisible",
        "othersUpdatesAreVisible",
        "ownDeletesAreVisible",
        "ownInsertsAreVisible",
        "ownUpdatesAreVisible",
        "supportsResultSetHoldability",
        "updatesAreDetected",
    )
}
# 1 is no type of result set.
UNWRITTEN.add("supportsResultSetType(1)")

# What the driver makes of GetSqlInfo, by the ids of the specification.
GETTERS = {
    "getDatabaseProductName": "flightframe",  # 0
    "isReadOnly": True,  # 3
    "getIdentifierQuoteString": '"',  # 504
    "allTablesAreSelectable": True,  # 506
    "nullsAreSortedAtEnd": True,  # 507
    "nullsAreSortedHigh": False,
    "getSQLKeywords": "AT, PER",  # 508
    # 510
    "getStringFunctions": (
        "CHARACTER_LENGTH, CHAR_LENGTH, LEFT, LOWER, POSITION, REPLACE, RIGHT, SUBSTR, SUBSTRING,"
        " TRIM, UPPER"
    ),
    "getSearchStringEscape": "\\",  # 513
    "supportsColumnAliasing": True,  # 515
    "nullPlusNonNullIsNull": True,  # 516
    "supportsConvert": False,  # 517
    "supportsExpressionsInOrderBy": True,  # 520
    "supportsOrderByUnrelated": True,  # 521
    "supportsGroupBy": True,  # 522
    "supportsGroupByUnrelated": True,
    "supportsGroupByBeyondSelect": True,
    "supportsNonNullableColumns": False,  # 524
    "supportsMinimumSQLGrammar": True,  # 525
    "supportsANSI92EntryLevelSQL": False,  # 526
    "supportsOuterJoins": True,  # 528
    "supportsLimitedOuterJoins": True,
    "supportsFullOuterJoins": False,
    "getSchemaTerm": "schema",  # 529
    "getCatalogTerm": "catalog",  # 531
    "isCatalogAtStart": True,  # 532
    "supportsSelectForUpdate": False,  # 536
    "supportsStoredProcedures": False,  # 537
    "supportsUnion": True,  # 540
    "getMaxStatementLength": 1_048_576,  # 557
    "getMaxConnections": 0,  # 549
    "getDefaultTransactionIsolation": 0,  # 562
    "supportsTransactions": False,  # 563
    "supportsBatchUpdates": False,  # 572
    "supportsSavepoints": False,  # 573
    "supportsNamedParameters": False,  # 574
    "getCatalogs": "rows: 1",
    "getSchemas": "rows: 1",
    "getTableTypes": "rows: 1",
}


def none_of(columns: list[str]) -> dict:
    """A result without rows; a plain statement then shows its columns twice, by the driver's doing.

    It adds what it prepared to what it prepared before, and only a first row makes that good.
    """
    return {"prepared": columns, "statement": columns * 2, "rows": 0}


def rows(pairs: list) -> list[dict]:
    return [{"region": region, "total": total} for region, total in pairs]


def test_every_step_was_taken(client, report):
    assert report["failed"] == {}
    assert tuple(report["steps"]) == client.steps
    assert report["served_from"] == dict.fromkeys(client.carriers, ENGINE_CACHE)
    assert report["steps"]["database metadata"]["getDriverVersion"] == client.version


def test_a_connection_reads_and_commits_nothing(client, report):
    assert report["steps"]["connect"] == {
        "valid": True,
        "read only": True,
        "auto commit": True,
        "isolation": 0,
        "closed": False,
    }
    assert report["steps"]["close"] is True


def test_values(client, report):
    steps = report["steps"]
    assert steps["execute"] == rows(BY_REGION)
    # The JDBC text of a timestamp has at least one digit of a second.
    assert steps["types"] == [
        row
        | {"text": row["day"]}
        | {"moment": row["moment"] and row["moment"] + ("" if "." in row["moment"] else ".0")}
        for row in SALES
    ]
    assert steps["a million rows"] == TICKS
    assert steps["statement again"] == [3, 3, 1]
    assert steps["max rows"] == 2


def test_the_columns_of_a_result(client, report):
    columns = report["steps"]["result set metadata"]
    assert {column["label"]: column["type"] for column in columns} == {
        "sale": BIGINT,
        "moment": TIMESTAMP,
        "day": DATE,
        "gift": BOOLEAN,
        "amount": DECIMAL,
        "weight": DOUBLE,
        "pieces": BIGINT,
    }
    digits = {column["label"]: (column["precision"], column["scale"]) for column in columns}
    # SUM of decimal(12,2); a timestamp is written in 26 characters, 6 of them after the point.
    assert digits == {
        "sale": (19, 0),
        "moment": (26, 6),
        "day": (10, 0),
        "gift": (0, 0),
        "amount": (38, 2),
        "weight": (15, 0),
        "pieces": (19, 0),
    }
    assert {column["read only"] for column in columns} == {True}


def test_parameters_are_bound(client, report):
    steps = report["steps"]
    # From the 29th on, below the fourth, no gift: the second sale alone.
    only = {"sale": 2, "amount": "0.20"}
    assert steps["parameters"] == [*rows([NORTH, SOUTH]), only]
    typed = ["Date(DAY)", "Int(64, true)", "Bool"]
    assert steps["parameter metadata"] == {"parameters": typed, "columns": 2}


def test_a_moment_that_is_bound_is_that_moment(client, report):
    second, third = {"sale": 2, "pieces": 2}, {"sale": 3, "pieces": 3}
    # The second sale is a microsecond after the first of these, the third at the next one.
    assert report["steps"]["moments as parameters"] == {
        "2024-02-29 23:59:59": [second, third],
        "2024-03-01 00:00:00": [],
        "2030-01-01 00:00:00": [],
        "null": [],
    }


def test_every_getter_of_the_database_answers(client, report):
    found = report["steps"]["database metadata"]
    assert len(found) > 150
    failed = {name for name, value in found.items() if str(value).startswith("failed")}
    assert failed == UNWRITTEN
    assert {name: found[name] for name in GETTERS} == GETTERS


def test_what_the_getters_promise_is_answered_and_nothing_else(client, report):
    found, answered = report["steps"]["database metadata"], report["steps"]["promises"]
    assert {name: found[name] for name in answered} == answered
    assert set(answered.values()) == {True, False}


def test_catalogs_schemas_and_tables(client, report):
    found = report["steps"]["catalogs, schemas and tables"]
    schemas = [{"TABLE_SCHEM": SCHEMA, "TABLE_CATALOG": CATALOG}]
    (stores,) = found.pop("one table")
    named = {name: stores[name] for name in ("TABLE_CAT", "TABLE_SCHEM", "TABLE_TYPE")}
    assert named == {"TABLE_CAT": CATALOG, "TABLE_SCHEM": SCHEMA, "TABLE_TYPE": "TABLE"}
    assert found == {
        "catalogs": [{"TABLE_CAT": CATALOG}],
        "schemas": schemas,
        "schemas by pattern": schemas,
        "schemas elsewhere": [],
        "table types": [{"TABLE_TYPE": "TABLE"}],
        "tables": TABLES,
        "tables by pattern": ["stores"],
        "tables by type": TABLES,
        "views": [],
    }


def test_columns(client, report):
    found = report["steps"]["columns"]
    stores = [(column["COLUMN_NAME"], column["DATA_TYPE"]) for column in found["stores"]]
    assert stores == [(name, VARCHAR) for name in STORES_COLUMNS]
    assert [column["ORDINAL_POSITION"] for column in found["stores"]] == [1, 2]
    moment, amount = found["by pattern"]
    assert (moment["COLUMN_NAME"], moment["TYPE_NAME"]) == ("moment", "TIMESTAMP")
    # A column of facts is its metric at the table's grain: SUM of decimal(12,2).
    assert (amount["COLUMN_SIZE"], amount["DECIMAL_DIGITS"]) == (38, 2)
    assert {column["NULLABLE"] for column in found["by pattern"]} == {1}
    metrics = {column["COLUMN_NAME"]: column for column in found["metrics"]}
    assert {"region", "amount", "reading"} < set(metrics)
    # Older drivers do not read what a column is for.
    words = None if client.version.startswith("17") else "what was paid, in euros"
    assert metrics["amount"]["REMARKS"] == words


def test_keys_come_from_grains_and_edges(client, report):
    keys = report["steps"]["keys"]
    (primary,) = keys.pop("primary")
    assert (primary["TABLE_NAME"], primary["COLUMN_NAME"], primary["KEY_SEQ"]) == STORE
    # The one edge through a table: store to region via stores.
    for (key,) in keys.values():
        assert (key["PKTABLE_NAME"], key["PKCOLUMN_NAME"], key["KEY_SEQ"]) == STORE
        assert (key["FKTABLE_NAME"], key["FKCOLUMN_NAME"]) == ("sales", "store")
        assert (key["UPDATE_RULE"], key["DELETE_RULE"]) == (NO_ACTION, NO_ACTION)
    assert set(keys) == {"imported", "exported", "between"}


def test_what_tools_send_beside_queries(client, report):
    assert report["steps"]["probes"] == {
        "table": [
            {"store": store, "region": region}
            for store, region in (("S1", "North"), ("S2", "North"), ("S3", "South"), ("S4", None))
        ],
        "columns alone": none_of(["store", "region"]),
        "no rows": none_of(["region", "amount"]),
        "columns": [{"name": "region"}, {"name": "store"}],
        "tables": [{"table_name": name} for name in TABLES],
        "session": [{"c": CATALOG, "s": SCHEMA, "u": None}],
    }


def test_a_read_is_left_or_cancelled_and_the_connection_goes_on(client, report):
    assert report["steps"]["early close"] == rows(BY_REGION)
    assert report["steps"]["cancel"] == {"stopped": True, "answers still": [{"1": 1}]}


def test_refusals(client, report):
    assert UNKNOWN_NAME in report["steps"]["refusal"]
    assert READS_ONLY in report["steps"]["update refused"]
    assert "Traceback (most" not in report["steps"]["refusal"]


def test_credentials_and_headers_are_taken_where_nobody_checks(client, report):
    assert report["steps"]["user and password"] == rows(BY_REGION)
    assert report["steps"]["unknown properties"] == rows(BY_REGION)


def test_a_catalog_of_the_address_is_this_installation_or_nothing(client, report):
    found = report["steps"]["catalog"]
    assert found["rows"] == rows(BY_REGION)
    # Before 19 the driver closes such a session twice, the second time over a closed channel.
    twice = None if client.version.startswith("19") else "Channel shutdown invoked"
    assert found["closing"] == twice
    assert isinstance(report["steps"]["another catalog"], str)
    assert "Traceback (most" not in report["steps"]["another catalog"]


def test_the_last_query_is_told(client, report):
    assert report["steps"]["served_from"] == "SELECT region, SUM(amount) AS total AT region"


def test_a_secured_server_is_entered_with_a_password_or_a_token(client, report):
    steps = report["steps"]
    assert steps["tls, user and password"] == rows(BY_REGION)
    assert steps["tls, token"] == rows(BY_REGION)
    assert WRONG_PASSWORD in steps["wrong password"]
    assert NO_CREDENTIALS in steps["no credentials"]
