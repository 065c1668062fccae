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
from flightframe_server.cli.console import err
from flightframe_server.cli.streams import READER_LEFT, write_nowhere
from flightframe_server.errors import (
    CatalogError,
    FlightframeError,
    FrameQLSyntaxError,
    Place,
)

INTERRUPTED = 130
MAX_MISTAKES = 20


@contextmanager
def reported_errors(source: str | None = None) -> Iterator[None]:
    """Turn expected failures into their text and exit code 1.

    Args:
        source: the Frame-QL text that an error's place refers to.

    Raises:
        typer.Exit: something expected went wrong; its text is printed.
    """
    try:
        yield
    except (FlightframeError, flightframe.FlightframeError) as error:
        print_error(error, source)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        # Python would complain once more at its exit.
        write_nowhere(sys.stdout)
        raise typer.Exit(READER_LEFT) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def print_error(
    error: FlightframeError | flightframe.FlightframeError, source: str | None = None
) -> None:
    """Print one error: code and message, the place in the query, the hint.

    Each mistake of an error that carries several is printed, as far as a screen holds them.
    """
    mistakes = error.each() if isinstance(error, CatalogError) else (error,)
    for mistake in mistakes[:MAX_MISTAKES]:
        _print_one(mistake, source)
    if len(mistakes) > MAX_MISTAKES:
        err.print(f"and {len(mistakes) - MAX_MISTAKES} more mistakes")


def _print_one(error: FlightframeError | flightframe.FlightframeError, source: str | None) -> None:
    err.print(Text.assemble((f"error {error.code}", "bold red"), f": {printable(error.message)}"))
    caret_lines = caret(error, source) if source is not None else None
    if caret_lines is not None:
        line, _, arrow = caret_lines.partition("\n")
        err.print(Text(f"  {line}"))
        err.print(Text(f"  {arrow}", "bold red"))
    if error.hint:
        err.print(Text.assemble(("  hint", "bold"), f": {printable(error.hint)}"))


def caret(error: FlightframeError | flightframe.FlightframeError, source: str) -> str | None:
    """Return the line of the query with a caret under the place, or None where there is none."""
    if isinstance(error, FlightframeError):
        return error.caret(source)
    if error.line is None or error.column is None:
        return None
    # The client's errors have a place and no text to show; the server's know how to show it.
    return FrameQLSyntaxError(error.message, place=Place(error.line, error.column)).caret(source)
