"""The walkthrough's numbers by another way: hand-written SQL over the Parquet files.

What comes in: the demo's folder and SQL. What goes out: rows. It must never touch our own code on
the way to a number, nor the database file that the server holds open.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from flightframe_server.demo.retail import SCHEMAS
from flightframe_server.errors import SetupError


class ByHand:
    """An in-memory DuckDB that sees each retail table under its name."""

    def __init__(self, folder: Path) -> None:
        """Look at the Parquet files of a demo's folder.

        Raises:
            SetupError: one of them cannot be read.
        """
        self._connection = duckdb.connect(":memory:")
        try:
            for table in SCHEMAS:
                relation = self._connection.read_parquet(str(folder / f"{table}.parquet"))
                relation.create_view(table)
        except (duckdb.Error, OSError) as error:
            self._connection.close()
            raise SetupError("the Parquet files of the demo cannot be read") from error

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(sql).fetchall()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._connection.close()
