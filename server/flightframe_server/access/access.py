"""How a server is entered: over TLS or not, with credentials, a certificate, or by anybody.

What comes in: a door and TLS, opened. What goes out: one value for both surfaces, so that neither
can be more open than the other. It must never show what is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.access.audit import OFF, Audit
from flightframe_server.access.door import Door
from flightframe_server.access.tls import Tls


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is entered, and what is noted of whoever does.

    Attributes:
        door: asks for credentials; None: nobody is asked.
        tls: the certificates; None: connections are not encrypted.
        audit: notes each call.
    """

    door: Door | None = None
    tls: Tls | None = None
    audit: Audit = OFF

    @property
    def named_by_certificate(self) -> bool:
        """Whether a client's certificate says who it is: where it must show one and no more."""
        return self.door is None and self.tls is not None and self.tls.client_ca is not None


OPEN = Access()
"""Everybody is let in, unencrypted."""
