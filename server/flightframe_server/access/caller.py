"""Who makes a call, as a value that every layer may carry.

What comes in: what a surface has checked. What goes out: a name. It must never hold a credential:
a caller is compared, logged and kept beside what belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes one call.

    Attributes:
        user: the name that was proven; empty where nobody is asked for one.
        session: what the calls of one Handshake have in common, and those of no other; None where
            a call belongs to none. It opens nothing: it is the name of a session, not its token.
    """

    user: str
    session: bytes | None = None


ANONYMOUS = Caller("")
"""Whoever calls where nobody is asked for a name."""
