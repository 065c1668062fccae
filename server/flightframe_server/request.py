"""One query as a surface hands it on.

What comes in: a text, bound values, what is asked of freshness. What goes out: one frozen value,
and what makes two of them the same. It must never know which surface made it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.language.syntax import LiteralValue
from flightframe_server.planner.plan import NO_FRESHNESS, Freshness
from flightframe_server.resolver.values import literal_type

VALUE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Request:
    """One query as a surface hands it on.

    Attributes:
        source: Frame-QL text.
        parameters: bound values: `?` by index from 0, `$name` by name, as pairs.
        collection: its collection; None for the only one that fits.
        freshness: what it says about age.
    """

    source: str
    parameters: tuple[tuple[int | str, LiteralValue], ...] = ()
    collection: str | None = None
    freshness: Freshness = NO_FRESHNESS

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two requests the same: text, values with their types, options."""
        typed = tuple((name, str(literal_type(value)), value) for name, value in self.parameters)
        return self.source, typed, self.collection, self.freshness

    @property
    def bytes(self) -> int:
        """About the bytes that `key` takes, texts at their longest encoding."""
        values = (value for _, value in self.parameters)
        value_bytes = sum(
            VALUE_BYTES + 4 * (len(one) if isinstance(one, str) else 0) for one in values
        )
        return 4 * len(self.source) + value_bytes
