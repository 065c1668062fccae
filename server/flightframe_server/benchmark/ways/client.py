"""Through the Python client."""

from __future__ import annotations

from contextlib import ExitStack

import flightframe
from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    connection = stack.enter_context(flightframe.connect(target.address))
    bypasses = target.bypasses_cache
    return lambda question: connection.query(question, no_cache=bypasses).to_arrow()
