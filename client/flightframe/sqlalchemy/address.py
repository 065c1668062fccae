"""A URL of SQLAlchemy as what the ADBC driver takes.

What comes in: `flightframe://user:password@host:port/collection?tls=true`. What goes out: the
driver's address and options, and the options of the session. It must never guess: a key that it
does not know is an error, since an option that is not heard is a number that is not the one meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adbc_driver_flightsql import ConnectionOptions, DatabaseOptions
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

DEFAULT_PORT = 8815

SESSION_OPTIONS = (
    "max_staleness",
    "only_if_cached",
    "no_cache",
    "statement_timeout",
    "sum_means",
    "bare_metric",
)
"""Options of a session that a URL may set; the server checks their values."""

_FILES = {
    "tls_root_certs": DatabaseOptions.TLS_ROOT_CERTS.value,
    "tls_client_cert": DatabaseOptions.MTLS_CERT_CHAIN.value,
    "tls_client_key": DatabaseOptions.MTLS_PRIVATE_KEY.value,
}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
KEYS = ("tls", "token", *_FILES, *SESSION_OPTIONS)
"""Every key that may stand after the question mark."""


@dataclass(frozen=True, slots=True)
class DriverAddress:
    """What a connection is made with.

    Attributes:
        uri: `grpc+tcp://host:port`, or `grpc+tls://host:port`.
        database: options of the driver's database: credentials, certificates, cookies.
        session: options of the session, by the driver's names.
    """

    uri: str
    database: Mapping[str, str] = field(repr=False)
    session: Mapping[str, str]


def driver_address(url: URL) -> DriverAddress:
    """Take a URL apart.

    Raises:
        ArgumentError: a key is not known, stands twice, or has no meaning; a certificate cannot be
            read; or a token stands beside a password.
    """
    options = _options(url)
    tls = options.pop("tls", None)
    encrypted = any(key in options for key in _FILES) if tls is None else _truth("tls", tls)
    scheme = "grpc+tls" if encrypted else "grpc+tcp"
    host = url.host or "127.0.0.1"
    place = f"[{host}]" if ":" in host else host
    session = {key: options[key] for key in SESSION_OPTIONS if key in options}
    if url.database:
        session["schema"] = url.database
    prefix = ConnectionOptions.OPTION_SESSION_OPTION_PREFIX.value
    return DriverAddress(
        f"{scheme}://{place}:{url.port or DEFAULT_PORT}",
        {**_credentials(url, options.get("token")), **_certificates(options)},
        {prefix + key: value for key, value in session.items()},
    )


def _options(url: URL) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, value in url.query.items():
        if key not in KEYS:
            raise ArgumentError(f"{key} is no option of flightframe://; {', '.join(KEYS)} are")
        if not isinstance(value, str):
            raise ArgumentError(f"{key} stands more than once in the URL")
        options[key] = value
    return options


def _truth(key: str, text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise ArgumentError(f"{key} is true or false, and not {text!r}")
    return _TRUTH[text.lower()]


def _credentials(url: URL, token: str | None) -> dict[str, str]:
    if token is not None and (url.username or url.password):
        raise ArgumentError("a token and a password: give one of the two")
    # The session belongs to a cookie where there is no token of a login.
    options = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}
    if token is not None:
        options[DatabaseOptions.AUTHORIZATION_HEADER.value] = f"Bearer {token}"
    if url.username:
        options["username"] = url.username
        options["password"] = str(url.password or "")
    return options


def _certificates(options: Mapping[str, str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, name in _FILES.items():
        if key in options:
            try:
                texts[name] = Path(options[key]).read_text()
            except (OSError, UnicodeDecodeError):
                raise ArgumentError(f"{key}: the file cannot be read") from None
    return texts
