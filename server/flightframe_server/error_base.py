"""The root of the tree of errors: what every error of ours holds, and how it reads.

What comes in: a message, a hint, a place, facts. What goes out: the text and the JSON that surfaces
send. It must never hold a path, a traceback, or more of what was sent than `error_text` allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flightframe_server.error_place import NOWHERE, Place, Status
from flightframe_server.error_text import wire_text


class FlightframeError(Exception):
    """Base of every error of ours. Abstract: raise one of its leaves.

    Args:
        message: one sentence, lower case, that says what is wrong.
        hint: what the reader can do about it.
        place: where in the query text; None where there is no text.
        details: facts worth carrying apart from the text, such as a counter-example row.
    """

    code: ClassVar[str] = ""
    status: ClassVar[Status] = Status.INTERNAL
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        place: Place | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the facts; see the class for their meaning."""
        if not self.code:
            raise TypeError(f"{type(self).__name__} is abstract: raise one of its leaves")
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = None if place is None or place == NOWHERE else place
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        """Return the text that goes over the wire: code, message, place and hint, bounded."""
        return wire_text(self.code, self.message, str(self.place or ""), self.hint)

    def payload(self) -> dict[str, Any]:
        """Return the one JSON shape of an error, for surfaces that answer in JSON."""
        place = {} if not self.place else {"line": self.place.line, "column": self.place.column}
        more = {"hint": self.hint} if self.hint else {}
        details = {"details": self.details} if self.details else {}
        return {"error": {"code": self.code, "message": self.message, **more, **place, **details}}

    def caret(self, source: str) -> str | None:
        """Return the offending line of `source` with a caret under the place, or None."""
        return None if self.place is None else self.place.caret(source)
