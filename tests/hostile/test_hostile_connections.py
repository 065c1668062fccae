"""Clients that are many, slow, half there or suddenly gone: others are served, nothing stays."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyarrow import flight
from server_process import ServerProcess

BY_REGION = "SELECT region, SUM(revenue) AS total_revenue AT region"
CENTRAL = Decimal("3868636.36")
BIG = "SELECT transaction, revenue AT transaction"
ROWS = 523_023

CONNECTIONS = 200
HALF_OPEN = 60
SLOW = 20
CANCELLED = 40
KILLED = 4
AT_ONCE = 20
CALL_SECONDS = 60

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Silence, a beginning, a whole preface, another protocol, junk frames, a settings frame too long.
OPENINGS = (
    b"",
    PREFACE[:7],
    PREFACE,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    PREFACE + b"\xff" * 64,
    PREFACE + b"\xff\xff\xff\x04\x00\x00\x00\x00\x00",
)
READER = """
import sys, time
from pyarrow import flight
reader = flight.FlightClient(sys.argv[1]).do_get(flight.Ticket(sys.argv[2]))
reader.read_chunk()
print("reading", flush=True)
time.sleep(60)
"""


def test_many_slow_broken_and_vanished_clients(streaming, hostile_folder: Path):
    server = streaming(hostile_folder / "installation.yaml")
    ordeal(server)
    after_one = server.settles(lambda held: int(server.asked("running")) == 0)
    for _ in range(2):
        ordeal(server)
    assert server.settles(lambda held: int(server.asked("running")) == 0)
    assert server.asked("running") == "0"
    now = server.settles(
        lambda held: held.threads <= after_one.threads and held.files <= after_one.files
    )
    # gRPC keeps a few threads and sockets of its own in store.
    assert now.threads <= after_one.threads + 4
    assert now.files <= after_one.files + 4
    assert now.mib < after_one.mib * 1.25
    assert "flight.broke" not in server.log.read_text()


def ordeal(server: ServerProcess) -> None:
    """Be every kind of bad client at once, and an ordinary one among them."""
    with ExitStack() as stack:
        stack.enter_context(half_open(server.port))
        stack.enter_context(slow_readers(server))
        answered_right(server)
        cancelled_streams(server)
        killed_readers(server)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            clients = [
                stack.enter_context(flight.FlightClient(server.uri)) for _ in range(CONNECTIONS)
            ]
            answers = pool.map(lambda client: asked(client, BY_REGION), clients)
            assert [table["total_revenue"][0].as_py() for table in answers] == (
                [CENTRAL] * CONNECTIONS
            )
        answered_right(server)


@contextmanager
def half_open(port: int) -> Iterator[None]:
    """Connections that never become calls."""
    with ExitStack() as stack:
        for number in range(HALF_OPEN):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            one.sendall(OPENINGS[number % len(OPENINGS)])
        yield


@contextmanager
def slow_readers(server: ServerProcess) -> Iterator[None]:
    """Streams of which one batch is read and then none for as long as the context lasts.

    Each then reads to its end, and has lost nothing.
    """
    with ExitStack() as stack:
        clients = [stack.enter_context(flight.FlightClient(server.uri)) for _ in range(SLOW)]
        readers = [client.do_get(flight.Ticket(BIG), options()) for client in clients]
        first = [reader.read_chunk().data.num_rows for reader in readers]
        yield
        for rows, reader in zip(first, readers, strict=True):
            assert rows + sum(chunk.data.num_rows for chunk in reader) == ROWS


def cancelled_streams(server: ServerProcess) -> None:
    """Streams that are given up, by a word or by silence."""
    give_up: list[Callable[[flight.FlightStreamReader], object]] = [
        flight.FlightStreamReader.cancel,
        lambda reader: None,
    ]
    with flight.FlightClient(server.uri) as client:
        for number in range(CANCELLED):
            reader = client.do_get(flight.Ticket(BIG))
            if number % 3:
                reader.read_chunk()
            give_up[number % 2](reader)
            del reader


def killed_readers(server: ServerProcess) -> None:
    """Processes that are killed in the middle of a stream."""
    command = [sys.executable, "-c", READER, server.uri, BIG]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(KILLED)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        reader.send_signal(signal.SIGKILL)
        reader.communicate()


def answered_right(server: ServerProcess) -> None:
    with flight.FlightClient(server.uri) as client:
        assert asked(client, BY_REGION)["total_revenue"][0].as_py() == CENTRAL
        assert asked(client, "SELECT SUM(units) AS n, COUNT(revenue) AS rows AT ()").num_rows == 1


def asked(client: flight.FlightClient, text: str) -> pa.Table:
    return client.do_get(flight.Ticket(text), options()).read_all()


def options() -> flight.FlightCallOptions:
    return flight.FlightCallOptions(timeout=CALL_SECONDS)
