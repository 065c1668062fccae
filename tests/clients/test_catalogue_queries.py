"""SQL that tools send beside their queries, as they write it; no database is asked."""

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import CENTRAL, info_of, packed, table_of
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.errors import BackendError
from flightframe_server.flight.server import FlightServer
from flightframe_server.sql import catalogue_query


def ask(client: flight.FlightClient, query: str) -> pa.Table:
    return table_of(client, sql.CommandStatementQuery(query=query))


def rows(client: flight.FlightClient, query: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in ask(client, query).to_pylist()]


@pytest.fixture
def no_query(retail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of which nothing but its version may be asked."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    for engine in retail.runtime.engines.values():
        for name in ("run", "text", "edge_map", "duplicate", "statistics", "tables"):
            monkeypatch.setattr(engine.backend, name, asked)


@pytest.fixture
def no_database(server, retail, no_query, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that went away after its tables were listed once."""
    assert list(server._state.tables)

    def away(*_: object, **__: object) -> None:
        raise BackendError("the database is away")

    for engine in retail.runtime.engines.values():
        monkeypatch.setattr(engine.backend, "fingerprints", away)


METRICS = [
    *("store", "region", "product", "category", "day", "week", "month", "quarter", "year"),
    *("transaction", "revenue", "cost", "units", "on_hand", "profit", "margin"),
]
TABLES = [
    *("metrics", "products", "region_daily_summary", "store_monthly_inventory", "stores"),
    "transactions",
]

KEYS = [
    ("store_monthly_inventory", "fk_store_monthly_inventory_store_stores"),
    ("transactions", "fk_transactions_product_products"),
    ("transactions", "fk_transactions_store_stores"),
    *((table, f"pk_{table}") for table in TABLES if table != "metrics"),
]

# Tool, statement, the columns, the rows; None where their number is all that is looked at.
PROBES = {
    "Grafana": ("select 1", ["1"], [(1,)]),
    "Metabase": ("SELECT 1;", ["1"], [(1,)]),
    "a pool": ("/* ping */ SELECT 1 AS alive -- x", ["alive"], [(1,)]),
    "Metabase tables": (
        "SHOW TABLES",
        ["table_schema", "table_name"],
        [("retail_full", table) for table in sorted([*TABLES, "monthly_sales"])],
    ),
    "tables of a schema": (
        "show tables from RETAIL_FULL like 'STORE%'",
        ["table_schema", "table_name"],
        [("retail_full", "store_monthly_inventory"), ("retail_full", "stores")],
    ),
    "schemas": ("SHOW SCHEMAS", ["schema_name"], [("retail_full",)]),
    "Metabase table": (
        'DESCRIBE "retail_full"."stores"',
        ["column_name", "data_type", "is_nullable", "description"],
        [
            ("store", "VARCHAR", "YES", "A store, by its number."),
            ("region", "VARCHAR", "YES", "The region a store lies in."),
        ],
    ),
    "Metabase columns": (
        "SELECT table_schema, column_name, data_type, numeric_scale FROM information_schema.columns"
        " WHERE 1 >= 1 AND lower(table_name) IN ('metrics') AND column_name IN ('revenue', 'day')",
        ["table_schema", "column_name", "data_type", "numeric_scale"],
        [("retail_full", "day", "DATE", None), ("retail_full", "revenue", "DECIMAL", 2)],
    ),
    "JDBC tools": (
        "SELECT table_catalog, table_type, COUNT_ FROM"
        ' (SELECT t.*, 1 AS COUNT_ FROM "retail-demo".information_schema.tables t) x'
        " WHERE x.table_name = 'metrics'",
        ["table_catalog", "table_type", "COUNT_"],
        [("retail-demo", "BASE TABLE", 1)],
    ),
    "schemata": (
        "SELECT catalog_name, schema_name FROM information_schema.schemata",
        ["catalog_name", "schema_name"],
        [("retail-demo", "retail_full")],
    ),
    "Power BI keys": (
        "SELECT table_name, constraint_name, constraint_type"
        " FROM information_schema.table_constraints WHERE table_schema = 'retail_full'"
        " ORDER BY constraint_name",
        ["table_name", "constraint_name", "constraint_type"],
        [
            (table, name, "FOREIGN KEY" if name.startswith("fk") else "PRIMARY KEY")
            for table, name in KEYS
        ],
    ),
    "Power BI key columns": (
        "SELECT table_name, column_name, ordinal_position, position_in_unique_constraint"
        " FROM information_schema.key_column_usage"
        " WHERE table_name IN ('region_daily_summary', 'transactions')"
        " ORDER BY constraint_name, ordinal_position",
        [
            "table_name",
            "column_name",
            "ordinal_position",
            "position_in_unique_constraint",
        ],
        [
            ("transactions", "product", 1, 1),
            ("transactions", "store", 1, 1),
            ("region_daily_summary", "region", 1, None),
            ("region_daily_summary", "day", 2, None),
            ("transactions", "transaction", 1, None),
        ],
    ),
    "references": (
        "SELECT constraint_name, unique_constraint_name"
        " FROM information_schema.referential_constraints ORDER BY constraint_name",
        ["constraint_name", "unique_constraint_name"],
        [
            ("fk_store_monthly_inventory_store_stores", "pk_stores"),
            ("fk_transactions_product_products", "pk_products"),
            ("fk_transactions_store_stores", "pk_stores"),
        ],
    ),
    "a count": ("SELECT COUNT(*) AS n FROM information_schema.tables", ["n"], [(7,)]),
    "DBeaver": ('SELECT * FROM "retail-demo"."retail_full"."metrics" WHERE 1=0', METRICS, []),
    "DBeaver again": ("SELECT * FROM retail_full.metrics WHERE 1 <> 1", METRICS, []),
    "a preview": ("SELECT m.* FROM metrics m LIMIT 0", METRICS, []),
    "Tableau": (
        'SELECT * FROM (SELECT region, revenue FROM "retail_full"."metrics")'
        ' "Custom SQL Query" LIMIT 0',
        ["region", "revenue"],
        [],
    ),
    "renamed": (
        'SELECT "t"."revenue" AS "sum:revenue:ok" FROM metrics t WHERE 1 = 0',
        ["sum:revenue:ok"],
        [],
    ),
    "a table's columns": ("SELECT * FROM stores WHERE FALSE", ["store", "region"], []),
}


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("tool", PROBES)
def test_a_probe_is_answered_and_no_database_asked(client, tool):
    query, columns, expected = PROBES[tool]
    table = ask(client, query)
    assert table.column_names == columns
    assert [tuple(row.values()) for row in table.to_pylist()] == expected
    assert table.schema.metadata[b"served_from"] == b"engine_cache"


@pytest.mark.usefixtures("no_query")
def test_an_at_inside_a_text_is_no_anchor(client):
    table = ask(client, "SELECT * FROM metrics WHERE region = 'look at' AND 1 = 0")
    assert (table.column_names, table.num_rows) == (METRICS, 0)
    query = "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name <> 'at'"
    assert rows(client, query) == [(7,)]


def test_columns_alone_have_the_types_of_the_catalogue_and_no_remark(client):
    schema = ask(client, "SELECT revenue AS r, day FROM metrics LIMIT 0").schema
    assert schema.field("r").type == pa.decimal128(38, 2)
    assert schema.field("day").type == pa.date32()
    metadata = schema.field("r").metadata
    # JDBC would show it as the column's name.
    assert b"ARROW:FLIGHT:SQL:REMARKS" not in metadata


def test_the_information_schema_lists_what_the_commands_list(client):
    by_command = {
        (row["db_schema_name"], row["table_name"]): pa.ipc.read_schema(
            pa.py_buffer(row["table_schema"])
        ).names
        for row in table_of(client, sql.CommandGetTables(include_schema=True)).to_pylist()
    }
    by_query: dict[tuple[object, object], list[object]] = {}
    query = (
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " ORDER BY table_name, ordinal_position"
    )
    for schema, table, column in rows(client, query):
        by_query.setdefault((schema, table), []).append(column)
    assert by_query == by_command


def test_the_last_queries_are_searched(client):
    ask(client, "SELECT region, cost AT region WHERE region = 'East'")
    found = rows(
        client,
        "SELECT source, rows FROM system.last_queries WHERE at > '2020-01-01'"
        " AND source LIKE '%cost%East%' ORDER BY at DESC LIMIT 1",
    )
    assert found == [("SELECT region, cost AT region WHERE region = 'East'", 1)]


# The table as it stands in the database, in the words of its schema.
STORED = {
    "stores": "SELECT store_id, region FROM stores ORDER BY ALL",
    "products": "SELECT sku, category FROM products ORDER BY ALL",
    "store_monthly_inventory": (
        "SELECT store_id, CAST(month AS DATE), on_hand FROM store_monthly_inventory ORDER BY ALL"
    ),
    "region_daily_summary": (
        "SELECT region, day, revenue, cost FROM region_daily_summary ORDER BY ALL"
    ),
}


@pytest.mark.parametrize("table", STORED)
def test_the_rows_of_a_table_are_the_rows_of_the_table(client, retail_folder, table):
    files = retail_folder / f"{table}.parquet"
    with duckdb.connect() as database:
        expected = database.sql(
            STORED[table].replace(f"FROM {table}", f"FROM '{files}'")
        ).fetchall()
    assert rows(client, f'SELECT * FROM "{table}"') == expected
    assert (
        rows(client, f"SELECT t.* FROM retail_full.{table} AS t LIMIT 5 OFFSET 2") == expected[2:7]
    )


def test_facts_at_their_grain_are_the_rows_own_values(client, retail_folder):
    with duckdb.connect() as database:
        expected = database.sql(
            "SELECT transaction_id, store_id, sku, day, quantity, revenue, cost"
            f" FROM '{retail_folder}/transactions.parquet' ORDER BY transaction_id LIMIT 500"
        ).fetchall()
    assert rows(client, "SELECT * FROM transactions LIMIT 500") == expected


def test_pandas_reads_a_table_by_its_name(server: FlightServer):
    with dbapi.connect(server.uri, autocommit=True) as connected:
        frame = pd.read_sql("stores", connected)
        assert frame.columns.tolist() == ["store", "region"]
        assert len(frame) == 13
        parameters = dict(zip(frame["store"], frame["region"], strict=True))
        with connected.cursor() as cursor:
            cursor.execute("SELECT * FROM stores LIMIT ?", (3,))
            assert dict(cursor.fetchall()).items() <= parameters.items()
            query = (
                "SELECT table_name FROM information_schema.tables WHERE table_name LIKE ? LIMIT ?"
            )
            cursor.execute(query, ("st%", 1))
            assert cursor.fetchall() == [("store_monthly_inventory",)]


REFUSED = {
    # What lacks its anchor is told so by the language.
    "SELECT region, revenue": "PARSE: a query names its grain",
    "SELECT COUNT(*)": "PARSE: a query names its grain",
    "SELECT * FROM nope": "PARSE: a query names its grain",
    # The rest names what is missing.
    "SELECT * FROM metrics": "NOT_SUPPORTED: the table of metrics has no rows",
    "SELECT region, revenue FROM metrics": "NOT_SUPPORTED: the table of metrics .* AT in Frame-QL",
    "SELECT * FROM retail_full.metrics LIMIT 200": "NOT_SUPPORTED: the table of metrics",
    "SELECT * FROM information_schema.views": "UNKNOWN_NAME: there is no table information_schema",
    "SELECT nope FROM information_schema.tables": "UNKNOWN_NAME: there is no column nope",
    "DESCRIBE nope": "UNKNOWN_NAME: there is no table nope",
    "SELECT t.table_name FROM information_schema.tables t, information_schema.columns c": (
        "NOT_SUPPORTED: JOIN"
    ),
    "SELECT table_name FROM information_schema.tables WHERE table_name = 5": "TYPE",
    "SELECT table_name FROM information_schema.tables WHERE table_name = ?": (
        "UNKNOWN_NAME: parameter .1 has no value"
    ),
}


@pytest.mark.usefixtures("no_query", "one_line_errors")
@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_answered_says_why(client, query):
    with pytest.raises(pa.ArrowInvalid, match=REFUSED[query]) as caught:
        info_of(client, packed(sql.CommandStatementQuery(query=query)))
    assert "Traceback" not in str(caught.value)


def test_frame_ql_is_not_read_as_sql_at_all(client, monkeypatch):
    def read(source: str) -> None:
        raise AssertionError("read as SQL")

    monkeypatch.setattr(catalogue_query, "parse_sql", read)
    assert rows(client, "SELECT revenue AS paid AT () WHERE region = 'Central'") == [(CENTRAL,)]


def test_an_offset_stands_without_a_limit_and_before_it(client):
    for query in ("SELECT * FROM stores OFFSET 2", "SELECT * FROM stores OFFSET ? LIMIT ?"):
        message = packed(sql.CommandStatementQuery(query=query))
        schema = client.get_schema(flight.FlightDescriptor.for_command(message)).schema
        assert schema.names == ["store", "region"]


def test_frame_ql_is_never_taken_for_sql(client):
    # Each holds a word of the catalogue's, and is a query all the same.
    for query in (
        "SELECT revenue AS information_schema AT () WHERE region = 'Central'",
        "SELECT revenue AS system AT () WHERE region = 'Central'",
    ):
        assert rows(client, query) == [(CENTRAL,)]
