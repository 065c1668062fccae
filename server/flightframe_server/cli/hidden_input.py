"""A line that is typed and never shown: a password.

What comes in: what to ask for. What goes out: what was typed. It must never ask before the terminal
shows nothing any more: who types at once, or pastes, would see it, and lose its beginning.
"""

from __future__ import annotations

import getpass

import typer


def ask_hidden(prompt: str) -> str:
    """Return a line that is not empty, asked for on the terminal until there is one.

    Raises:
        typer.Abort: the input ended.
    """
    while True:
        try:
            # It asks when the terminal has stopped to show what is typed; Typer asks before that.
            typed = getpass.getpass(f"{prompt}: ")
        except KeyboardInterrupt:
            typer.echo(err=True)
            raise
        except EOFError:
            typer.echo(err=True)
            raise typer.Abort from None
        if typed:
            return typed


def ask_hidden_twice(prompt: str) -> str:
    """Return a line that was typed alike two times, asked for until it was.

    Raises:
        typer.Abort: the input ended.
    """
    while True:
        typed = ask_hidden(prompt)
        if ask_hidden("Repeat for confirmation") == typed:
            return typed
        typer.echo("The two do not match.", err=True)
