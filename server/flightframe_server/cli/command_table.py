"""The commands by name: where each is, and what it does in a line.

What comes in: nothing. What goes out: the table, in the order in which help lists it. It must never
import a command: whatever one command imports, no other waits for.
"""

from __future__ import annotations

from dataclasses import dataclass

_HERE = "flightframe_server.cli"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command, or a group of commands.

    Attributes:
        name: as it is typed.
        target: the module, a colon, and the name in it: of a function, or of a Typer application
            for a group.
        help: what it does, as its own help begins.
        client: whether it only asks a server that runs, and so loads nothing of one.
    """

    name: str
    target: str
    help: str
    client: bool = False


COMMANDS = (
    CommandRow(
        "demo",
        f"{_HERE}.demo:demo",
        "Run the walkthrough: data, server, and every query with what it promises.",
    ),
    CommandRow(
        "init-demo",
        f"{_HERE}.demo:init_demo",
        "Write the retail demonstration into a folder, and serve nothing.",
    ),
    CommandRow(
        "serve",
        f"{_HERE}.serve:serve",
        "Serve an installation over Arrow Flight, and over HTTP beside it.",
    ),
    CommandRow(
        "bench",
        f"{_HERE}.bench:bench",
        "Measure this server beside a bare Flight server, DuckDB and peers, on this machine.",
    ),
    CommandRow(
        "query", f"{_HERE}.query:query", "Ask a running server one Frame-QL query.", client=True
    ),
    CommandRow(
        "explain",
        f"{_HERE}.query:explain",
        "Show how a query would be answered, without answering it.",
        client=True,
    ),
    CommandRow(
        "describe",
        f"{_HERE}.describe:describe",
        "Show what can be asked: levels and their members, metrics and their anchors.",
        client=True,
    ),
    CommandRow(
        "shell",
        f"{_HERE}.shell.command:shell",
        "Ask a server at a prompt: with completion, history, and where each answer came from.",
        client=True,
    ),
    CommandRow(
        "check",
        f"{_HERE}.check:check",
        "Check an installation: its files, and whether the data keeps what they declare.",
    ),
    CommandRow(
        "recommend",
        f"{_HERE}.promotion:recommend",
        "Show which questions are asked so often that they deserve a hint.",
    ),
    CommandRow(
        "promote",
        f"{_HERE}.promotion:promote",
        "Put hints into the collection's file, which keeps every other letter.",
    ),
    CommandRow(
        "warm", f"{_HERE}.cache:warm", "Make now what the collections ask for in cache_hint."
    ),
    CommandRow("cache", f"{_HERE}.cache:cache_app", "The store of kept answers."),
    CommandRow("user", f"{_HERE}.credentials:user_app", "The users of a server."),
    CommandRow("token", f"{_HERE}.credentials:token_app", "Lasting tokens, for programs."),
)
CLIENT_COMMANDS = frozenset(row.name for row in COMMANDS if row.client)
