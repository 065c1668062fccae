"""The connection of a command: from its options and from variables.

What comes in: options, and variables of the environment for what is secret. What goes out: an open
connection. It must never take a secret as an option, where other users of the machine could read
it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

import flightframe
from flightframe import ArgumentError, Connection
from flightframe_server.cli.interrupts import leave_where_stuck, watched

PASSWORD = "FLIGHTFRAME_PASSWORD"
TOKEN = "FLIGHTFRAME_TOKEN"

_Texts = TypeVar("_Texts", str, list[str])


def as_text(argument: _Texts | None) -> _Texts | None:
    """Return an argument as the UTF-8 text that it is, whatever the terminal's encoding.

    Bytes that the locale's encoding lacks stand in an argument as halves of characters.

    Raises:
        typer.BadParameter: it is not UTF-8.
    """
    try:
        if argument is None or isinstance(argument, list):
            return argument and [os.fsencode(text).decode() for text in argument]
        return os.fsencode(argument).decode()
    except UnicodeError:
        raise typer.BadParameter("it is not UTF-8") from None


User = Annotated[
    str | None,
    typer.Option(
        "--user",
        envvar="FLIGHTFRAME_USER",
        help="Who asks; the password is FLIGHTFRAME_PASSWORD, or asked for.",
        show_default="FLIGHTFRAME_TOKEN, or none",
        callback=as_text,
    ),
]
RootCerts = Annotated[
    Path | None,
    typer.Option(
        "--tls-root-certs",
        envvar="FLIGHTFRAME_TLS_ROOT_CERTS",
        metavar="FILE.pem",
        help="Certificates to trust.",
        show_default="the system's",
    ),
]
ClientCert = Annotated[
    Path | None,
    typer.Option(
        "--tls-client-cert",
        envvar="FLIGHTFRAME_TLS_CLIENT_CERT",
        metavar="FILE.pem",
        help="A certificate to show.",
        show_default="none",
    ),
]
ClientKey = Annotated[
    Path | None,
    typer.Option(
        "--tls-client-key",
        envvar="FLIGHTFRAME_TLS_CLIENT_KEY",
        metavar="FILE.pem",
        help="Its key.",
        show_default="none",
    ),
]


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options that say how to connect, and as which user."""

    user: str | None
    tls_root_certs: Path | None
    tls_client_cert: Path | None
    tls_client_key: Path | None


@contextmanager
def connected(uri: str, timeout: float | None, options: ConnectionOptions) -> Iterator[Connection]:
    """Connect for the time of a command, which Ctrl-C ends also while it waits for the server.

    Raises:
        ArgumentError: a user without a password, and no terminal to ask for it.
    """
    with watched(leave_where_stuck), open_connection(uri, timeout, options) as connection:
        yield connection


def open_connection(uri: str, timeout: float | None, options: ConnectionOptions) -> Connection:
    """Connect; raises as `connected`."""
    token = None if options.user is not None else os.environ.get(TOKEN) or None
    password = None if options.user is None else password_of(options.user)
    return flightframe.connect(
        uri,
        token,
        options.user,
        password,
        options.tls_root_certs,
        tls_client_cert=options.tls_client_cert,
        tls_client_key=options.tls_client_key,
        timeout=timeout,
    )


def password_of(user: str) -> str:
    """Return a user's password, from the environment or from a person.

    Raises:
        ArgumentError: neither is there.
    """
    known = os.environ.get(PASSWORD)
    if known is not None:
        return known
    if not sys.stdin.isatty():
        raise ArgumentError(
            "there is no password for --user, and no terminal to ask", f"set {PASSWORD}"
        )
    return str(typer.prompt(f"Password of {user}", hide_input=True, err=True))
