"""Where the Flight server beside this one answers, as a client of this one may call it.

What comes in: where it listens, and what a request names this machine. What goes out: an address.
It must never name a host that means every address, which no client can call.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


def flight_address(listening: str, named: str) -> str:
    """Return the address to call.

    Args:
        listening: where the Flight server listens, such as `grpc://0.0.0.0:8815`.
        named: the Host header of the request, from which a host is taken where that is needed.

    >>> flight_address("grpc://127.0.0.1:8815", "example.org:8000")
    'grpc://127.0.0.1:8815'
    >>> flight_address("grpc+tls://0.0.0.0:8815", "example.org:8000")
    'grpc+tls://example.org:8815'
    >>> flight_address("grpc://[::]:8815", "[fe80::1]:8000")
    'grpc://[fe80::1]:8815'
    """
    address = urlsplit(listening)
    if not _is_every_address(address.hostname or ""):
        return listening
    try:
        host = urlsplit(f"//{named}").hostname or LOOPBACK
    except ValueError:
        host = LOOPBACK
    url_host = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{url_host}:{address.port}"


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""
