"""Through ADBC, with a cursor for each question."""

from __future__ import annotations

from contextlib import ExitStack

import pyarrow as pa
from adbc_driver_flightsql import dbapi

from flightframe_server.benchmark.targets import Ask, Target


def connected(target: Target, stack: ExitStack) -> Ask:
    """Connect, and return the function that asks."""
    connection = stack.enter_context(dbapi.connect(target.address, autocommit=True))

    def ask(question: str) -> pa.Table:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetch_arrow_table()

    return ask
