"""The catalog commands of Flight SQL: columns, filters, and what the server says of itself."""

import time

import pyarrow as pa
import pytest
from flight_calls import info_of, packed, table_of

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server import __version__

CATALOG = ("retail-demo", "retail_full")
SCHEMAS = ["metrics", "products", "region_daily_summary", "store_monthly_inventory", "stores"]
TABLE_NAMES = [*SCHEMAS, "transactions"]
# A saved frame is a view, in its place among them.
ALL_NAMES = ["metrics", "monthly_sales", *TABLE_NAMES[1:]]

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


def test_the_catalog_holds_the_metrics_and_the_schemas(client):
    assert table_of(client, sql.CommandGetCatalogs()).to_pylist() == [{"catalog_name": CATALOG[0]}]
    assert table_of(client, sql.CommandGetDbSchemas()).to_pylist() == [
        {"catalog_name": CATALOG[0], "db_schema_name": CATALOG[1]}
    ]
    rows = table_of(client, sql.CommandGetTables()).to_pylist()
    assert [row["table_name"] for row in rows] == ALL_NAMES
    assert {tuple(row.values())[:2] for row in rows} == {CATALOG}
    views = [row["table_name"] for row in rows if row["table_type"] == "VIEW"]
    assert views == ["monthly_sales"]
    assert {row["table_type"] for row in rows} == {"TABLE", "VIEW"}
    types = table_of(client, sql.CommandGetTableTypes()).to_pylist()
    assert types == [{"table_type": "TABLE"}, {"table_type": "VIEW"}]


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
    ours = {key for key in metadata if key.startswith("flightframe:")}
    assert {key.removeprefix("flightframe:") for key in ours} == {
        *("role", "metric", "levels", "required", "reducers", "default"),
    }
    assert {key: value for key, value in metadata.items() if key not in ours} == {
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
        ({"table_name_filter_pattern": "%"}, ALL_NAMES),
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
        ({"catalog": "retail-demo"}, ALL_NAMES),
        ({"catalog": ""}, []),
        ({"catalog": "retail%"}, []),
        ({"db_schema_filter_pattern": "retail_full"}, ALL_NAMES),
        ({"db_schema_filter_pattern": ""}, []),
        ({"table_types": ["BASE TABLE", "table"]}, TABLE_NAMES),
        ({"table_types": ["Base Table"]}, TABLE_NAMES),
        ({"table_types": ["VIEW"]}, ["monthly_sales"]),
    ],
)
def test_filters_of_tables(client, filters, names):
    rows = table_of(client, sql.CommandGetTables(**filters)).to_pylist()
    assert [row["table_name"] for row in rows] == names


def test_a_pattern_takes_no_time_and_has_an_end(client):
    began = time.process_time()
    assert (
        table_of(client, sql.CommandGetTables(table_name_filter_pattern="%s_" * 300)).num_rows == 0
    )
    assert time.process_time() - began < 5
    with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED"):
        table_of(client, sql.CommandGetTables(table_name_filter_pattern="a" * 2000))


GRAINS = {
    "stores": ["store"],
    "products": ["product"],
    "transactions": ["transaction"],
    "store_monthly_inventory": ["store", "month"],
    "region_daily_summary": ["region", "day"],
    "metrics": [],
    "nope": [],
}


@pytest.mark.parametrize("table", GRAINS)
def test_the_primary_key_is_the_grain(client, table):
    rows = table_of(client, sql.CommandGetPrimaryKeys(table=table)).to_pylist()
    assert rows == [
        {
            "catalog_name": "retail-demo",
            "db_schema_name": "retail_full",
            "table_name": table,
            "column_name": column,
            "key_name": f"pk_{table}",
            "key_sequence": place,
        }
        for place, column in enumerate(GRAINS[table], 1)
    ]


def reference(table: str, column: str, key: str) -> dict[str, object]:
    return {
        "pk_catalog_name": "retail-demo",
        "pk_db_schema_name": "retail_full",
        "pk_table_name": key,
        "pk_column_name": {"stores": "store", "products": "product"}[key],
        "fk_catalog_name": "retail-demo",
        "fk_db_schema_name": "retail_full",
        "fk_table_name": table,
        "fk_column_name": column,
        "key_sequence": 1,
        "fk_key_name": f"fk_{table}_{column}_{key}",
        "pk_key_name": f"pk_{key}",
        "update_rule": 3,
        "delete_rule": 3,
    }


def test_foreign_keys_are_the_edges_ordered_as_the_specification_wants(client):
    inventory = reference("store_monthly_inventory", "store", "stores")
    store = reference("transactions", "store", "stores")
    product = reference("transactions", "product", "products")
    imported = sql.CommandGetImportedKeys(table="transactions")
    assert table_of(client, imported).to_pylist() == [product, store]
    exported = sql.CommandGetExportedKeys(table="stores")
    assert table_of(client, exported).to_pylist() == [inventory, store]
    crossed = sql.CommandGetCrossReference(pk_table="products", fk_table="transactions")
    assert table_of(client, crossed).to_pylist() == [product]


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (sql.CommandGetPrimaryKeys(table="STORES", catalog="retail-demo"), 1),
        (sql.CommandGetPrimaryKeys(table="stores", catalog=""), 0),
        (sql.CommandGetPrimaryKeys(table="stores", db_schema=""), 0),
        (sql.CommandGetPrimaryKeys(table="stores", db_schema="retail_full"), 1),
        (sql.CommandGetPrimaryKeys(table="store%"), 0),
        (sql.CommandGetPrimaryKeys(), 0),
        (sql.CommandGetImportedKeys(table="transactions", db_schema="other"), 0),
        (sql.CommandGetImportedKeys(table="stores"), 0),
        (sql.CommandGetExportedKeys(table="stores", catalog="other"), 0),
        (sql.CommandGetExportedKeys(table="transactions"), 0),
        (sql.CommandGetCrossReference(pk_table="stores", fk_table="products"), 0),
        (sql.CommandGetCrossReference(pk_table="transactions", fk_table="stores"), 0),
        (
            sql.CommandGetCrossReference(
                pk_catalog="retail-demo",
                pk_db_schema="retail_full",
                pk_table="stores",
                fk_catalog="retail-demo",
                fk_db_schema="retail_full",
                fk_table="transactions",
            ),
            1,
        ),
        (
            sql.CommandGetCrossReference(pk_table="stores", fk_catalog="", fk_table="transactions"),
            0,
        ),
    ],
)
def test_keys_are_found_by_names_absent_filters_and_empty_ones_apart(client, message, count):
    assert table_of(client, message).num_rows == count


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (None, ["BOOLEAN", "BIGINT", "DECIMAL", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP"]),
        (3, ["DECIMAL"]),
        (12, ["VARCHAR"]),
        (4, []),
    ],
)
def test_the_types_are_those_that_columns_have(client, number, names):
    message = sql.CommandGetXdbcTypeInfo()
    if number is not None:
        message.data_type = number
    table = table_of(client, message)
    assert table["type_name"].to_pylist() == names
    numbers = table["data_type"].to_pylist()
    assert numbers == sorted(numbers)


# Every id of the specification with the value that this server has: by kind of value, which is
# the member of the union that drivers cast it to.
TEXTS = {
    **{0: "flightframe", 1: __version__, 2: pa.__version__, 6: None, 7: None},
    **{504: '"', 513: "\\", 514: "", 529: "schema", 530: "", 531: "catalog"},
}
FLAGS = {
    **{3: True, 4: True, 5: False, 9: True, 10: False, 11: False},
    **{500: False, 501: False, 502: False, 506: True, 515: True, 516: True, 518: True, 519: False},
    **{
        520: True,
        521: True,
        523: False,
        524: False,
        527: False,
        532: True,
        536: False,
        537: False,
    },
    **{539: False, 556: False, 563: False, 565: False, 566: False, 572: False, 573: False},
    **{574: False, 575: False, 576: False},
}
NUMBERS = {
    **{541: 0, 542: 0, 543: 0, 544: 0, 545: 0, 546: 0, 547: 0, 548: 0, 549: 0, 550: 0, 551: 0},
    **{552: 0, 553: 0, 554: 0, 555: 0, 557: 1_048_576, 558: 0, 559: 0, 560: 0, 561: 0, 562: 0},
}
BITS = {
    **{8: 0, 100: 300_000, 101: 0, 503: 1, 505: 1, 507: 3, 522: 3, 525: 1, 526: 0, 528: 2, 533: 0},
    **{534: 0, 535: 0, 538: 5, 540: 3, 564: 1, 567: 2, 568: 0, 569: 2, 570: 0, 571: 0},
}
STRINGS = ["CHARACTER_LENGTH", "CHAR_LENGTH", "LEFT", "LOWER", "POSITION", "REPLACE", "RIGHT"]
STRINGS += ["SUBSTR", "SUBSTRING", "TRIM", "UPPER"]
LISTS = {508: ["AT", "PER"], 510: STRINGS, 511: ["COALESCE", "GREATEST", "LEAST", "NULLIF"]}
LISTS[512] = ["CURRENT_DATE", "DATE_TRUNC", "DAYNAME", "EXTRACT", "MAKE_DATE", "MONTH", "MONTHNAME"]
LISTS[512] += ["QUARTER", "STRFTIME", "YEAR"]
MAPS = {517: []}


def infos(client, *ids: int) -> dict[int, tuple[int, object]]:
    table = table_of(client, sql.CommandGetSqlInfo(info=ids))
    value = table["value"].combine_chunks()
    value = value.chunk(0) if isinstance(value, pa.ChunkedArray) else value
    found = zip(value.type_codes.to_pylist(), value.to_pylist(), strict=True)
    return dict(zip(table["info_name"].to_pylist(), found, strict=True))


def test_every_sql_info_has_its_value_in_the_member_that_drivers_cast_to(client):
    found = infos(client)
    for code, values in enumerate((TEXTS, FLAGS, NUMBERS, BITS, LISTS, MAPS)):
        known = {number: value for number, (member, value) in found.items() if member == code}
        if code == 4:
            # Functions over numbers: more of them with each version.
            assert {"ABS", "ROUND"} <= set(known.pop(509))
        assert known == values
    assert max(found) < 10_000


def test_the_union_of_sql_info_is_that_of_the_specification(client):
    schema = info_of(client, packed(sql.CommandGetSqlInfo())).schema
    assert schema.field("value").type == pa.dense_union(
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


def test_sql_info_answers_what_is_asked_and_skips_what_it_does_not_know(client):
    assert list(infos(client, 8, 10_001, 999, 0)) == [8, 0]
