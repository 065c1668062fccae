"""The address of a server: a URI taken apart and checked.

What comes in: what the caller wrote. What goes out: scheme, host and port. It must never carry a
credential: an address is shown in errors and logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flightframe.errors import ArgumentError

PLAIN_SCHEMES = ("grpc", "grpc+tcp")
TLS_SCHEME = "grpc+tls"
EXAMPLE = "write grpc://127.0.0.1:8815, or grpc+tls://host:port for TLS"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; `host` without the brackets of an IPv6 address."""

    scheme: str
    host: str
    port: int

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == TLS_SCHEME

    @property
    def uri(self) -> str:
        """The address as one URI."""
        return f"{self.scheme}://{self}"

    def __str__(self) -> str:
        """Return `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(uri: str) -> Address:
    """Take a URI apart.

    Raises:
        ArgumentError: it is not `grpc://host:port`, `grpc+tcp://host:port` or
            `grpc+tls://host:port`, or holds a credential.
    """
    if not isinstance(uri, str):
        raise ArgumentError("the URI is not a text", EXAMPLE)
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ArgumentError("the URI cannot be read", EXAMPLE) from None
    if parts.scheme not in (*PLAIN_SCHEMES, TLS_SCHEME):
        raise ArgumentError("the URI has another scheme than grpc, grpc+tcp or grpc+tls", EXAMPLE)
    if "@" in parts.netloc:
        raise ArgumentError(
            "a credential does not belong into the URI", "pass username= and password=, or token="
        )
    if not host or not port:
        raise ArgumentError("the URI lacks a host or a port", EXAMPLE)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ArgumentError("the URI goes on after the port", EXAMPLE)
    return Address(parts.scheme, host, port)
