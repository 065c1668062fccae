"""What became of a reload, as surfaces show it.

What comes in: names of collections, or the error that stopped it. What goes out: frozen values and
their JSON. It must never hold a path: files are named without their folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flightframe_server.errors import CatalogError, FlightframeError


@dataclass(frozen=True, slots=True)
class ReloadMistake:
    """One reason why a reload was refused: which file, which line (0: none), and what to do."""

    code: str
    message: str
    file: str = ""
    line: int = 0
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        hint = {"hint": self.hint} if self.hint else {}
        facts = {"code": self.code, "file": self.file, "line": self.line, "message": self.message}
        return {**facts, **hint}


def mistakes_of(error: FlightframeError) -> tuple[ReloadMistake, ...]:
    """Return every mistake that an error carries."""
    if not isinstance(error, CatalogError):
        return (ReloadMistake(error.code, error.message, hint=error.hint),)
    return tuple(
        ReloadMistake(one.code, one.text, one.file, one.line, one.advice) for one in error.each()
    )


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """What one reload did.

    Attributes:
        changed: the collections that were added, removed, or read anew, sorted.
        unchanged: those that serve on as they were, sorted.
        collections: all that are served now, sorted.
        errors: why nothing was changed; empty where the files as they are now are served.
        at: when, seconds since 1970 UTC.
    """

    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    collections: tuple[str, ...]
    errors: tuple[ReloadMistake, ...]
    at: float

    @property
    def succeeded(self) -> bool:
        """Whether the files as they are now are what is served."""
        return not self.errors

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "reloaded": self.succeeded,
            "changed": list(self.changed),
            "collections": list(self.collections),
            "errors": [error.to_json() for error in self.errors],
        }


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """How the last reload ended, for those who look after the server.

    Attributes:
        state: `none` before the first.
        at: when it ended, seconds since 1970 UTC.
        errors: what is wrong with the files, while the former ones are served.
    """

    state: Literal["none", "ok", "failed"] = "none"
    at: float | None = None
    errors: tuple[ReloadMistake, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        errors = [error.to_json() for error in self.errors]
        return {"state": self.state, "at": self.at, "errors": errors}
