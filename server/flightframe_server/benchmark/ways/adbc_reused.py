"""Through ADBC, with one cursor for all questions."""

from __future__ import annotations

from contextlib import ExitStack

import pyarrow as pa
from adbc_driver_flightsql import dbapi

from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    connection = stack.enter_context(dbapi.connect(target.address, autocommit=True))
    cursor = stack.enter_context(connection.cursor())

    def ask(question: str) -> pa.Table:
        cursor.execute(question)
        return cursor.fetch_arrow_table()

    return ask
