"""One execution: its cursor, and where the answer came from.

What comes in: a cursor of the driver that has just executed. What goes out: the provenance that
stands in the schema of its answer. It must never read a row: those are the result's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import CursorResult
from sqlalchemy.engine.default import DefaultExecutionContext

from flightframe.fields import parse_object
from flightframe.provenance import Provenance

_KEY = b"flightframe"


class FlightframeExecution(DefaultExecutionContext):
    """The execution of one statement.

    Attributes:
        provenance: where the answer came from; None for one that says nothing of it.
    """

    provenance: Provenance | None = None

    def post_exec(self) -> None:
        """Keep what the answer's schema says, before its rows are read."""
        if self.executemany or self.cursor.description is None:
            return
        metadata = self.cursor.fetch_record_batch().schema.metadata or {}
        if _KEY in metadata:
            self.provenance = Provenance.from_fields(parse_object(metadata[_KEY]))


def provenance(result: CursorResult[Any]) -> Provenance | None:
    """Return where the rows of a result came from.

    Args:
        result: of `connection.execute`, read or not.

    Returns:
        The same as `flightframe.Result.provenance`; None where the answer says nothing of it, as
        that of a statement of the catalogue.
    """
    return getattr(result.context, "provenance", None)
