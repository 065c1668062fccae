"""The address of a server: a URI taken apart and checked.

What comes in: what the caller wrote. What goes out: scheme, host and port. It must never carry a
credential: an address is shown in errors and logs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flightframe.errors import ArgumentError

PLAIN_SCHEMES = ("grpc", "grpc+tcp")
TLS_SCHEME = "grpc+tls"
EXAMPLE = "write grpc://127.0.0.1:8815, or grpc+tls://host:port for TLS"
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z+]*)://"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})/?"
)


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
    if "@" in uri:
        raise ArgumentError(
            "a credential does not belong into the URI", "pass username= and password=, or token="
        )
    match = _URI.fullmatch(uri)
    if match is None:
        raise ArgumentError("the URI is not of the form scheme://host:port", EXAMPLE)
    scheme, port = match["scheme"].lower(), int(match["port"])
    if scheme not in (*PLAIN_SCHEMES, TLS_SCHEME):
        raise ArgumentError("the URI has another scheme than grpc, grpc+tcp or grpc+tls", EXAMPLE)
    if not 0 < port < 1 << 16:
        raise ArgumentError("the URI's port is not one of 1 to 65535", EXAMPLE)
    return Address(scheme, match["v6"] or match["host"], port)
