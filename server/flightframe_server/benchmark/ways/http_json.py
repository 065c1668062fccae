"""Over HTTP, for JSON."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pyarrow as pa

from flightframe_server.benchmark.targets import Ask, Target
from flightframe_server.benchmark.ways.http import asking_for


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    ask = asking_for(target, stack, "application/json")

    def table(question: str) -> pa.Table:
        answer = json.loads(ask(question))
        columns = zip(*answer["rows"], strict=True)
        return pa.table(dict(zip(answer["columns"], columns, strict=True)))

    return table
