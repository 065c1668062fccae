"""A double of the wire: a bare Flight server that answers what a test tells it to."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import flight

SCHEMA = pa.schema([("region", pa.string()), ("total_revenue", pa.decimal128(18, 2))])
ROWS = [("Central", Decimal("3868636.36")), ("East", Decimal("0.10")), ("West", None)]
PROVENANCE = {
    "served_from": "engine_cache",
    "query_id": "q1",
    "collection": "retail_full",
    "columns": [
        {"column": "region", "served_from": "engine_cache", "parts": []},
        {
            "column": "total_revenue",
            "served_from": "engine_cache",
            "parts": [
                {
                    "family": "revenue",
                    "operator": "SUM",
                    "anchor": ["region"],
                    "route": "rollup",
                    "served_from": "engine_cache",
                    "entry": "e7",
                    "rolled_up_from": ["day", "region"],
                    "edges": ["store -> region"],
                    "version": {"transactions": "f1"},
                }
            ],
        },
    ],
}
METADATA = json.dumps(PROVENANCE).encode()
Chunk = tuple[pa.RecordBatch, bytes] | pa.RecordBatch


def batch(rows: list[tuple[Any, ...]] = ROWS, schema: pa.Schema = SCHEMA) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [pa.array(list(column), of.type) for column, of in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def ok(ticket: bytes) -> Iterator[Chunk]:
    yield batch(), METADATA


class Recorder(flight.ServerMiddlewareFactory):
    """Writes down every call with its headers and answers Basic with a token, as a server does."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, dict[str, list[str]]]] = []
        self.gives_token = True

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> Any:
        self.calls.append((info.method, headers))
        authorization = headers.get("authorization", [""])[0]
        if not authorization.startswith("Basic "):
            return None
        if authorization != "Basic YWxpY2U6c2VjcmV0":  # alice:secret
            raise flight.FlightUnauthenticatedError("the password is wrong")
        return Grant() if self.gives_token else None


class Grant(flight.ServerMiddleware):
    def sending_headers(self) -> dict[str, str]:
        return {"authorization": "Bearer granted"}


class AnyHandshake(flight.ServerAuthHandler):
    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """The middleware has looked already."""

    def is_valid(self, token: bytes) -> bytes:
        return b""


class Wire(flight.FlightServerBase):
    """`answer` maps a ticket to chunks, `act` an action to bodies; both may raise."""

    def __init__(self, **options: Any) -> None:
        self.recorder = Recorder()
        super().__init__("grpc://127.0.0.1:0", middleware={"recorder": self.recorder}, **options)
        self.answer: Callable[[bytes], Iterator[Chunk]] = ok
        self.act: Callable[[str, bytes], list[bytes]] = lambda kind, body: []
        self.schema = SCHEMA
        self.tickets: list[bytes] = []
        self.actions: list[tuple[str, bytes]] = []
        self.stopped_early = 0

    @property
    def uri(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    def do_get(self, context: Any, ticket: flight.Ticket) -> flight.FlightDataStream:
        self.tickets.append(ticket.ticket)
        return flight.GeneratorStream(self.schema, self._watched(self.answer(ticket.ticket)))

    def _watched(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        whole = False
        try:
            yield from chunks
            whole = True
        finally:
            self.stopped_early += not whole

    def do_action(self, context: Any, action: flight.Action) -> Iterator[flight.Result]:
        body = action.body.to_pybytes()
        self.actions.append((action.type, body))
        return iter([flight.Result(part) for part in self.act(action.type, body)])
