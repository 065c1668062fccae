"""Prepared statements, as drivers send them."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from flight_calls import CENTRAL, ROWS, act, packed, table_of, unpacked
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.server import FlightServer


def prepare(client: flight.FlightClient, query: str) -> sql.ActionCreatePreparedStatementResult:
    request = sql.ActionCreatePreparedStatementRequest(query=query)
    (body,) = act(client, "CreatePreparedStatement", packed(request))
    return unpacked(body, sql.ActionCreatePreparedStatementResult())


def bind(client: flight.FlightClient, handle: bytes, batch: pa.RecordBatch) -> bytes:
    command = packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    descriptor = flight.FlightDescriptor.for_command(command)
    writer, reader = client.do_put(descriptor, batch.schema)
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        answered = sql.DoPutPreparedStatementResult.FromString(reader.read().to_pybytes())
    return answered.prepared_statement_handle


def run(client: flight.FlightClient, handle: bytes) -> list[dict[str, object]]:
    message = sql.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    return table_of(client, message).to_pylist()


def test_a_statement_is_typed_before_it_is_run(client, retail):
    asked = len(list(retail.runtime.query_log))
    text = "SELECT region, revenue AT region WHERE region = ? AND day >= ?"
    made = prepare(client, text)
    assert len(list(retail.runtime.query_log)) == asked
    assert pa.ipc.read_schema(pa.py_buffer(made.dataset_schema)) == pa.schema(
        {"region": pa.string(), "revenue": pa.decimal128(38, 2)}
    )
    parameters = pa.ipc.read_schema(pa.py_buffer(made.parameter_schema))
    assert parameters == pa.schema({"0": pa.string(), "1": pa.date32()})
    assert made.HasField("is_update")
    assert made.is_update is False


def test_a_statement_is_bound_run_bound_again_and_closed(client):
    handle = prepare(client, "SELECT region, revenue AT region WHERE region = ?")
    handle = handle.prepared_statement_handle
    with pytest.raises(pa.ArrowInvalid, match="UNKNOWN_NAME: parameter"):
        run(client, handle)
    for region in ("East", "Central"):
        handle = bind(client, handle, pa.RecordBatch.from_pydict({"0": [region]}))
        (row,) = run(client, handle)
        assert row["region"] == region
    assert row["revenue"] == CENTRAL
    closing = packed(sql.ActionClosePreparedStatementRequest(prepared_statement_handle=handle))
    assert act(client, "ClosePreparedStatement", closing) == []
    assert act(client, "ClosePreparedStatement", closing) == []
    with pytest.raises(pa.ArrowKeyError, match="TICKET"):
        run(client, handle)


def union_of(*values: int | str) -> pa.UnionArray:
    """Return values each wrapped as some drivers do it: the number of its type beside it."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int)]
    seen = {str: 0, int: 0}
    codes, offsets = [], []
    for value in values:
        codes.append(int(isinstance(value, str)))
        offsets.append(seen[type(value)])
        seen[type(value)] += 1
    return pa.UnionArray.from_dense(
        pa.array(codes, pa.int8()),
        pa.array(offsets, pa.int32()),
        [pa.array(numbers, pa.int64()), pa.array(texts, pa.string())],
    )


def test_unions_are_unwrapped(client):
    handle = prepare(client, "SELECT region, revenue AT region WHERE region = ? LIMIT ?")
    batch = pa.RecordBatch.from_arrays(
        [union_of("West", "East"), union_of(1, 5)], ["parameter_1", "parameter_2"]
    )
    handle = bind(client, handle.prepared_statement_handle, batch)
    assert [row["region"] for row in run(client, handle)] == ["West", "East"]


def test_named_parameters_are_bound_by_name_and_never_by_chance(client):
    text = "SELECT region, revenue AT region WHERE region = $z OR region = $a AND region = $z"
    handle = prepare(client, text).prepared_statement_handle
    good = pa.RecordBatch.from_pydict({"z": ["East"], "a": ["West"]})
    assert [row["region"] for row in run(client, bind(client, handle, good))] == ["East"]
    for names in (["0", "1"], ["z", "b"]):
        with pytest.raises(pa.ArrowInvalid, match="PARSE"):
            bind(client, handle, pa.RecordBatch.from_arrays([["East"], ["West"]], names))
    with pytest.raises(pa.ArrowInvalid, match="TYPE: the statement has 2 parameters, 1 came"):
        bind(client, handle, pa.RecordBatch.from_pydict({"z": ["East"]}))


FILTERED = "SELECT region, revenue AT region WHERE region = ?"


def test_several_rows_give_their_answers_in_order(client, truth):
    whole = {row["region"]: row["total_revenue"] for row in truth.to_pylist()}
    handle = prepare(client, FILTERED).prepared_statement_handle
    wanted = ["West", "East", "nowhere", "West"]
    assert bind(client, handle, pa.RecordBatch.from_pydict({"0": wanted})) == handle
    expected = [(name, whole[name]) for name in wanted if name in whole]
    assert [tuple(row.values()) for row in run(client, handle)] == expected
    # The rows stay bound until others are.
    assert len(run(client, handle)) == 3
    bind(client, handle, pa.RecordBatch.from_pydict({"0": ["East"]}))
    assert [row["region"] for row in run(client, handle)] == ["East"]


def test_the_whole_came_from_where_its_rows_came_from(client):
    handle = prepare(client, "SELECT SUM(units) AS pieces AT () WHERE region = ? AND store <> ?")
    values = {"0": ["East", "West"], "1": ["nowhere", "nowhere"]}
    bind(client, handle.prepared_statement_handle, pa.RecordBatch.from_pydict(values))
    message = sql.CommandPreparedStatementQuery(
        prepared_statement_handle=handle.prepared_statement_handle
    )
    info = client.get_flight_info(flight.FlightDescriptor.for_command(packed(message)))
    provenance = json.loads(info.app_metadata)
    (column,) = provenance["columns"]
    assert (column["column"], provenance["collection"]) == ("pieces", "retail_full")
    labels = {part["served_from"] for part in column["parts"]}
    assert labels == {provenance["served_from"]} == {column["served_from"]}
    reader = client.do_get(info.endpoints[0].ticket)
    assert reader.schema.equals(info.schema, check_metadata=True)
    assert len(reader.read_all()) == 2


def test_no_row_at_all_gives_no_rows(client):
    handle = prepare(client, FILTERED).prepared_statement_handle
    bind(client, handle, pa.RecordBatch.from_pydict({"0": pa.array([], pa.string())}))
    message = sql.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    table = table_of(client, message)
    assert (table.num_rows, table.column_names) == (0, ["region", "revenue"])


def test_a_large_frame_is_concatenated_too(client):
    text = "SELECT transaction, revenue AT transaction WHERE region = ?"
    handle = prepare(client, text).prepared_statement_handle
    bind(client, handle, pa.RecordBatch.from_pydict({"0": ["East", "West", "Central"]}))
    table = table_of(client, sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    assert table.num_rows == ROWS


def test_rows_of_parameters_are_bounded(client):
    handle = prepare(client, FILTERED).prepared_statement_handle
    many = pa.RecordBatch.from_pydict({"0": ["East"] * 1001})
    with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: at most 1000 rows"):
        bind(client, handle, many)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x" * 900_000] * 20),
        pa.array(["x" * 900_000] * 20).cast(pa.string_view()),
        # One text, named by every row of a union.
        pa.UnionArray.from_dense(
            pa.array([0] * 20, pa.int8()),
            pa.array([0] * 20, pa.int32()),
            [pa.array(["x" * 900_000])],
            ["text"],
        ),
    ],
    ids=["texts", "views", "a union"],
)
def test_rows_of_parameters_are_bounded_by_bytes(client, column):
    # 20 x 0.9 MB are more than the 16 MiB of a statement, however few of them are sent, and 7 not.
    handle = prepare(client, "SELECT region, revenue AT region WHERE region = ?")
    handle = handle.prepared_statement_handle
    rows = pa.RecordBatch.from_arrays([column], ["0"])
    with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: at most 16,777,216 bytes"):
        bind(client, handle, rows)
    few = rows.slice(0, 7)
    if pa.types.is_string_view(column.type):
        # A slice of views is sent with the bytes of all of them.
        few = pa.RecordBatch.from_arrays([pa.array(column[:7].to_pylist(), column.type)], ["0"])
    assert run(client, bind(client, handle, few)) == []


def test_what_one_caller_has_bound_is_bounded_together(retail):
    # A server of its own: what others bound before counts to the same address.
    with FlightServer(retail.runtime) as server, flight.FlightClient(server.uri) as client:
        row = pa.RecordBatch.from_pydict({"0": ["x" * 900_000] * 15})
        text = "SELECT region, units AT region WHERE region = ?"
        handles = [prepare(client, text).prepared_statement_handle for _ in range(3)]
        # Half of 64 MiB are the share of one: two of 13.5 MB fit, and a third does not.
        for handle in handles[:2]:
            bind(client, handle, row)
        with pytest.raises(pa.ArrowInvalid, match="LIMIT_EXCEEDED: a caller holds at most"):
            bind(client, handles[2], row)
        bind(client, handles[0], row.slice(0, 1))
        bind(client, handles[2], row)


def test_one_row_that_does_not_fit_binds_nothing(client):
    handle = prepare(client, "SELECT region, revenue AT region LIMIT ?").prepared_statement_handle
    bind(client, handle, pa.RecordBatch.from_pydict({"0": [1]}))
    with pytest.raises(pa.ArrowInvalid, match="TYPE"):
        bind(client, handle, pa.RecordBatch.from_pydict({"0": [2], "1": [3]}))
    assert len(run(client, handle)) == 1


BOUND = {
    pa.int64(): 3,
    pa.float64(): 0.5,
    pa.string(): "stores",
    pa.date32(): datetime.date(2024, 1, 1),
    pa.decimal128(38, 2): Decimal("2.00"),
}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("SELECT revenue AT region LIMIT ? OFFSET ?", [pa.int64(), pa.int64()]),
        ("SELECT revenue AT () WHERE day BETWEEN ? AND ?", [pa.date32(), pa.date32()]),
        ("SELECT revenue AT () WHERE region IN (?, 'East')", [pa.string()]),
        ("SELECT units AT region HAVING units > ?", [pa.int64()]),
        ("SELECT revenue * ? AS x AT ()", [pa.decimal128(38, 2)]),
        ("SELECT COALESCE(revenue, ?) AS x AT ()", [pa.decimal128(38, 2)]),
        ("SELECT margin - ? AS x AT ()", [pa.float64()]),
        ("SELECT revenue AT () WHERE region LIKE ?", [pa.string()]),
        ("SELECT * FROM stores LIMIT ?", [pa.int64()]),
        (
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_name = ? AND ordinal_position < ? LIMIT ?",
            [pa.string(), pa.int64(), pa.int64()],
        ),
    ],
)
def test_parameters_have_the_types_that_they_are_used_with(client, text, types):
    made = prepare(client, text)
    schema = pa.ipc.read_schema(pa.py_buffer(made.parameter_schema))
    assert schema == pa.schema({str(place): type_ for place, type_ in enumerate(types)})
    # Bound as declared, the answer has the columns that were declared.
    row = {str(place): pa.array([BOUND[type_]], type_) for place, type_ in enumerate(types)}
    handle = bind(client, made.prepared_statement_handle, pa.RecordBatch.from_pydict(row))
    message = sql.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    declared = pa.ipc.read_schema(pa.py_buffer(made.dataset_schema))
    assert table_of(client, message).schema.remove_metadata() == declared


def test_a_statement_without_its_values_says_which(client):
    handle = prepare(client, FILTERED).prepared_statement_handle
    with pytest.raises(
        pa.ArrowInvalid, match=r"UNKNOWN_NAME: parameter \?1 has no value.*Hint: bind"
    ):
        run(client, handle)


def update(client: flight.FlightClient, handle: bytes, batch: pa.RecordBatch) -> int:
    """Run a statement for its effect, as drivers do for many rows at once; return the count."""
    command = packed(sql.CommandPreparedStatementUpdate(prepared_statement_handle=handle))
    writer, reader = client.do_put(flight.FlightDescriptor.for_command(command), batch.schema)
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        return sql.DoPutUpdateResult.FromString(reader.read().to_pybytes()).record_count


def test_a_query_run_for_its_effect_counts_its_rows(client):
    handle = prepare(client, FILTERED).prepared_statement_handle
    two = pa.RecordBatch.from_pydict({"0": ["East", "West", "nowhere"]})
    assert update(client, handle, two) == 2


def test_many_rows_by_the_driver(server):
    with dbapi.connect(server.uri, autocommit=True) as connected, connected.cursor() as cursor:
        cursor.executemany(FILTERED, [("East",), ("nowhere",), ("West",)])
        assert cursor.rowcount == 2
        cursor.execute(FILTERED, pa.RecordBatch.from_pydict({"0": ["West", "East"]}))
        assert [row[0] for row in cursor.fetchall()] == ["West", "East"]
        with pytest.raises(dbapi.Error, match="only reads"):
            cursor.executemany("INSERT INTO stores VALUES (?)", [("a",), ("b",)])
