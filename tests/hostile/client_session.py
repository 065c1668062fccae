"""What real clients send in an ordinary session, each kind of call at least once."""

from __future__ import annotations

from collections.abc import Iterable

import adbc_driver_flightsql.dbapi as adbc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from pyarrow import flight

import flightframe
from flightframe.wire import flight_sql_pb2 as sql

BY_REGION = "SELECT region, SUM(revenue) AS total_revenue AT region"
FILTERED = "SELECT region, revenue AT region WHERE region = ? AND day >= DATE '2024-01-01'"
TEXTS = (
    BY_REGION,
    "SELECT day, SUM(revenue) AS r AT day ORDER BY r DESC LIMIT 3",
    "SELECT category, units, margin AT category HAVING units > 10 LIMIT 2 OFFSET 1",
    "SELECT region, AVG(revenue @ day) AS daily AT region WHERE NOT (region = 'East')",
    "EXPLAIN SELECT year, profit AT year",
    "SELECT 1",
)
# What ADBC and our own client have no call for.
COMMANDS: tuple[Message, ...] = (
    sql.CommandStatementQuery(query=BY_REGION),
    sql.CommandGetPrimaryKeys(table="stores"),
    sql.CommandGetExportedKeys(catalog="retail-demo", table="stores"),
    sql.CommandGetImportedKeys(db_schema="retail_full", table="transactions"),
    sql.CommandGetCrossReference(pk_table="stores", fk_table="transactions"),
    sql.CommandGetXdbcTypeInfo(data_type=12),
    sql.CommandGetTableTypes(),
)


def packed(message: Message) -> bytes:
    name = message.DESCRIPTOR.full_name
    return Packed(
        type_url=f"type.googleapis.com/{name}", value=message.SerializeToString()
    ).SerializeToString()


def run_session(uri: str) -> None:
    """Go through a session of each client; the last prepared statement is left open."""
    _adbc_session(uri)
    _our_session(uri)
    _bare_session(uri, [*(text.encode() for text in TEXTS), *map(packed, COMMANDS)])


def _adbc_session(uri: str) -> None:
    credentials = {"username": "alice", "password": "open sesame"}
    with adbc.connect(uri, db_kwargs=credentials, autocommit=True) as connection:
        connection.adbc_get_info()
        connection.adbc_get_objects(depth="all", table_name_filter="met%").read_all()
        connection.adbc_get_table_types()
        connection.adbc_get_table_schema("metrics")
        with connection.cursor() as cursor:
            for text in TEXTS:
                cursor.execute(text)
                cursor.fetch_arrow_table()
            cursor.adbc_prepare(FILTERED)
            for region in ("East", "West"):
                cursor.execute(FILTERED, (region,))
                cursor.fetchall()
            cursor.adbc_execute_schema(BY_REGION)
            (partition,), _ = cursor.adbc_execute_partitions(BY_REGION)
            cursor.adbc_read_partition(partition)
            cursor.fetchall()


def _our_session(uri: str) -> None:
    with flightframe.connect(uri) as connection:
        for text in TEXTS[:-1]:
            connection.query(text, max_staleness=5).to_arrow()
        connection.query(FILTERED, parameters=["East"], collection="retail_full").to_arrow()
        connection.explain(BY_REGION).to_arrow()
        connection.describe("revenue")


def _bare_session(uri: str, commands: Iterable[bytes]) -> None:
    with flight.FlightClient(uri) as client:
        list(client.list_actions())
        for command in commands:
            descriptor = flight.FlightDescriptor.for_command(command)
            client.get_schema(descriptor)
            info = client.get_flight_info(descriptor)
            client.do_get(info.endpoints[0].ticket).read_all()
        request = sql.ActionCreatePreparedStatementRequest(query=FILTERED)
        (made,) = client.do_action(flight.Action("CreatePreparedStatement", packed(request)))
        result = sql.ActionCreatePreparedStatementResult()
        assert Packed.FromString(made.body.to_pybytes()).Unpack(result)
        prepared = sql.CommandPreparedStatementQuery(
            prepared_statement_handle=result.prepared_statement_handle
        )
        client.get_schema(flight.FlightDescriptor.for_command(packed(prepared)))
