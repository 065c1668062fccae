"""Ten thousand random changes to what real clients send: the right status or a right answer.

The seed is printed with a failure; `HOSTILE_SEED=n` runs the same changes again.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import grpc
import pyarrow as pa
import pytest
from client_session import run_session
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from mutants import mutated, mutated_inside
from pyarrow import flight
from recorder import SERVICE, Call, Recorder
from server_process import ServerProcess

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Request, Runtime
from flightframe_server.app import open_installation
from flightframe_server.errors import FlightframeError
from flightframe_server.flight.tickets import FlightSqlTicket, QueryTicket, TextTicket, decode
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import answer_text

MUTATIONS = 10_000
SETTLED = 3_000
# The share of changes that leave everything around them well formed.
INSIDE = 0.85
SEED = int(os.environ.get("HOSTILE_SEED") or time.time_ns())
DEADLINE_SECONDS = 20
GROWTH_MIB = 48

# What a client's own mistake may be answered with.
RIGHT = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "PERMISSION_DENIED"}
OUTER: dict[str, type[Message]] = {
    "GetFlightInfo": sql.FlightDescriptor,
    "GetSchema": sql.FlightDescriptor,
    "DoGet": sql.Ticket,
    "DoAction": sql.Action,
}
# Rows are read by Arrow itself before any of our code is asked; its status for junk is its own.
ARROWS_OWN = {"DoPut", "DoExchange", "Handshake"}
LEAKS = re.compile(r"Traceback|\.py\b|site-packages|/(?:work|home|root|usr|tmp|build)/")


@pytest.fixture(scope="module")
def cold(hostile_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """The same data without any cache, in this process: what an answer is compared with."""
    folder = tmp_path_factory.mktemp("cold")
    manifest = folder / "installation.yaml"
    manifest.write_text(
        "id: retail-demo\n"
        f"collections: [{hostile_folder}/retail.coframe/ac.yaml]\n"
        f"backend: {{type: duckdb, source: {hostile_folder}/retail_demo.duckdb}}\n"
        "metric_engine: {enabled: false}\n"
    )
    opened = open_installation(manifest, store=folder / "store")
    yield opened.runtime
    opened.close()


def test_mutations_of_real_messages(serve, hostile_folder, cold):
    server = serve(hostile_folder / "installation.yaml")
    calls = recorded(server)
    assert len(calls) > 80
    assert {rpc for rpc, _ in calls} >= {*OUTER, "DoPut", "Handshake"}
    random = Random(SEED)
    judge = Judge(server, cold)
    pool = [message for _, messages in calls for message in messages]
    settled = None
    try:
        for number in range(MUTATIONS):
            judge.try_one(random.choice(calls), pool, random)
            if number == SETTLED:
                settled = server.held()
        still_right(server, cold)
    except AssertionError as error:
        raise AssertionError(f"HOSTILE_SEED={SEED}: {error}") from error
    finally:
        judge.close()
    print(f"\n  mutations by status: {dict(judge.statuses.most_common())}")
    print(f"  right answers compared: {judge.compared}")
    # A run that breaks nothing, or everything, has tried nothing.
    assert judge.statuses["OK"] > MUTATIONS / 50
    assert judge.statuses["INVALID_ARGUMENT"] > MUTATIONS / 10
    assert judge.compared > 10
    assert settled is not None
    now = server.settles(lambda held: held.threads <= settled.threads)
    assert now.mib - settled.mib < GROWTH_MIB
    assert now.files <= settled.files + 2
    assert "flight.broke" not in server.log.read_text()


def recorded(server: ServerProcess) -> list[Call]:
    """Return what real clients sent, each call once."""
    recorder = Recorder(server.port)
    try:
        run_session(f"grpc://127.0.0.1:{recorder.port}")
    finally:
        recorder.close()
    return sorted(set(recorder.kept))


class Judge:
    """Sends changed messages and looks at what comes back."""

    def __init__(self, server: ServerProcess, cold: Runtime) -> None:
        self._server, self._cold = server, cold
        self._tables = PublishedTables(cold)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
        self._client = flight.FlightClient(server.uri)
        self._methods: dict[str, Callable[..., grpc.Call]] = {}
        self._seen: set[bytes] = set()
        self.statuses: Counter[str] = Counter()
        self.compared = 0

    def try_one(self, call: Call, pool: list[bytes], random: Random) -> None:
        """Change one message of a call, send it, and judge the answer."""
        rpc, messages = call
        if not messages:
            return
        at = random.randrange(len(messages))
        changed = self._changed(rpc, messages[at], pool, random)
        status, text = self.send(rpc, (*messages[:at], changed, *messages[at + 1 :]))
        self.statuses[status] += 1
        shown = f"{rpc} {changed!r} -> {status}: {text}"
        assert self._server.alive, shown
        assert not LEAKS.search(text), shown
        if rpc in ARROWS_OWN:
            assert status in RIGHT | {"UNKNOWN", "INTERNAL"}, shown
        elif not (status == "INTERNAL" and not text.startswith("INTERNAL")):
            # gRPC's own INTERNAL, for bytes that are no message of the call, never has our text.
            assert status in RIGHT, shown
        if status == "OK" and rpc in ("GetFlightInfo", "DoGet") and changed != messages[at]:
            self.compare(rpc, changed, shown)

    def _changed(self, rpc: str, message: bytes, pool: list[bytes], random: Random) -> bytes:
        if rpc in OUTER and random.random() < INSIDE:
            return mutated_inside(OUTER[rpc].FromString(message), pool, random)
        return mutated(message, pool, random)

    def send(self, rpc: str, messages: tuple[bytes, ...]) -> tuple[str, str]:
        """Return the name of the status and its text."""
        if rpc not in self._methods:
            self._methods[rpc] = self._channel.stream_stream(SERVICE + rpc)
        try:
            for _ in self._methods[rpc](iter(messages), timeout=DEADLINE_SECONDS):
                pass
        except grpc.RpcError as error:
            return error.code().name, error.details() or ""
        return "OK", ""

    def compare(self, rpc: str, changed: bytes, shown: str) -> None:
        """Ask a statement that was answered once more, and its text where there is no cache."""
        outer = OUTER[rpc].FromString(changed)
        command = outer.cmd if rpc == "GetFlightInfo" else outer.ticket
        request = statement(command)
        if request is None or command in self._seen or "system." in request.source:
            return
        self._seen.add(command)
        if request.source.lstrip().upper().startswith("EXPLAIN"):
            return
        self.compared += 1
        descriptor = flight.FlightDescriptor.for_command(request.source)
        info = self._client.get_flight_info(descriptor)
        given = self._client.do_get(info.endpoints[0].ticket).read_all()
        try:
            wanted = answer_text(request, self._cold, self._tables).table
        except FlightframeError as error:
            raise AssertionError(f"{shown}; without a cache: {error}") from error
        assert given.schema.equals(wanted.schema), shown
        assert given.to_pylist() == wanted.to_pylist(), shown

    def close(self) -> None:
        self._client.close()
        self._channel.close()


def statement(command: bytes) -> Request | None:
    """Return the query in a command or a ticket, None where it is something else."""
    match decode(command):
        case TextTicket(source=source):
            return Request(source)
        case QueryTicket(parameters=()) as ticket:
            return Request(ticket.source)
        case FlightSqlTicket(message=message):
            query = sql.CommandStatementQuery()
            return Request(query.query) if Packed.FromString(message).Unpack(query) else None
    return None


def still_right(server: ServerProcess, cold: Runtime) -> None:
    """The server answers as before, and as the database does."""
    text = "SELECT region, store, revenue, profit AT (region, store)"
    with flight.FlightClient(server.uri) as client:
        given: pa.Table = client.do_get(flight.Ticket(text)).read_all()
    wanted = answer_text(Request(text), cold, PublishedTables(cold)).table
    assert given.to_pylist() == wanted.to_pylist()
    assert given.num_rows == 13
