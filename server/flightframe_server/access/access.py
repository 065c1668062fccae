"""How a server admits calls: over TLS or not, with credentials, a certificate, or neither.

What comes in: an authenticator and TLS, opened. What goes out: one value for both surfaces, so that
neither can be more open than the other. It must never show its secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flightframe_server.access.audit import OFF, Audit
from flightframe_server.access.authenticate import Authenticator
from flightframe_server.access.credential_files import CredentialFiles
from flightframe_server.access.tls import Tls
from flightframe_server.call_context import Caller


class Operators:
    """The users who may change what is served; a reload may name others.

    Args:
        names: the users.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Keep the names."""
        self._names = frozenset(names)

    def __contains__(self, user: str) -> bool:
        """Return whether a user is one of them."""
        return user in self._names

    def change(self, names: Iterable[str]) -> None:
        """Let these users change what is served, and no others."""
        self._names = frozenset(names)


@dataclass(frozen=True, slots=True)
class Access:
    """How a server admits calls, and what it notes of them.

    Attributes:
        authenticator: checks credentials; None: none are asked for.
        tls: the certificates; None: connections are not encrypted.
        audit: notes each call.
        operators: the users who may change what is served, where credentials are asked for.
        credential_files: what the authenticator checks credentials against, where it has files.
    """

    authenticator: Authenticator | None = None
    tls: Tls | None = None
    audit: Audit = OFF
    operators: Operators = field(default_factory=Operators)
    credential_files: CredentialFiles | None = None

    @property
    def named_by_certificate(self) -> bool:
        """Whether a client's certificate says who it is: where it must show one and no more."""
        return (
            self.authenticator is None and self.tls is not None and self.tls.client_ca is not None
        )

    def may_operate(self, caller: Caller) -> bool:
        """Return whether a caller may change what is served.

        Where neither credentials nor certificates are asked for, all callers may.
        """
        if self.authenticator is None and not self.named_by_certificate:
            return True
        return bool(caller.user) and caller.user in self.operators


OPEN = Access()
"""All calls are admitted, unencrypted."""
