"""The ADBC Flight SQL driver against the server, through DB-API."""

import json
from collections.abc import Iterator
from decimal import Decimal

import adbc_driver_manager
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import BIG, BY_REGION, CENTRAL, ROWS
from pyarrow import flight

FILTERED = "SELECT region, revenue AT region WHERE region = ?"


@pytest.fixture
def adbc(server) -> Iterator[dbapi.Connection]:
    with dbapi.connect(server.uri, autocommit=True) as connected:
        yield connected


def test_a_user_name_is_accepted_where_nobody_checks(server, truth):
    credentials = {"username": "alice", "password": "secret"}
    with (
        dbapi.connect(server.uri, db_kwargs=credentials, autocommit=True) as connected,
        connected.cursor() as cursor,
    ):
        cursor.execute(BY_REGION)
        assert cursor.fetch_arrow_table().to_pylist() == truth.to_pylist()


def test_values_types_and_provenance(adbc, truth):
    with adbc.cursor() as cursor:
        cursor.execute(BY_REGION)
        table = cursor.fetch_arrow_table()
    assert table.schema.remove_metadata() == truth.schema
    assert table.to_pylist() == truth.to_pylist()
    assert table.to_pylist()[0]["total_revenue"] == CENTRAL
    assert table.schema.metadata[b"served_from"] == b"engine_cache"
    assert json.loads(table.schema.metadata[b"flightframe"])["collection"] == "retail_full"


def test_a_cursor_is_used_again_with_the_same_text_and_with_another(adbc):
    with adbc.cursor() as cursor:
        for _ in range(2):
            cursor.execute(BY_REGION)
            assert cursor.fetchone() == ("Central", CENTRAL)
        cursor.execute("SELECT SUM(units) AS pieces AT ()")
        assert cursor.description[0][0] == "pieces"
        assert len(cursor.fetchall()) == 1
    with adbc.cursor() as another:
        another.execute(BY_REGION)
        assert len(another.fetchall()) == 3


def test_parameters_are_bound_again_and_again(adbc):
    with adbc.cursor() as cursor:
        cursor.execute(FILTERED, ("Central",))
        assert cursor.fetchall() == [("Central", CENTRAL)]
        cursor.execute(FILTERED, ("East",))
        assert [row[0] for row in cursor.fetchall()] == ["East"]
        cursor.execute(f"{FILTERED} AND store < ?", ("Central", ""))
        assert cursor.fetchall() == []


def test_a_statement_is_prepared_and_its_schema_known_without_running(adbc):
    with adbc.cursor() as cursor:
        assert cursor.adbc_prepare(FILTERED) == pa.schema({"0": pa.string()})
        schema = cursor.adbc_execute_schema(BY_REGION)
    assert schema == pa.schema({"region": pa.string(), "total_revenue": pa.decimal128(38, 2)})


def test_partitions_carry_the_provenance_too(adbc):
    with adbc.cursor() as cursor:
        (partition,), schema = cursor.adbc_execute_partitions(BY_REGION)
        info = flight.FlightInfo.deserialize(partition)
        cursor.adbc_read_partition(partition)
        assert cursor.fetchone() == ("Central", CENTRAL)
    assert json.loads(info.app_metadata)["served_from"] == "engine_cache"
    assert schema.names == ["region", "total_revenue"]


def test_a_large_result_arrives_whole(adbc, truth):
    with adbc.cursor() as cursor:
        cursor.execute(BIG)
        table = cursor.fetch_arrow_table()
    assert table.num_rows == ROWS
    total = sum((batch["revenue"].sum().as_py() for batch in table.to_batches()), Decimal())
    assert total == sum(truth["total_revenue"].to_pylist())


def test_a_result_without_rows_keeps_its_columns(adbc):
    with adbc.cursor() as cursor:
        cursor.execute(f"{BY_REGION} LIMIT 0")
        table = cursor.fetch_arrow_table()
    assert (table.num_rows, table.column_names) == (0, ["region", "total_revenue"])


def test_errors_come_at_execute_with_the_words_of_the_language(adbc):
    with adbc.cursor() as cursor:
        with pytest.raises(dbapi.ProgrammingError, match=r"UNKNOWN_NAME.*did you mean region"):
            cursor.execute("SELECT regio AT region")
        with pytest.raises(dbapi.ProgrammingError, match="this server only reads"):
            cursor.execute("DROP TABLE stores")
        cursor.execute(BY_REGION)
        assert len(cursor.fetchall()) == 3


def test_nothing_is_ingested(adbc):
    with adbc.cursor() as cursor, pytest.raises(adbc_driver_manager.Error, match="only reads"):
        cursor.adbc_ingest("stores", pa.table({"store": ["x"]}), mode="append")


def test_tools_find_the_server_its_tables_and_columns(adbc):
    info = adbc.adbc_get_info()
    assert info["vendor_name"] == "flightframe"
    assert adbc.adbc_get_table_types() == ["TABLE", "VIEW"]
    assert adbc.adbc_get_table_schema("stores").names == ["store", "region"]
    (catalog,) = adbc.adbc_get_objects(depth="columns").read_all().to_pylist()
    (schema,) = catalog["catalog_db_schemas"]
    assert (catalog["catalog_name"], schema["db_schema_name"]) == ("retail-demo", "retail_full")
    tables = {table["table_name"]: table for table in schema["db_schema_tables"]}
    types = {
        column["column_name"]: column["xdbc_type_name"]
        for column in tables["metrics"]["table_columns"]
    }
    assert (types["region"], types["day"], types["revenue"]) == ("VARCHAR", "DATE", "DECIMAL")
    narrowed = adbc.adbc_get_objects(depth="tables", table_name_filter="store_").read_all()
    ((only,),) = [
        [table["table_name"] for table in found["db_schema_tables"]]
        for found in narrowed.to_pylist()[0]["catalog_db_schemas"]
    ]
    assert only == "stores"


def test_a_connection_without_autocommit_falls_back_to_it(server):
    with pytest.warns(adbc_driver_manager.Warning, match="autocommit"):
        connected = dbapi.connect(server.uri)
    with connected, connected.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
