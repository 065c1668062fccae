"""The floor: a Flight server that does nothing but return one prepared table.

What comes in: an Arrow IPC file. What goes out: its table, for any ticket, and the port on stdout.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import flight


class BareServer(flight.FlightServerBase):  # type: ignore[misc]
    """Answers every DoGet with the same table."""

    def __init__(self, table: pa.Table) -> None:
        """Listen on any free port."""
        super().__init__("grpc://127.0.0.1:0")
        self._table = table

    def do_get(self, _: Any, ticket: flight.Ticket) -> flight.RecordBatchStream:
        """Return the table, whatever the ticket."""
        return flight.RecordBatchStream(self._table)


def main(path: str) -> None:
    """Serve the table in `path` until the process is ended."""
    with pa.ipc.open_file(Path(path).read_bytes()) as reader:
        server = BareServer(reader.read_all())
    print(server.port, flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1])
