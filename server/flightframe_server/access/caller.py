"""Who makes a call, as a value that every layer may carry.

What comes in: what a surface has checked. What goes out: a name. It must never hold a credential:
a caller is compared, logged and kept beside what belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes one call.

    Attributes:
        user: the name that was proven; empty where nobody is asked for one.
        session: what the calls of one Handshake have in common, and those of no other; None where
            a call belongs to none. It opens nothing: it is the name of a session, not its token.
        peer: where the call comes from (`peers.py`); whose it is does not depend on it.
    """

    user: str
    session: bytes | None = None
    peer: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """Whose share of the bounds the call takes: its user's, else that of where it comes from.

        >>> Caller("alice", peer="192.0.2.7").key, Caller("", peer="192.0.2.7").key
        ('user alice', 'peer 192.0.2.7')
        """
        return f"user {self.user}" if self.user else f"peer {self.peer}"


ANONYMOUS = Caller("")
"""Whoever calls where nobody is asked for a name."""
