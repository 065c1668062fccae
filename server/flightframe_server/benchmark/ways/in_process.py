"""In this process, by DuckDB itself."""

from __future__ import annotations

from contextlib import ExitStack

import duckdb

from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Open the file, and return the function that asks."""
    connection = stack.enter_context(duckdb.connect(target.address, read_only=True))
    return lambda question: connection.sql(question).to_arrow_table()
