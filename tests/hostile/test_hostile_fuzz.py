"""Every message of the protocol, well formed and full of nonsense, in every place it may stand."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from client_session import packed
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from message_strategies import messages
from recorder import SERVICE
from server_process import ServerProcess

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.flight.actions import ACTIONS

RIGHT = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "PERMISSION_DENIED"}
LEAKS = re.compile(r"Traceback|\.py\b|site-packages|/(?:work|home|root|usr|tmp|build)/")
KINDS = sorted(sql.DESCRIPTOR.message_types_by_name)
COMMANDS = [kind for kind in KINDS if kind.startswith(("Command", "Ticket"))]
# Actions of the protocol that this server does not know belong to it as well.
ACTION_TYPES = sorted({*ACTIONS, "BeginTransaction", "EndTransaction", "CancelQuery", "MakeCoffee"})


@pytest.fixture(scope="module")
def fuzzed(
    hostile_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    import sys

    folder = tmp_path_factory.mktemp("fuzzed")
    command = [sys.executable, "-m", "flightframe_server", "serve", "--flight-port", "0"]
    command += [str(hostile_folder / "installation.yaml"), "--store", str(folder / "store")]
    server = ServerProcess(command, folder / "server.log")
    yield server
    broke = "flight.broke" in server.log.read_text()
    server.end()
    assert not broke


@pytest.fixture(scope="module")
def send(fuzzed: ServerProcess) -> Iterator[Callable[[str, Message], tuple[str, str]]]:
    channel = grpc.insecure_channel(f"127.0.0.1:{fuzzed.port}")

    def sent(rpc: str, message: Message) -> tuple[str, str]:
        call = channel.stream_stream(SERVICE + rpc)(iter([message.SerializeToString()]), timeout=20)
        try:
            for _ in call:
                pass
        except grpc.RpcError as error:
            return error.code().name, error.details() or ""
        return "OK", ""

    yield sent
    channel.close()


def judge(fuzzed: ServerProcess, answered: tuple[str, str]) -> None:
    status, text = answered
    assert fuzzed.alive
    assert status in RIGHT, (status, text)
    assert not LEAKS.search(text), text


@settings(max_examples=400)
@given(
    message=st.sampled_from(COMMANDS).flatmap(
        lambda kind: messages(sql.DESCRIPTOR.message_types_by_name[kind])
    ),
    rpc=st.sampled_from(["GetFlightInfo", "GetSchema", "DoGet"]),
)
def test_any_command_in_any_call(fuzzed, send, message, rpc):
    command = packed(message)
    if rpc == "DoGet":
        judge(fuzzed, send(rpc, sql.Ticket(ticket=command)))
    else:
        descriptor = sql.FlightDescriptor(type=sql.FlightDescriptor.CMD, cmd=command)
        judge(fuzzed, send(rpc, descriptor))


@settings(max_examples=400)
@given(
    kind=st.sampled_from(ACTION_TYPES),
    message=st.sampled_from(KINDS).flatmap(
        lambda kind: messages(sql.DESCRIPTOR.message_types_by_name[kind])
    ),
    wrapped=st.booleans(),
)
def test_any_body_in_any_action(fuzzed, send, kind, message, wrapped):
    body = packed(message) if wrapped else message.SerializeToString()
    judge(fuzzed, send("DoAction", sql.Action(type=kind, body=body)))


@settings(max_examples=200)
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode), data=st.data())
def test_junk_in_any_place(fuzzed, send, body, data):
    place = data.draw(st.sampled_from(["GetFlightInfo", "GetSchema", "DoGet", "DoAction"]))
    if place == "DoAction":
        kind = data.draw(st.sampled_from(ACTION_TYPES))
        judge(fuzzed, send(place, sql.Action(type=kind, body=body)))
    elif place == "DoGet":
        judge(fuzzed, send(place, sql.Ticket(ticket=body)))
    else:
        judge(fuzzed, send(place, sql.FlightDescriptor(type=2, cmd=body)))
