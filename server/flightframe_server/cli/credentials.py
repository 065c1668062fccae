"""`flightframe user add` and `flightframe token new`: the users of a server.

What comes in: a name, and a password that is never shown. What goes out: a line of the file of
users or tokens, and once, on stdout, a new token. It must never take a secret as an argument, where
other users of the machine could read it, nor leave a file of secrets open to them.
"""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.open_access import read_text
from flightframe_server.access.passwords import hash_password
from flightframe_server.access.tokens import digest_of, new_lasting_token
from flightframe_server.access.user_admin import (
    TOKENS_HEAD,
    USERS_HEAD,
    token_line,
    user_line,
    with_token,
    with_user,
)
from flightframe_server.cli.console import err
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.hidden_input import ask_hidden_twice
from flightframe_server.cli.option_kinds import as_text
from flightframe_server.errors import SetupError

PASSWORD_LENGTH_MIN = 8

user_app = typer.Typer(no_args_is_help=True, help="The users of a server.")
token_app = typer.Typer(no_args_is_help=True, help="Lasting tokens, for programs.")


@user_app.command("add")
def add_user(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The user name; no colon in it.", callback=as_text)
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="users.yaml",
            help="The file to write the user into.",
            show_default="the lines are printed",
        ),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
) -> None:
    """Add a user, or give one another password.

    Asks for the password, and keeps its Argon2 hash. A running server sees the
    change within a second; sessions of an old password are over then.

    [bold]Examples[/bold]

      flightframe user add alice --file users.yaml
      pass show metrics/alice | flightframe user add alice --password-stdin
    """
    with reported_errors():
        # Before a password is typed: whether the name can be one.
        read_users(USERS_HEAD + user_line(name, _EXAMPLE))
        stored = hash_password(read_password(from_stdin=password_stdin))
        if file is None:
            print(USERS_HEAD.splitlines()[1])
            print(user_line(name, stored), end="")
            return
        write_private(file, with_user(_before(file), file.name, name, stored))
        err.print(f"{name} is in {file}")


@token_app.command("new")
def new_token(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="Whose calls they will be.", callback=as_text)
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="tokens.yaml",
            help="The file to write the token's hash into.",
            show_default="the lines are printed on stderr",
        ),
    ] = None,
    expires: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The last day, in UTC.",
            show_default="never",
        ),
    ] = None,
) -> None:
    """Make a token for a program, and print it once on stdout.

    The server's file holds its hash alone, so that it cannot be shown again.

    [bold]Example[/bold]

      flightframe token new grafana --file tokens.yaml --expires 2099-12-31
    """
    with reported_errors():
        day = None if expires is None else expires.date()
        if day is not None and day < datetime.datetime.now(datetime.UTC).date():
            raise SetupError(
                f"{day} is over, and a token of that day would never be let in",
                hint="name a last day from today on, in UTC",
            )
        token = new_lasting_token()
        line = token_line(user, digest_of(token), day)
        read_tokens(TOKENS_HEAD + line)
        if file is None:
            err.print(f"{TOKENS_HEAD.splitlines()[1]}\n{line}", end="")
        else:
            edited = with_token(_before(file), file.name, user, digest_of(token), day)
            write_private(file, edited)
            err.print(f"a token of {user} is in {file}; this is the only time that it is shown")
        print(token)


def read_password(*, from_stdin: bool) -> str:
    """Return a password, from a person who types it twice or from stdin.

    Raises:
        SetupError: it is too short.
    """
    if from_stdin:
        password = sys.stdin.readline().removesuffix("\n")
    else:
        password = ask_hidden_twice("Password")
    if len(password) < PASSWORD_LENGTH_MIN:
        raise SetupError(f"a password has at least {PASSWORD_LENGTH_MIN} characters")
    return password


def write_private(path: Path, text: str) -> None:
    """Replace a file by a text, completely or not at all, readable by its owner alone.

    Raises:
        SetupError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SetupError(f"the file {path.name} cannot be written") from error


def _before(file: Path) -> str:
    return read_text(file) if file.exists() else ""


_EXAMPLE = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
"""The form of a hash, for a name to be checked beside."""
