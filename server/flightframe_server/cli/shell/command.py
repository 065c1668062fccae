"""`flightframe shell`: a prompt that asks a server.

What comes in: what is typed on a terminal, or a file of queries on stdin. What goes out: answers.
It must never read the database itself: it is a client like any other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, create_output
from rich.text import Text

from flightframe.address import parse_address
from flightframe_server import __version__
from flightframe_server.cli.connection_options import (
    ClientCert,
    ClientKey,
    ConnectionOptions,
    RootCerts,
    User,
    open_connection,
)
from flightframe_server.cli.console import show_line
from flightframe_server.cli.error_output import reported_errors
from flightframe_server.cli.formats import MAX_ROWS
from flightframe_server.cli.interrupts import interrupts_noted, interrupts_raised
from flightframe_server.cli.query import DEFAULT_URI, CollectionName, MaxRows, Timeout, Uri
from flightframe_server.cli.shell.completer import ServerCompleter
from flightframe_server.cli.shell.finished import is_finished, is_open
from flightframe_server.cli.shell.hang_up import hang_up
from flightframe_server.cli.shell.history import history_file, open_history
from flightframe_server.cli.shell.session import Session

PROMPT = "flightframe> "
CONTINUED = "...> ".rjust(len(PROMPT))


def shell(
    uri: Uri = DEFAULT_URI,
    collection: CollectionName = None,
    max_rows: MaxRows = MAX_ROWS,
    timeout: Timeout = None,
    user: User = None,
    tls_root_certs: RootCerts = None,
    tls_client_cert: ClientCert = None,
    tls_client_key: ClientKey = None,
) -> None:
    r"""Ask a server at a prompt: with completion, history, and where each answer came from.

    Enter asks a query once it is whole, Alt-Enter begins another line, Tab
    completes what the server has. Ctrl-C leaves the line or cancels what runs,
    Ctrl-D leaves. help lists the commands: describe, explain, chart, quit.

    On stdin it reads queries that end in ; or at an empty line, and its exit code
    is 1 where any failed.

    [bold]Examples[/bold]

      flightframe shell
      flightframe shell < questions.fql
    """
    options = ConnectionOptions(user, tls_root_certs, tls_client_cert, tls_client_key)
    with reported_errors(), open_connection(uri, timeout, options) as connection:
        port = parse_address(uri).port
        session = Session(connection, collection, max_rows, partial(hang_up, port))
        if not sys.stdin.isatty():
            read_stdin(session)
            raise typer.Exit(1 if session.failures else 0)
        # Before anything is typed: whether a server answers there.
        names = ", ".join(
            each.name for each in connection.describe(collection=collection).collections
        )
        show_line(Text(f"flightframe {__version__} · {uri} · {names}", "bold"))
        show_line(Text("help lists the commands, Ctrl-D leaves", "dim"))
        converse(session, prompt_session(ServerCompleter(connection, collection)))


def converse(session: Session, prompt: PromptSession[str]) -> None:
    """Read lines and carry them out until the end; an interrupt ends no more than one of them."""
    with interrupts_noted() as interrupted:
        while True:
            try:
                # What was interrupted before the prompt takes keys has ended.
                text = prompt.prompt(PROMPT, pre_run=interrupted.clear)
                if interrupted.is_set():
                    continue
                with interrupts_raised():
                    if not session.carry_out(text):
                        return
            except KeyboardInterrupt:
                # It may come as the answer does, and was meant for the statement.
                continue
            except EOFError:
                return


def prompt_session(completer: ServerCompleter) -> PromptSession[str]:
    """Return a prompt with completion, history and several lines."""
    return PromptSession(
        multiline=True,
        completer=completer,
        complete_in_thread=True,
        complete_while_typing=False,
        history=open_history(history_file()),
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(),
        prompt_continuation=CONTINUED,
        color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
        # Answers may go to a file; the prompt is for the person.
        output=None if sys.stdout.isatty() else create_output(sys.stderr),
    )


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_finished(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @keys.add("escape", "enter")
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def read_stdin(session: Session) -> None:
    """Carry out the queries of a file."""
    for text in queries(sys.stdin):
        if not session.carry_out(text):
            return


def queries(lines: Iterator[str]) -> Iterator[str]:
    r"""Yield the texts that end in a semicolon, or at an empty line.

    >>> list(queries(iter(["SELECT a\n", "AT b;\n", "\n", "help\n"])))
    ['SELECT a\nAT b;', 'help']
    """
    text = ""
    for line in lines:
        text += line
        if is_open(text):
            continue
        if text.rstrip().endswith(";") or not line.strip():
            if text.strip():
                yield text.strip()
            text = ""
    if text.strip():
        yield text.strip()
