"""Every command of Flight SQL, by pyarrow and by ADBC: what is said is what comes."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import BY_REGION, CENTRAL, act, chunks_of, packed, unpacked
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.sql.commands import LISTINGS

QUERIES = {
    "query": BY_REGION,
    "miss": "SELECT month, units AT month",
    "explain": f"EXPLAIN {BY_REGION}",
    "no rows": f"{BY_REGION} LIMIT 0",
    "one": "select 1;",
    "last queries": "SELECT * FROM system.last_queries",
    "show": "SHOW TABLES",
    "describe": "DESCRIBE metrics",
    "columns": "SELECT * FROM information_schema.columns",
    "a table": "SELECT * FROM stores",
    "columns alone": "SELECT * FROM metrics WHERE 1 = 0",
}
LISTED = {
    "catalogs": sql.CommandGetCatalogs(),
    "schemas": sql.CommandGetDbSchemas(catalog="retail-demo", db_schema_filter_pattern="retail%"),
    "tables": sql.CommandGetTables(),
    "tables with columns": sql.CommandGetTables(include_schema=True),
    "no tables": sql.CommandGetTables(table_name_filter_pattern="nope", include_schema=True),
    "table types": sql.CommandGetTableTypes(),
    "primary keys": sql.CommandGetPrimaryKeys(table="store_monthly_inventory"),
    "exported keys": sql.CommandGetExportedKeys(table="stores"),
    "imported keys": sql.CommandGetImportedKeys(table="transactions"),
    "cross reference": sql.CommandGetCrossReference(pk_table="stores", fk_table="transactions"),
    "no keys": sql.CommandGetImportedKeys(table="stores"),
    "types": sql.CommandGetXdbcTypeInfo(),
    "info": sql.CommandGetSqlInfo(),
    "some info": sql.CommandGetSqlInfo(info=[8, 504, 12345]),
}
COMMANDS = {
    **LISTED,
    **{name: sql.CommandStatementQuery(query=text) for name, text in QUERIES.items()},
}


def test_every_listing_is_among_them():
    assert {type(message) for message in LISTED.values()} == set(LISTINGS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_schema_said_is_the_schema_streamed(client, name):
    check(client, packed(COMMANDS[name]))


@pytest.mark.parametrize("name", QUERIES)
def test_a_prepared_statement_says_its_schema_three_times(client, name):
    request = sql.ActionCreatePreparedStatementRequest(query=QUERIES[name])
    (body,) = act(client, "CreatePreparedStatement", packed(request))
    made = unpacked(body, sql.ActionCreatePreparedStatementResult())
    assert made.HasField("is_update")
    assert not made.is_update
    handle = made.prepared_statement_handle
    schema = check(
        client, packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    )
    dataset = pa.ipc.read_schema(pa.py_buffer(made.dataset_schema))
    assert dataset.equals(schema.remove_metadata(), check_metadata=True)
    assert len(pa.ipc.read_schema(pa.py_buffer(made.parameter_schema))) == 0


def check(client: flight.FlightClient, command: bytes) -> pa.Schema:
    descriptor = flight.FlightDescriptor.for_command(command)
    info = client.get_flight_info(descriptor)
    (endpoint,) = info.endpoints
    schema, chunks = chunks_of(client, endpoint.ticket)
    assert schema.equals(info.schema, check_metadata=True)
    # Without a batch there would be nothing for the provenance to travel with.
    assert len(chunks) >= 1
    assert all(chunk.data.schema.equals(schema) for chunk in chunks)
    typed = client.get_schema(descriptor).schema
    assert typed.equals(info.schema.remove_metadata(), check_metadata=True)
    return schema


@pytest.fixture
def adbc(server) -> Iterator[dbapi.Connection]:
    with dbapi.connect(server.uri, autocommit=True) as connected:
        yield connected


Objects = dict[str, dict[str, dict[str, list[str]] | None] | None]


def objects(adbc: dbapi.Connection, **filters: str) -> Objects:
    """Return what get_objects lists: catalogs, their schemas, their tables, their columns."""
    found: Objects = {}
    for catalog in adbc.adbc_get_objects(**filters).read_all().to_pylist():
        schemas = catalog["catalog_db_schemas"]
        found[catalog["catalog_name"]] = schemas and {
            schema["db_schema_name"]: schema["db_schema_tables"]
            and {
                table["table_name"]: [
                    column["column_name"] for column in table["table_columns"] or ()
                ]
                for table in schema["db_schema_tables"]
            }
            for schema in schemas
        }
    return found


TABLES = ["metrics", "products", "region_daily_summary", "store_monthly_inventory", "stores"]
STORES = {"stores": ["store", "region"]}


def test_objects_are_listed_to_every_depth(adbc):
    assert objects(adbc, depth="catalogs") == {"retail-demo": None}
    assert objects(adbc, depth="db_schemas") == {"retail-demo": {"retail_full": None}}
    tables = objects(adbc, depth="tables")["retail-demo"]["retail_full"]
    assert tables == {table: [] for table in (*TABLES, "transactions", "monthly_sales")}
    columns = objects(adbc, depth="all")["retail-demo"]["retail_full"]
    assert columns["stores"] == STORES["stores"]
    assert {"store", "region", "transaction", "revenue", "on_hand", "margin"} <= set(
        columns["metrics"]
    )


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"catalog_filter": "retail-demo"}, {"retail-demo": {"retail_full": STORES}}),
        ({"catalog_filter": "other"}, {}),
        ({"db_schema_filter": "retail%"}, {"retail-demo": {"retail_full": STORES}}),
        ({"db_schema_filter": "other"}, {"retail-demo": []}),
        ({"table_types_filter": ["BASE TABLE"]}, {"retail-demo": {"retail_full": STORES}}),
        ({"table_types_filter": ["VIEW"]}, {"retail-demo": {"retail_full": []}}),
        ({"column_name_filter": "re%"}, {"retail-demo": {"retail_full": {"stores": ["region"]}}}),
        ({"column_name_filter": "nope"}, {"retail-demo": {"retail_full": {"stores": []}}}),
    ],
)
def test_objects_are_filtered(adbc, filters, found):
    assert objects(adbc, depth="all", table_name_filter="stores", **filters) == found


def test_a_table_has_the_schema_that_its_rows_have(adbc):
    schema = adbc.adbc_get_table_schema("stores", db_schema_filter="retail_full")
    assert schema == pa.schema({"store": pa.string(), "region": pa.string()})
    for table in (*TABLES[1:], "monthly_sales"):
        with adbc.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = cursor.fetch_arrow_table()
        assert rows.schema == adbc.adbc_get_table_schema(table)
        assert rows.num_rows > 0
    with pytest.raises(dbapi.Error):
        adbc.adbc_get_table_schema("nope")


def test_the_driver_learns_the_server(adbc):
    info = adbc.adbc_get_info()
    assert (info["vendor_name"], info["driver_adbc_version"] > 0) == ("flightframe", True)
    assert adbc.adbc_get_table_types() == ["TABLE", "VIEW"]


@pytest.mark.parametrize("name", QUERIES)
def test_the_driver_knows_a_statement_without_running_it(adbc, name):
    with adbc.cursor() as cursor:
        assert cursor.adbc_prepare(QUERIES[name]) in (None, pa.schema([]))
        schema = cursor.adbc_execute_schema(QUERIES[name])
        cursor.execute(QUERIES[name])
        assert cursor.fetch_arrow_table().schema.equals(schema)


def test_a_statement_is_read_by_its_partition(adbc):
    with adbc.cursor() as cursor:
        (partition,), schema = cursor.adbc_execute_partitions(BY_REGION)
        assert schema.names == ["region", "total_revenue"]
        cursor.adbc_read_partition(partition)
        assert cursor.fetchone() == ("Central", CENTRAL)
        (partition,), schema = cursor.adbc_execute_partitions("SHOW TABLES LIKE 'st%'")
        cursor.adbc_read_partition(partition)
        assert cursor.fetchall() == [
            ("retail_full", "store_monthly_inventory"),
            ("retail_full", "stores"),
        ]
