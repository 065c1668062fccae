"""Where a server may listen: with less than TLS and credentials, on this machine alone.

What comes in: the settings of a manifest. What goes out: nothing, or the refusal that names what is
missing. It must never open anything: it runs first.
"""

from __future__ import annotations

import ipaddress
import socket

from flightframe_server.catalog.installation import ServerSettings
from flightframe_server.errors import SetupError, shown


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens at `host`.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("::")
    (True, True, False, False)

    Raises:
        SetupError: it is no address of a machine.
    """
    try:
        resolved = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SetupError(f"{shown(host)} is no address of this machine") from error
    # An IPv6 address may carry its zone behind a percent sign.
    addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in resolved]
    return all(address.is_loopback for address in addresses)


def missing_protection(settings: ServerSettings) -> list[str]:
    """Return which keys of the manifest would protect the server and are not there."""
    named_users = settings.auth is not None and not settings.auth.anonymous
    authenticates = settings.certified or named_users
    lacking = [] if settings.tls is not None else ["server.tls"]
    if authenticates:
        return lacking
    open_to_all = settings.auth is not None
    return [*lacking, "server.auth without anonymous" if open_to_all else "server.auth"]


def check_bind_address(settings: ServerSettings, *, insecure: bool) -> None:
    """Refuse to be reached from other machines unprotected.

    Args:
        settings: where the server listens, and which credentials it asks for.
        insecure: whether the operator allows it all the same.

    Raises:
        SetupError: that is what would happen.
    """
    lacking = missing_protection(settings)
    if not lacking or insecure or is_loopback(settings.host):
        return
    raise SetupError(
        f"{shown(settings.host)} can be reached from other machines, and the manifest lacks"
        f" {' and '.join(lacking)}",
        hint="configure them, listen on 127.0.0.1, or say --insecure",
    )
