"""What may stand at a place of a text, as values that every surface sends on.

What comes in: nothing, `complete` makes these. What goes out: options, the lawful ones first, and
the piece of the text that one of them replaces. It must never hold more of a text than its places.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from flightframe_server.errors import FlightframeError

Kind = Literal["metric", "level", "reducer", "keyword", "schema", "function", "member", "parameter"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that could be written.

    Attributes:
        label: what it is called.
        kind: what it is.
        insert: the text that stands for it, quoted where it must be.
        detail: a few words for the reader.
        type: the type of its values, where it has any.
        code: the code of the refusal, where it may not stand there; None where it may.
        reason: the words of that refusal.
    """

    label: str
    kind: Kind
    insert: str
    detail: str = ""
    type: str | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def legal(self) -> bool:
        """Whether it may stand there."""
        return self.code is None

    def refused(self, error: FlightframeError | None) -> Option:
        """Return the option with why it may not stand there; None: it may."""
        if error is None:
            return self
        return replace(self, code=error.code, reason=error.message)

    def to_json(self) -> dict[str, Any]:
        """Return the option as JSON holds it."""
        return {
            "label": self.label,
            "kind": self.kind,
            "insert": self.insert,
            "detail": self.detail,
            "type": self.type,
            "legal": self.legal,
            "code": self.code,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Completion:
    """What may stand at a place of a text.

    Attributes:
        start: the offset of the piece that an option replaces, in characters (code points).
        end: the offset behind that piece.
        options: the lawful ones first.
    """

    start: int
    end: int
    options: tuple[Option, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the completion as JSON holds it."""
        options = [option.to_json() for option in self.options]
        return {"start": self.start, "end": self.end, "options": options}


def ranked(options: Iterable[Option], typed: str) -> tuple[Option, ...]:
    """Return the options that fit what is typed: lawful ones first, then those that begin with it.

    Args:
        options: in the order in which they are offered.
        typed: the letters before the cursor; none: every option fits.
    """
    folded = typed.casefold()
    fitting = [option for option in options if folded in option.label.casefold()]

    def rank(option: Option) -> tuple[bool, bool]:
        return not option.legal, not option.label.casefold().startswith(folded)

    return tuple(sorted(fitting, key=rank))
