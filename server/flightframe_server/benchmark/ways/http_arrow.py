"""Over HTTP, for a stream of Arrow batches."""

from __future__ import annotations

from contextlib import ExitStack

import pyarrow as pa

from flightframe_server.benchmark.targets import Ask, Target
from flightframe_server.benchmark.ways.http import asking_for


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    ask = asking_for(target, stack, "application/vnd.apache.arrow.stream")

    def table(question: str) -> pa.Table:
        with pa.ipc.open_stream(ask(question)) as reader:
            return reader.read_all()

    return table
