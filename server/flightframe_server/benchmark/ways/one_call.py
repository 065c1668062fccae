"""Through Flight, the text as the ticket: one call."""

from __future__ import annotations

from contextlib import ExitStack

from pyarrow import flight

from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    client = stack.enter_context(flight.FlightClient(target.address))
    return lambda question: client.do_get(flight.Ticket(question.encode())).read_all()
