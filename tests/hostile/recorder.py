"""A gRPC proxy that hands every byte on and keeps the requests as they came.

Bytes of real clients, not of our own encoder, are what the mutations start from.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "/arrow.flight.protocol.FlightService/"
WORKERS = 16
_HOP_BY_HOP = frozenset({"user-agent", "te", "content-type", "grpc-accept-encoding"})

Call = tuple[str, tuple[bytes, ...]]
"""The name of a method, and the bytes of each message that its client sent."""


class Recorder(grpc.GenericRpcHandler):
    """Listens on a free port of 127.0.0.1, and asks a server for whatever it is asked.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._lock = threading.Lock()
        self.kept: list[Call] = []
        self._server = grpc.server(ThreadPoolExecutor(WORKERS), handlers=(self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Return the handler of any method: a call of one message is a stream of one."""
        method = str(handler_call_details.method)
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._handed_on(method, requests, context)
        )

    def _handed_on(
        self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        sent: list[bytes] = []

        def keeping() -> Iterator[bytes]:
            for request in requests:
                sent.append(request)
                yield request

        headers = [pair for pair in context.invocation_metadata() if pair[0] not in _HOP_BY_HOP]
        call = self._channel.stream_stream(method)(keeping(), metadata=headers)
        try:
            context.send_initial_metadata(call.initial_metadata())
            yield from call
            context.set_trailing_metadata(call.trailing_metadata())
        except grpc.RpcError:
            context.abort(call.code(), call.details())
        finally:
            with self._lock:
                self.kept.append((method.removeprefix(SERVICE), tuple(sent)))

    def close(self) -> None:
        self._server.stop(0).wait()
        self._channel.close()
