"""Kinds of options that several commands have.

What comes in: what one option is called and means. What goes out: its declaration, and its text as
it was typed. It must never know a command.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import typer

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


def path_option(
    name: str, metavar: str, help_text: str, *, otherwise: str, variable: str | None = None
) -> Any:
    """Return an option that names a file or a folder, and need not be there.

    Args:
        name: with its dashes.
        metavar: what stands for the path in help.
        help_text: what the path is.
        otherwise: what holds without the option.
        variable: the variable of the environment that says the same.
    """
    return typer.Option(
        name, metavar=metavar, envvar=variable, help=help_text, show_default=otherwise
    )
