"""A question as a function: connected once, then called for as long as it is timed.

What comes in: a target. What goes out: a function that asks a question and returns the whole answer
as an Arrow table. It must never import the libraries of a way that is not used: what one side loads
is no cost of the other.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pyarrow as pa

from flightframe_server.benchmark.targets import Target, Way, digest

Ask = Callable[[str], pa.Table]


@contextmanager
def asking(target: Target) -> Iterator[Ask]:
    """Connect to a target, and give the function that asks it a question.

    Args:
        target: who is asked.
    """
    with ExitStack() as stack:
        yield _CALLERS[target.way](target, stack)


def digests(ask: Ask, target: Target) -> list[object]:
    """Ask each question of a target once, and return the digests of the answers."""
    return [digest(ask(question)) for question in dict.fromkeys(target.questions)]


def _client(target: Target, stack: ExitStack) -> Ask:
    import flightframe

    connection = stack.enter_context(flightframe.connect(target.address))
    bypasses = target.bypasses_cache
    return lambda question: connection.query(question, no_cache=bypasses).to_arrow()


def _one_call(target: Target, stack: ExitStack) -> Ask:
    from pyarrow import flight

    client = stack.enter_context(flight.FlightClient(target.address))
    return lambda question: client.do_get(flight.Ticket(question.encode())).read_all()


def _two_calls(target: Target, stack: ExitStack) -> Ask:
    from pyarrow import flight

    client = stack.enter_context(flight.FlightClient(target.address))

    def ask(question: str) -> pa.Table:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(question.encode()))
        return client.do_get(info.endpoints[0].ticket).read_all()

    return ask


def _adbc(target: Target, stack: ExitStack) -> Ask:
    from adbc_driver_flightsql import dbapi

    connection = stack.enter_context(dbapi.connect(target.address, autocommit=True))

    def ask(question: str) -> pa.Table:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetch_arrow_table()

    return ask


def _adbc_reused(target: Target, stack: ExitStack) -> Ask:
    from adbc_driver_flightsql import dbapi

    connection = stack.enter_context(dbapi.connect(target.address, autocommit=True))
    cursor = stack.enter_context(connection.cursor())

    def ask(question: str) -> pa.Table:
        cursor.execute(question)
        return cursor.fetch_arrow_table()

    return ask


def _in_process(target: Target, stack: ExitStack) -> Ask:
    import duckdb

    connection = stack.enter_context(duckdb.connect(target.address, read_only=True))
    return lambda question: connection.sql(question).to_arrow_table()


def _http(target: Target, stack: ExitStack, accept: str) -> Any:
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    connection = HTTPConnection(urlsplit(target.address).netloc)
    stack.callback(connection.close)
    headers = {"Content-Type": "application/json", "Accept": accept}

    def ask(question: str) -> bytes:
        body = json.dumps({"source": question, "no_cache": target.bypasses_cache})
        connection.request("POST", "/runtime/query", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}: {answer[:300]!r}")
        return answer

    return ask


def _http_json(target: Target, stack: ExitStack) -> Ask:
    ask = _http(target, stack, "application/json")

    def table(question: str) -> pa.Table:
        answer = json.loads(ask(question))
        columns = zip(*answer["rows"], strict=True)
        return pa.table(dict(zip(answer["columns"], columns, strict=True)))

    return table


def _http_arrow(target: Target, stack: ExitStack) -> Ask:
    ask = _http(target, stack, "application/vnd.apache.arrow.stream")

    def table(question: str) -> pa.Table:
        with pa.ipc.open_stream(ask(question)) as reader:
            return reader.read_all()

    return table


_CALLERS: dict[Way, Callable[[Target, ExitStack], Ask]] = {
    Way.CLIENT: _client,
    Way.ONE_CALL: _one_call,
    Way.TWO_CALLS: _two_calls,
    Way.ADBC: _adbc,
    Way.ADBC_REUSED: _adbc_reused,
    Way.IN_PROCESS: _in_process,
    Way.HTTP_JSON: _http_json,
    Way.HTTP_ARROW: _http_arrow,
}
