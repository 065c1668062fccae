"""The catalog commands of Flight SQL: columns, filters, and what the server says of itself."""

import time

import pyarrow as pa
import pytest
from flight_calls import BY_REGION, chunks_of, info_of, packed, table_of
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql

CATALOG = ("retail-demo", "retail_full")
SCHEMAS = ["metrics", "products", "region_daily_summary", "store_monthly_inventory", "stores"]
TABLE_NAMES = [*SCHEMAS, "transactions"]

LISTINGS = {
    "catalogs": (sql.CommandGetCatalogs(), "catalog_name: string not null"),
    "schemas": (
        sql.CommandGetDbSchemas(),
        "catalog_name: string\ndb_schema_name: string not null",
    ),
    "tables": (
        sql.CommandGetTables(),
        "catalog_name: string\ndb_schema_name: string\ntable_name: string not null\n"
        "table_type: string not null",
    ),
    "tables+columns": (
        sql.CommandGetTables(include_schema=True),
        "catalog_name: string\ndb_schema_name: string\ntable_name: string not null\n"
        "table_type: string not null\ntable_schema: binary not null",
    ),
    "types": (sql.CommandGetTableTypes(), "table_type: string not null"),
    "primary": (
        sql.CommandGetPrimaryKeys(table="stores"),
        "catalog_name: string\ndb_schema_name: string\ntable_name: string not null\n"
        "column_name: string not null\nkey_name: string\nkey_sequence: int32 not null",
    ),
    **{
        kind: (
            message,
            "pk_catalog_name: string\npk_db_schema_name: string\npk_table_name: string not null\n"
            "pk_column_name: string not null\nfk_catalog_name: string\nfk_db_schema_name: string\n"
            "fk_table_name: string not null\nfk_column_name: string not null\n"
            "key_sequence: int32 not null\nfk_key_name: string\npk_key_name: string\n"
            "update_rule: uint8 not null\ndelete_rule: uint8 not null",
        )
        for kind, message in {
            "exported": sql.CommandGetExportedKeys(table="stores"),
            "imported": sql.CommandGetImportedKeys(table="stores"),
            "cross": sql.CommandGetCrossReference(pk_table="stores", fk_table="x"),
        }.items()
    },
    "xdbc": (
        sql.CommandGetXdbcTypeInfo(),
        "type_name: string not null\ndata_type: int32 not null\ncolumn_size: int32\n"
        "literal_prefix: string\nliteral_suffix: string\n"
        "create_params: list<item: string not null>\n  child 0, item: string not null\n"
        "nullable: int32 not null\ncase_sensitive: bool not null\nsearchable: int32 not null\n"
        "unsigned_attribute: bool\nfixed_prec_scale: bool not null\nauto_increment: bool\n"
        "local_type_name: string\nminimum_scale: int32\nmaximum_scale: int32\n"
        "sql_data_type: int32 not null\ndatetime_subcode: int32\nnum_prec_radix: int32\n"
        "interval_precision: int32",
    ),
}


@pytest.mark.parametrize("kind", LISTINGS)
def test_a_listing_has_the_columns_of_the_specification(client, kind):
    message, columns = LISTINGS[kind]
    assert str(info_of(client, packed(message)).schema) == columns


STATEMENTS = {
    "query": sql.CommandStatementQuery(query=BY_REGION),
    "miss": sql.CommandStatementQuery(query="SELECT month, units AT month"),
    "explain": sql.CommandStatementQuery(query=f"EXPLAIN {BY_REGION}"),
    "one": sql.CommandStatementQuery(query="select 1;"),
    "last queries": sql.CommandStatementQuery(query="SELECT * FROM system.last_queries"),
    "limit 0": sql.CommandStatementQuery(query=f"{BY_REGION} LIMIT 0"),
    "info": sql.CommandGetSqlInfo(),
}


@pytest.mark.parametrize("kind", [*LISTINGS, *STATEMENTS])
def test_the_schema_said_is_the_schema_streamed(client, kind):
    message = STATEMENTS[kind] if kind in STATEMENTS else LISTINGS[kind][0]
    descriptor = flight.FlightDescriptor.for_command(packed(message))
    info = client.get_flight_info(descriptor)
    (endpoint,) = info.endpoints
    schema, chunks = chunks_of(client, endpoint.ticket)
    assert schema.equals(info.schema, check_metadata=True)
    assert len(chunks) >= 1
    typed = client.get_schema(descriptor).schema
    assert typed.equals(info.schema.remove_metadata(), check_metadata=True)


def test_the_catalog_holds_the_metrics_and_the_schemas(client):
    assert table_of(client, sql.CommandGetCatalogs()).to_pylist() == [{"catalog_name": CATALOG[0]}]
    assert table_of(client, sql.CommandGetDbSchemas()).to_pylist() == [
        {"catalog_name": CATALOG[0], "db_schema_name": CATALOG[1]}
    ]
    rows = table_of(client, sql.CommandGetTables()).to_pylist()
    assert [row["table_name"] for row in rows] == TABLE_NAMES
    assert {tuple(row.values())[:2] for row in rows} == {CATALOG}
    assert {row["table_type"] for row in rows} == {"TABLE"}
    assert table_of(client, sql.CommandGetTableTypes()).to_pylist() == [{"table_type": "TABLE"}]


def test_the_table_of_metrics_says_types_and_words(client):
    message = sql.CommandGetTables(table_name_filter_pattern="metrics", include_schema=True)
    (row,) = table_of(client, message).to_pylist()
    schema = pa.ipc.read_schema(pa.py_buffer(row["table_schema"]))
    types = {field.name: field.type for field in schema}
    assert types["region"] == pa.string()
    assert types["month"] == pa.date32()
    assert types["revenue"] == types["profit"] == pa.decimal128(38, 2)
    assert types["units"] == pa.int64()
    assert types["margin"] == pa.float64()
    metadata = {
        key.decode().removeprefix("ARROW:FLIGHT:SQL:"): value.decode()
        for key, value in schema.field("revenue").metadata.items()
    }
    assert metadata == {
        "CATALOG_NAME": "retail-demo",
        "DB_SCHEMA_NAME": "retail_full",
        "SCHEMA_NAME": "retail_full",
        "TABLE_NAME": "metrics",
        "TYPE_NAME": "DECIMAL",
        "PRECISION": "38",
        "SCALE": "2",
        "IS_AUTO_INCREMENT": "0",
        "IS_CASE_SENSITIVE": "0",
        "IS_READ_ONLY": "1",
        "IS_SEARCHABLE": "1",
        "REMARKS": "What customers paid, less what they got back.",
    }


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"table_name_filter_pattern": "%"}, TABLE_NAMES),
        ({"table_name_filter_pattern": "store%"}, ["store_monthly_inventory", "stores"]),
        ({"table_name_filter_pattern": "STORE_"}, ["stores"]),
        ({"table_name_filter_pattern": "store\\_%"}, ["store_monthly_inventory"]),
        (
            {"table_name_filter_pattern": "%s%y"},
            ["region_daily_summary", "store_monthly_inventory"],
        ),
        ({"table_name_filter_pattern": "%o%o%"}, ["store_monthly_inventory"]),
        ({"table_name_filter_pattern": "stor.s"}, []),
        ({"table_name_filter_pattern": ""}, []),
        ({"catalog": "retail-demo"}, TABLE_NAMES),
        ({"catalog": ""}, []),
        ({"catalog": "retail%"}, []),
        ({"db_schema_filter_pattern": "retail_full"}, TABLE_NAMES),
        ({"db_schema_filter_pattern": ""}, []),
        ({"table_types": ["BASE TABLE", "table"]}, TABLE_NAMES),
        ({"table_types": ["Base Table"]}, TABLE_NAMES),
        ({"table_types": ["VIEW"]}, []),
    ],
)
def test_filters_of_tables(client, filters, names):
    rows = table_of(client, sql.CommandGetTables(**filters)).to_pylist()
    assert [row["table_name"] for row in rows] == names


def test_a_pattern_takes_no_time_and_has_an_end(client):
    began = time.perf_counter()
    assert (
        table_of(client, sql.CommandGetTables(table_name_filter_pattern="%s_" * 300)).num_rows == 0
    )
    assert time.perf_counter() - began < 1.0
    with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED"):
        table_of(client, sql.CommandGetTables(table_name_filter_pattern="a" * 2000))


# The union's member for each id, as the specification and the drivers' casts want it.
TEXTS = {0, 1, 2, 6, 7, 504, 513, 514, 529, 530, 531}
FLAGS = {
    *{3, 4, 5, 9, 10, 11, 500, 501, 502, 506, 515, 516, 518, 519, 520, 521, 523, 524, 527, 532},
    *{536, 537, 539, 556, 563, 565, 566, 572, 573, 574, 575, 576},
}
NUMBERS = {*range(541, 556), *range(557, 563)}
BITS = {
    *{8, 100, 101, 503, 505, 507, 522, 525, 526, 528, 533, 534, 535, 538, 540, 564, 567},
    *{568, 569, 570, 571},
}
LISTS = set(range(508, 513))
MAPS = {517}


def test_every_sql_info_stands_in_the_member_that_drivers_cast_to(client):
    table = table_of(client, sql.CommandGetSqlInfo())
    value = table["value"].combine_chunks()
    value = value.chunk(0) if isinstance(value, pa.ChunkedArray) else value
    ids, codes = table["info_name"].to_pylist(), value.type_codes.to_pylist()
    members = [{i for i, code in zip(ids, codes, strict=True) if code == n} for n in range(6)]
    assert members == [TEXTS, FLAGS, NUMBERS, BITS, LISTS, MAPS]
    assert table.schema.field("value").type == pa.dense_union(
        [
            pa.field("string_value", pa.string()),
            pa.field("bool_value", pa.bool_()),
            pa.field("bigint_value", pa.int64()),
            pa.field("int32_bitmask", pa.int32()),
            pa.field("string_list", pa.list_(pa.field("string_data", pa.string()))),
            pa.field(
                "int32_to_int32_list_map",
                pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32()))),
            ),
        ]
    )
    known = dict(zip(ids, value.to_pylist(), strict=True))
    assert (known[0], known[3], known[8], known[504]) == ("flightframe", True, 0, '"')
    assert known[557] == 1_048_576


def test_sql_info_answers_what_is_asked_and_skips_what_it_does_not_know(client):
    table = table_of(client, sql.CommandGetSqlInfo(info=[8, 10_001, 999, 0]))
    assert table["info_name"].to_pylist() == [8, 0]
