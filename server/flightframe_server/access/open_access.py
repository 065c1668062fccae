"""The settings of a manifest to an `Access`: its files read, its secret made or read.

What comes in: settings, and the folder that their paths are relative to. What goes out: an open
`Access`. It must never put a path or a secret into an error.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from flightframe_server.access.access import Access, Operators
from flightframe_server.access.audit import Audit
from flightframe_server.access.authenticate import Authenticator
from flightframe_server.access.credential_files import CredentialFiles
from flightframe_server.access.revocation import RevokedSessions
from flightframe_server.access.text_files import read_text as read_text
from flightframe_server.access.tls import Tls, open_tls
from flightframe_server.access.tokens import KEY_BYTES, SessionTokens
from flightframe_server.catalog.installation import (
    AuditSettings,
    AuthSettings,
    ServerSettings,
    TlsSettings,
)
from flightframe_server.errors import SetupError

NO_AUDIT = AuditSettings()


def open_access(settings: ServerSettings, folder: Path, audit: AuditSettings = NO_AUDIT) -> Access:
    """Open what the manifest says of TLS, credentials and the audit.

    Raises:
        SetupError: a file is missing, or is not what it should be.
        CatalogError: the file of users or tokens is wrong.
    """
    files = None if settings.auth is None else CredentialFiles(settings.auth, folder)
    authenticator = None
    if settings.auth is not None and files is not None:
        authenticator = _authenticator(settings.auth, folder, files)
    tls = None if settings.tls is None else _tls(settings.tls, folder)
    operators = () if settings.auth is None else settings.auth.operators
    return Access(authenticator, tls, Audit(audit), Operators(operators), files)


def _tls(settings: TlsSettings, folder: Path) -> Tls:
    client_ca = None if settings.client_ca is None else folder / settings.client_ca
    return open_tls(folder / settings.certificate, folder / settings.key, client_ca)


def _authenticator(settings: AuthSettings, folder: Path, files: CredentialFiles) -> Authenticator:
    return Authenticator(
        files.users,
        files.tokens,
        SessionTokens(_signing_key(settings, folder), settings.session_seconds),
        anonymous=settings.anonymous,
        revoked=RevokedSessions(_revocation_file(settings, folder)),
    )


def _revocation_file(settings: AuthSettings, folder: Path) -> Path | None:
    """Return the file of revoked sessions: beside the key that lets their tokens live on."""
    if settings.signing_key is None:
        return None
    key = folder / settings.signing_key
    return key.with_name(f"{key.name}.ended")


def _signing_key(settings: AuthSettings, folder: Path) -> bytes:
    if settings.signing_key is None:
        return secrets.token_bytes(KEY_BYTES)
    path = folder / settings.signing_key
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SetupError(f"the file {path.name} cannot be read") from error
    if len(key) < KEY_BYTES:
        raise SetupError(
            f"the file {path.name} holds fewer than {KEY_BYTES} bytes",
            hint="fill it with random ones: openssl rand 32",
        )
    return key
