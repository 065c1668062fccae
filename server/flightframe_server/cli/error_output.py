"""Expected failures as text on a terminal.

What comes in: an error of the server's tree or of the client's. What goes out: a few lines on
stderr and exit code 1. It must never show a traceback for what the user can put right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.text import Text

import flightframe
from flightframe.display import printable
from flightframe_server.cli.console import counted, err, show_line
from flightframe_server.cli.streams import READER_LEFT, write_nowhere
from flightframe_server.errors import (
    CatalogError,
    FlightframeError,
    FrameQLSyntaxError,
    Place,
)

MAX_MISTAKES = 20
"""The mistakes that a command tells of at once; `check` tells of all."""


@contextmanager
def reported_errors(
    source: str | None = None, *, most: int | None = MAX_MISTAKES
) -> Iterator[None]:
    """Turn expected failures into their text and exit code 1.

    Args:
        source: the Frame-QL text that an error's place refers to.
        most: how many mistakes of one error are printed; None for all.

    Raises:
        typer.Exit: something expected went wrong; its text is printed.
    """
    try:
        yield
    except (FlightframeError, flightframe.FlightframeError) as error:
        print_error(error, source, most=most)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        # Python would complain once more at its exit.
        write_nowhere(sys.stdout)
        raise typer.Exit(READER_LEFT) from None


def print_error(
    error: FlightframeError | flightframe.FlightframeError,
    source: str | None = None,
    *,
    most: int | None = MAX_MISTAKES,
) -> None:
    """Print one error: code and message, the place in the query, the hint.

    Each mistake of an error that carries several is printed, `most` of them at most.
    """
    mistakes = error.each() if isinstance(error, CatalogError) else (error,)
    for mistake in mistakes[:most]:
        _print_one(mistake, source)
    left = len(mistakes) - len(mistakes[:most])
    if left:
        err.print(f"and {counted(left, 'more mistake')}; flightframe check shows all")


def _print_one(error: FlightframeError | flightframe.FlightframeError, source: str | None) -> None:
    code, message = Text(f"error {error.code}", "bold red"), f": {printable(error.message)}"
    show_line(Text.assemble(code, message), err)
    caret_lines = caret(error, source) if source is not None else None
    if caret_lines is not None:
        line, _, arrow = caret_lines.partition("\n")
        err.print(Text(f"  {line}"))
        err.print(Text(f"  {arrow}", "bold red"))
    if error.hint:
        first, *more = error.hint.split("\n")
        show_line(Text.assemble(("  hint", "bold"), f": {printable(first)}"), err)
        for line in more:
            # A text of the file with a caret under its place: one below the other.
            err.print(Text(f"    {printable(line)}"))


def caret(error: FlightframeError | flightframe.FlightframeError, source: str) -> str | None:
    """Return the line of the query with a caret under the place, or None where there is none."""
    if isinstance(error, FlightframeError):
        return error.caret(source)
    if error.line is None or error.column is None:
        return None
    # The client's errors have a place and no text to show; the server's know how to show it.
    return FrameQLSyntaxError(error.message, place=Place(error.line, error.column)).caret(source)
