"""The certificate that a server shows, and whose certificates it accepts.

What comes in: the paths of PEM files. What goes out: their bytes for Flight, a TLS context for
HTTP. It must never show the key, nor ask a terminal for its password.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flightframe_server.errors import SetupError

CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_NAMES = ("DNS", "email", "URI", "IP Address")


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server needs to speak TLS.

    Attributes:
        certificate: its chain, in PEM form.
        key: the certificate's key, in PEM form.
        client_ca: the signers of client certificates; None: clients need none.
        context: the same, for HTTP.
    """

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    client_ca: bytes | None = field(repr=False)
    context: ssl.SSLContext = field(repr=False)


def open_tls(certificate: Path, key: Path, client_ca: Path | None) -> Tls:
    """Read the files and hold them against each other.

    Raises:
        SetupError: a file is missing or holds something else, or the key is another certificate's
            or has a password.
    """
    chain = _pem(certificate, CERTIFICATE, "no certificate in PEM form")
    private = _pem(key, b"PRIVATE KEY-----", "no private key in PEM form")
    accepted = None
    if client_ca is not None:
        accepted = _pem(client_ca, CERTIFICATE, "no certificate in PEM form")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        if accepted is not None:
            context.load_verify_locations(cadata=accepted.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError) as error:
        names = ", ".join(path.name for path in (certificate, key, client_ca) if path is not None)
        raise SetupError(
            f"the files of server.tls cannot be used: {names}",
            hint="the key is the certificate's own, without a password, all of them in PEM form",
        ) from error
    return Tls(chain, private, accepted, context)


def identity_of(certificate: Any) -> str:
    """Return whom a client's certificate names, by the rule of gRPC.

    That is its first alternative name, whatever its kind; where there is none, its common name.

    Args:
        certificate: what Python's `getpeercert` returns.
    """
    names = certificate or {}
    for kind, name in names.get("subjectAltName", ()):
        if kind in _NAMES:
            return str(name)
    parts = [pair for part in names.get("subject", ()) for pair in part]
    return next((str(name) for kind, name in parts if kind == "commonName"), "")


def _pem(path: Path, mark: bytes, complaint: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise SetupError(f"there is no file {path.name}") from error
    except OSError as error:
        raise SetupError(f"the file {path.name} cannot be read") from error
    if mark not in content:
        raise SetupError(f"the file {path.name} holds {complaint}")
    return content


def _no_password() -> str:
    # Without this OpenSSL would ask at the terminal.
    return ""
