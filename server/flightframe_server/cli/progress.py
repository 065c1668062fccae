"""A bar on stderr while something takes its time.

What comes in: what is being done, and how much of it is. What goes out: a bar that is gone in the
end. It must never draw where there is no terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from flightframe_server.cli.console import err


@contextlib.contextmanager
def progress(label: str, total: int | None) -> Iterator[Bar]:
    """Draw a bar on stderr while something takes its time; nothing where there is no terminal."""
    columns: Sequence[Any] = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as bars:
        yield Bar(bars, label, total)


class Bar:
    """One bar of progress."""

    def __init__(self, bars: Progress, label: str, total: int | None) -> None:
        """Begin at nothing."""
        self._bars = bars
        self._task = bars.add_task(label, total=total)

    def at(self, label: str, done: int, total: int | None = None) -> None:
        """Say what is being done, and how much of it is."""
        self._bars.update(self._task, description=label, completed=done, total=total)
