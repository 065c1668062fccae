"""Prepared statements, as drivers send them."""

import pyarrow as pa
import pytest
from flight_calls import CENTRAL, act, packed, table_of, unpacked
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql


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
    asked = len(list(retail.serving.last_queries))
    text = "SELECT region, revenue AT region WHERE region = ? AND day >= ?"
    made = prepare(client, text)
    assert len(list(retail.serving.last_queries)) == asked
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


def test_unions_are_unwrapped(client):
    union = pa.UnionArray.from_dense(
        pa.array([1], pa.int8()),
        pa.array([0], pa.int32()),
        [pa.array([], pa.int64()), pa.array(["West"])],
    )
    handle = prepare(client, "SELECT region, revenue AT region WHERE region = ?")
    batch = pa.RecordBatch.from_arrays([union], ["parameter_1"])
    handle = bind(client, handle.prepared_statement_handle, batch)
    assert [row["region"] for row in run(client, handle)] == ["West"]


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


def test_several_rows_of_parameters_are_refused(client):
    handle = prepare(client, "SELECT region, revenue AT region WHERE region = ?")
    two = pa.RecordBatch.from_pydict({"0": ["East", "West"]})
    with pytest.raises(pa.ArrowInvalid, match="NOT_SUPPORTED: several rows"):
        bind(client, handle.prepared_statement_handle, two)
