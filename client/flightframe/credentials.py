"""What proves who asks, and whom the client trusts.

What comes in: a token, a user name with its password, or certificates, as the caller gave them.
What goes out: the value of the `authorization` header, and PEM bytes. It must never put any of them
into an error.
"""

from __future__ import annotations

import os
import re
from typing import Any

from pyarrow import flight

from flightframe.address import Address
from flightframe.errors import ArgumentError, AuthenticationFailed
from flightframe.failures import ARROW_FAILURES, from_arrow, no_answer

Pem = bytes | str | os.PathLike[str]
"""PEM as bytes, or the path of a file of it."""

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_KEY = b"PRIVATE KEY-----"
_UNFINISHED = "Could not finish writing"


def handshake(
    client: flight.FlightClient,
    address: Address,
    username: str,
    password: str,
    timeout: float | None,
) -> bytes:
    """Exchange user name and password for the value of the `authorization` header.

    Raises:
        ArgumentError: one of them cannot be sent.
        AuthenticationFailed: the server refuses them, or has no such exchange.
        FlightframeError: the server could not be asked.
    """
    if not isinstance(username, str) or not isinstance(password, str) or ":" in username:
        raise ArgumentError("username and password are texts, and a user name holds no colon")
    try:
        header: tuple[Any, Any] = client.authenticate_basic_token(
            username, password, flight.FlightCallOptions(timeout=timeout)
        )
    except NotImplementedError:
        header = (b"", b"")
    except ARROW_FAILURES as error:
        failure = from_arrow(error, str(address))
        # A handshake that reaches no server does not learn why: it ends as an unfinished write.
        unfinished = isinstance(error, flight.FlightInternalError) and _UNFINISHED in str(error)
        raise (no_answer(str(address)) if unfinished else failure) from None
    name, value = bytes(header[0]), bytes(header[1])
    if name.lower() != b"authorization" or not value:
        raise AuthenticationFailed(
            "UNAUTHENTICATED", f"{address} does not exchange user names for tokens"
        )
    return value


def bearer(token: str) -> bytes:
    """Return the value of the `authorization` header for a token; `ArgumentError` if unfit."""
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise ArgumentError("the token is not a text of printable ASCII without spaces")
    return f"Bearer {token}".encode()


def root_certificates(pem: Pem | None, address: Address) -> bytes | None:
    """Return the certificates to trust, read from their file where a path is given.

    Raises:
        ArgumentError: they cannot be read, are not PEM, or the address is not one of TLS.
    """
    return None if pem is None else _pem("tls_root_certs", pem, _CERTIFICATE, address)


def client_certificate(
    certificate: Pem | None, key: Pem | None, address: Address
) -> dict[str, bytes]:
    """Return the certificate that the client shows, as arguments of `FlightClient`.

    Raises:
        ArgumentError: one comes without the other, they cannot be read, are not PEM, or the
            address is not one of TLS.
    """
    if certificate is None and key is None:
        return {}
    if certificate is None or key is None:
        raise ArgumentError("tls_client_cert and tls_client_key belong together")
    return {
        "cert_chain": _pem("tls_client_cert", certificate, _CERTIFICATE, address),
        "private_key": _pem("tls_client_key", key, _KEY, address),
    }


def _pem(name: str, source: Pem, mark: bytes, address: Address) -> bytes:
    """Return the bytes of a PEM argument, read from its file where a path is given."""
    if not address.tls:
        raise ArgumentError(f"{name} needs TLS", f"write grpc+tls://{address}")
    if isinstance(source, bytes):
        content = source
    elif isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb") as file:
                content = file.read()
        except (OSError, ValueError):
            raise ArgumentError(f"the file of {name} cannot be read") from None
    else:
        raise ArgumentError(f"{name} is neither bytes nor a path")
    # gRPC takes anything, and fails later without naming what was wrong.
    if mark not in content:
        what = "certificate" if mark == _CERTIFICATE else "private key"
        raise ArgumentError(f"{name} holds no {what} in PEM form")
    return content
