"""Messages larger than any call may bring: ended as they come, before anybody is asked who asks."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import pyarrow as pa
import pytest
from client_session import packed
from google.protobuf.any_pb2 import Any as Packed
from pyarrow import flight
from server_process import MIB, ServerProcess

import flightframe
from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.access.tokens import digest_of

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="no other system counts the bytes of a connection"
)

BY_REGION = "SELECT region, SUM(revenue) AS total_revenue AT region"
FILTERED = "SELECT SUM(revenue) AS total AT () WHERE region = ?"
SERVICE = "/arrow.flight.protocol.FlightService/"
BOUND = 8 * MIB
FRAME = 16_384
MESSAGE = b"\0" * (64 * MIB)
SLACK_MIB = 24
"""What may come while the watch waits for its turn on a busy machine, and what a refusal takes."""

TOKEN = "a-lasting-token-of-grafana-0123456789"
HEADERS = [(b"authorization", f"Bearer {TOKEN}".encode())]
# What stands for one message is twice what may be bound.
BOUNDS = f"""
  auth: {{tokens: tokens.yaml}}
limits: {{bound_bytes: {BOUND // 2}, incoming_bytes: {2 * BOUND}}}
"""


@pytest.fixture
def manifest(hostile_folder: Path) -> Path:
    """The demonstration, asking for a token, with bounds of a few megabytes."""
    text = (hostile_folder / "installation.yaml").read_text()
    digest = digest_of(TOKEN).hex()
    (hostile_folder / "tokens.yaml").write_text(
        f'tokens:\n  - {{user: grafana, sha256: "{digest}"}}\n'
    )
    bounded = hostile_folder / "bounded.yaml"
    bounded.write_text(text.rstrip() + BOUNDS)
    return bounded


def sent(port: int, rpc: str, message: bytes) -> grpc.StatusCode:
    """Send one message over a connection of its own and return the status that it was given."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        call = channel.stream_stream(SERVICE + rpc, request_serializer=lambda raw: raw)
        try:
            list(call(iter([message])))
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def ended(server: ServerProcess, count: int = 0, seconds: float = 30.0) -> list[str]:
    """Return why connections were ended, once the log tells of so many."""
    until = time.monotonic() + seconds
    while True:
        lines = server.log.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.endswith("}")]
        found = [one["why"] for one in events if one["event"] == "flight.connection_ended"]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.05)


@pytest.mark.parametrize("rpc", ["DoAction", "GetFlightInfo", "DoGet"])
def test_a_message_past_the_bound_is_never_held(serve, manifest: Path, rpc: str):
    server = serve(manifest, "--skip-warmup")
    before = server.peak_mib
    assert sent(server.port, rpc, MESSAGE) == grpc.StatusCode.UNAVAILABLE
    assert server.peak_mib < before + BOUND / MIB + SLACK_MIB
    assert ended(server, 1) == ["message_bytes"]
    # Small ones of the same kind are told what is wrong with them.
    assert sent(server.port, rpc, b"\0") != grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("rpc", ["DoPut", "DoExchange", "Handshake"])
def test_a_stream_of_a_stranger_is_refused_before_its_first_message_is_whole(
    serve, manifest: Path, rpc: str
):
    server = serve(manifest, "--skip-warmup")
    before = server.peak_mib
    refusals = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)
    assert sent(server.port, rpc, MESSAGE) in refusals
    assert server.peak_mib < before + BOUND / MIB + SLACK_MIB


def test_many_at_once_share_a_bound_and_others_are_answered_meanwhile(serve, manifest: Path):
    server: ServerProcess = serve(manifest)
    with flightframe.connect(server.uri, token=TOKEN) as connection:
        expected = connection.query(BY_REGION).to_arrow().to_pydict()
        before = server.peak_mib
        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(sent, server.port, "DoAction", MESSAGE) for _ in range(4)]
            while not all(one.done() for one in sending):
                assert connection.query(BY_REGION).to_arrow().to_pydict() == expected
        assert [one.result() for one in sending] == [grpc.StatusCode.UNAVAILABLE] * 4
    assert server.peak_mib < before + 2 * BOUND / MIB + 2 * SLACK_MIB


def test_messages_that_stop_on_their_way_are_bounded_together(serve, manifest: Path):
    """Each is under the bound of one connection, and their first parts lie there for good."""
    server: ServerProcess = serve(manifest, "--skip-warmup")
    before = server.peak_mib
    # Of four times three quarters of the bound, two stay within twice the bound. gRPC may end some
    # by itself before, as it sent no leave for so much, and on a busy machine all of them.
    for _ in range(10):
        with ExitStack() as held:
            for _ in range(4):
                held.enter_context(begun(server.port, BOUND * 3 // 4))
            why = ended(server, 2, 5.0)
            assert server.peak_mib < before + 2 * BOUND / MIB + 2 * SLACK_MIB
            assert sent(server.port, "DoGet", b"\0") != grpc.StatusCode.UNAVAILABLE
        if why:
            break
    assert set(why) == {"incoming_bytes"}


@contextmanager
def begun(port: int, size: int) -> Iterator[None]:
    """A connection over which that much of one message came, and no more comes."""
    with socket.create_connection(("127.0.0.1", port), 10) as one:
        # HTTP/2: a preface, settings, a window of a gigabyte, and a call with literal headers.
        one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        names = {
            ":method": "POST",
            ":scheme": "http",
            ":path": SERVICE + "DoAction",
            ":authority": "shop",
            "content-type": "application/grpc",
            "te": "trailers",
        }
        head = b"".join(b"\0" + text(name) + text(value) for name, value in names.items())
        one.sendall(frame(1, 4, 1, head))
        message = b"\0" + (64 * MIB).to_bytes(4, "big") + b"\0" * size
        # One that comes late may be ended before all of it is sent.
        with suppress(ConnectionError):
            for at in range(0, len(message), FRAME):
                one.sendall(frame(0, 0, 1, message[at : at + FRAME]))
        yield


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


def text(value: str) -> bytes:
    """Return a text of a header as it stands there: short, and not compressed."""
    return bytes([len(value)]) + value.encode()


def test_what_calls_have_taken_does_not_count(serve, manifest: Path):
    """One connection brings several times the bound: in texts, then in rows to bind."""
    server: ServerProcess = serve(manifest)
    text = BY_REGION + " -- " + "x" * 900_000
    options = flight.FlightCallOptions(headers=HEADERS)
    with flight.FlightClient(server.uri) as client:
        for number in range(3 * BOUND // len(text)):
            ticket = flight.Ticket(f"{text}{number}")
            assert client.do_get(ticket, options).read_all().num_rows == 3
        for _ in range(6):
            assert bound_in_batches(client, options, rows=12, size=300_000)
    assert ended(server) == []


def bound_in_batches(
    client: flight.FlightClient, options: flight.FlightCallOptions, *, rows: int, size: int
) -> bytes:
    """Bind rows of one text to a statement, each a batch of its own, and return its handle."""
    request = sql.ActionCreatePreparedStatementRequest(query=FILTERED)
    action = flight.Action("CreatePreparedStatement", packed(request))
    (result,) = client.do_action(action, options)
    made = sql.ActionCreatePreparedStatementResult()
    assert Packed.FromString(result.body.to_pybytes()).Unpack(made)
    handle = made.prepared_statement_handle
    command = packed(sql.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    schema = pa.schema([("0", pa.string())])
    writer, reader = client.do_put(flight.FlightDescriptor.for_command(command), schema, options)
    with writer:
        for _ in range(rows):
            writer.write_batch(pa.record_batch([["x" * size]], schema=schema))
        writer.done_writing()
        answered = sql.DoPutPreparedStatementResult.FromString(reader.read().to_pybytes())
    return answered.prepared_statement_handle


def test_more_connections_than_may_be_end_the_quietest_and_others_are_answered(
    serve, hostile_folder: Path
):
    few = hostile_folder / "few.yaml"
    text = (hostile_folder / "installation.yaml").read_text()
    few.write_text(text.rstrip() + "\nlimits: {flight_connections: 8}\n")
    server: ServerProcess = serve(few, "--skip-warmup")
    with ExitStack() as held:
        silent = [
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            for _ in range(40)
        ]
        assert set(ended(server, 32)) == {"flight_connections"}
        with flightframe.connect(server.uri) as connection:
            for _ in range(3):
                assert connection.query(BY_REGION).to_arrow().num_rows == 3
        over = 0
        for one in silent:
            one.settimeout(0.1)
            try:
                over += one.recv(1 << 16) == b"" or one.recv(1 << 16) == b""
            except ConnectionResetError:
                over += 1
            except TimeoutError:
                continue
        assert over >= 32
