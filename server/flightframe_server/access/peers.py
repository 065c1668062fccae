"""Where calls come from, as the name that bounds count by.

What comes in: the address of a connection's other end, as a surface tells it. What goes out: one
name for what one party can have many of: an IPv4 address, or the first half of an IPv6 address. It
must never come from a header, which its sender writes: behind a proxy all calls are the proxy's.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import unquote

V6_PREFIX = 64
REMEMBERED = 4096


@lru_cache(maxsize=REMEMBERED)
def peer_named(host: str) -> str:
    """Return the name of a host's address.

    >>> peer_named("192.0.2.7"), peer_named("::ffff:192.0.2.7")
    ('192.0.2.7', '192.0.2.7')
    >>> peer_named("2001:db8:1:2:3:4:5:6"), peer_named("2001:db8:1:2::9%eth0")
    ('2001:db8:1:2::/64', '2001:db8:1:2::/64')
    >>> peer_named("no address"), peer_named("")
    ('local', 'local')
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # A socket of the file system: its clients are on this machine.
        return "local"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)


def peer_of(target: str) -> str:
    """Return the name of a peer as gRPC tells it: a scheme, an address, and a port.

    >>> peer_of("ipv4:127.0.0.1:50124"), peer_of("ipv6:%5B2001:db8::1%5D:50124"), peer_of("unix:")
    ('127.0.0.1', '2001:db8::/64', 'local')
    """
    return peer_named(_host(target.rpartition(":")[0]))


@lru_cache(maxsize=REMEMBERED)
def _host(head: str) -> str:
    return unquote(head.partition(":")[2]).strip("[]")
