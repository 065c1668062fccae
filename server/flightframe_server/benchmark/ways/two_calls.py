"""Through Flight, first for the ticket and then for the rows: two calls."""

from __future__ import annotations

from contextlib import ExitStack

import pyarrow as pa
from pyarrow import flight

from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    client = stack.enter_context(flight.FlightClient(target.address))

    def ask(question: str) -> pa.Table:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(question.encode()))
        return client.do_get(info.endpoints[0].ticket).read_all()

    return ask
