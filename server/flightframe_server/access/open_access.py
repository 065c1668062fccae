"""The settings of a manifest to an `Access`: its files read, its secret made or read.

What comes in: settings, and the folder that their paths are relative to. What goes out: an open
`Access`. It must never put a path or a secret into an error.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from flightframe_server.access.access import Access
from flightframe_server.access.audit import Audit
from flightframe_server.access.authenticate import Authenticator
from flightframe_server.access.file_watch import WatchedFile
from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.revocation import RevokedSessions
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

Key = TypeVar("Key")
Known = TypeVar("Known")


def open_access(settings: ServerSettings, folder: Path, audit: AuditSettings = NO_AUDIT) -> Access:
    """Open what the manifest says of TLS, credentials and the audit.

    Raises:
        SetupError: a file is missing, or is not what it should be.
        CatalogError: the file of users or tokens is wrong.
    """
    authenticator = None if settings.auth is None else _authenticator(settings.auth, folder)
    tls = None if settings.tls is None else _tls(settings.tls, folder)
    operators = () if settings.auth is None else settings.auth.operators
    return Access(authenticator, tls, Audit(audit), operators=frozenset(operators))


def read_text(path: Path) -> str:
    """Return a text file of the user's.

    Raises:
        SetupError: it is not there, or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"there is no file {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the file {path.name} cannot be read") from error


def _tls(settings: TlsSettings, folder: Path) -> Tls:
    client_ca = None if settings.client_ca is None else folder / settings.client_ca
    return open_tls(folder / settings.certificate, folder / settings.key, client_ca)


def _authenticator(settings: AuthSettings, folder: Path) -> Authenticator:
    return Authenticator(
        _watched(folder, settings.users, read_users),
        _watched(folder, settings.tokens, read_tokens),
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


def _watched(
    folder: Path, written: str | None, read: Callable[[str, str], Mapping[Key, Known]]
) -> Callable[[], Mapping[Key, Known]]:
    """Return the content of a file as it changes; an empty one where no file is named, or left."""
    if written is None:
        return dict
    path = folder / written
    empty: Mapping[Key, Known] = {}
    return WatchedFile(lambda: read(read_text(path), path.name), lambda: _stamp(path), empty)


def _stamp(path: Path) -> object:
    try:
        facts = path.stat()
    except OSError:
        return None
    return (facts.st_mtime_ns, facts.st_size, facts.st_ino) if facts.st_size else None


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
