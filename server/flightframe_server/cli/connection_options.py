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
from typing import Annotated

import typer

import flightframe
from flightframe import ArgumentError, Connection
from flightframe_server.cli.hidden_input import ask_hidden
from flightframe_server.cli.interrupts import leave_where_stuck, watched
from flightframe_server.cli.option_kinds import as_text, path_option

PASSWORD = "FLIGHTFRAME_PASSWORD"
TOKEN = "FLIGHTFRAME_TOKEN"
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
    path_option(
        "--tls-root-certs",
        "FILE.pem",
        "Certificates to trust.",
        otherwise="the system's",
        variable="FLIGHTFRAME_TLS_ROOT_CERTS",
    ),
]
ClientCert = Annotated[
    Path | None,
    path_option(
        "--tls-client-cert",
        "FILE.pem",
        "A certificate to show.",
        otherwise="none",
        variable="FLIGHTFRAME_TLS_CLIENT_CERT",
    ),
]
ClientKey = Annotated[
    Path | None,
    path_option(
        "--tls-client-key",
        "FILE.pem",
        "Its key.",
        otherwise="none",
        variable="FLIGHTFRAME_TLS_CLIENT_KEY",
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
    return ask_hidden(f"Password of {user}")
