"""The floor of the stack: Flight servers that do nothing but return one prepared table.

What comes in: an Arrow IPC file, and whether the hooks of our server stand before its calls. What
goes out: the table for any ticket, and the address on stdout. It must never do what it is not
compared by.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import flight

from flightframe_server.access.access import OPEN
from flightframe_server.flight.handshake import hooks

HOOKED = "--hooked"


class BareServer(flight.FlightServerBase):  # type: ignore[misc]
    """Answers every GetFlightInfo and every DoGet with the same table."""

    def __init__(self, table: pa.Table, **hooks: Any) -> None:
        """Listen at any free port."""
        super().__init__("grpc://127.0.0.1:0", **hooks)
        self._table = table
        ticket = flight.Ticket(b"prepared")
        self._endpoints = [flight.FlightEndpoint(ticket, [])]

    def get_flight_info(self, _: Any, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        """Return where the table is."""
        return flight.FlightInfo(
            self._table.schema, descriptor, self._endpoints, self._table.num_rows, -1
        )

    def do_get(self, _: Any, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Return the table, whatever the ticket."""
        return flight.RecordBatchStream(self._table)


class HookedServer(BareServer):
    """The same, with what stands before our calls, a header, and metadata beside each batch."""

    def do_get(self, context: Any, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Return the table as our server streams one."""
        context.add_header("served-from", "engine_cache")
        batches = ((batch, b"prepared") for batch in self._table.to_batches())
        return flight.GeneratorStream(self._table.schema, batches)


def main(arguments: list[str]) -> None:
    """Serve the table of a file until the process is ended."""
    with pa.ipc.open_file(Path(arguments[0]).read_bytes()) as reader:
        table = reader.read_all()
    if HOOKED in arguments:
        server: BareServer = HookedServer(table, **hooks(OPEN, handshake=True))
    else:
        server = BareServer(table)
    print(f"grpc://127.0.0.1:{server.port}", flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
