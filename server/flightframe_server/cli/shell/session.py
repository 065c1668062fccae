"""One session at the prompt: what is typed is asked, and the answer shown with where it came from.

What comes in: lines. What goes out: tables, charts and errors. It must never end for an error of
the server's, nor for Ctrl-C, which leaves the line or cancels the statement.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.text import Text

import flightframe
from flightframe import Connection
from flightframe_server.cli.charts.by_anchor import NoChart
from flightframe_server.cli.console import (
    Rows,
    err,
    first_rows,
    footer,
    new_table,
    out,
    rows_table,
    show_line,
    show_table,
)
from flightframe_server.cli.describe import MEMBERS, show
from flightframe_server.cli.error_output import print_error
from flightframe_server.cli.formats import (
    MAX_POINTS,
    levels_of,
    show_chart,
    write_notes,
    write_steps,
)
from flightframe_server.cli.interrupts import watched
from flightframe_server.cli.shell.commands import COMMANDS, Command, read_line

LAST_ROWS = 10_000
"""The rows of an answer that are kept for a chart of it."""


@dataclass(frozen=True, slots=True)
class Drawable:
    """The last answer, as far as it can be drawn: its rows, its levels, its label."""

    rows: Rows
    levels: list[bool]
    served_from: str


@dataclass(slots=True)
class Session:
    """A connection, and what is remembered of it.

    Attributes:
        connection: to the server.
        collection: the collection asked; None for the one that fits.
        max_rows: the most rows of a table and bars of a chart; 0 for all.
        hang_up: ends a call that waits for the server.
        last: the last answer.
        failures: how many lines failed.
    """

    connection: Connection
    collection: str | None
    max_rows: int
    hang_up: Callable[[], None]
    last: Drawable | None = None
    failures: int = field(default=0)

    def carry_out(self, text: str) -> bool:
        """Carry out one line, and return whether another is to follow."""
        line = read_line(text)
        if line.command is not None and line.command.word == "quit":
            return False
        if not line.text and line.command is None:
            return True
        interrupted = threading.Event()

        def act(_: threading.Event) -> None:
            interrupted.set()
            self.hang_up()

        try:
            with watched(act):
                self._do(line.command, line.text)
        except KeyboardInterrupt:
            self._cancelled()
        except flightframe.FlightframeError as error:
            if interrupted.is_set():
                self._cancelled()
            else:
                self.failures += 1
                print_error(error, line.text)
        return True

    def _cancelled(self) -> None:
        self.failures += 1
        err.print(Text("cancelled", "dim"))

    def _do(self, command: Command | None, text: str) -> None:
        match command.word if command is not None else "":
            case "help":
                show_help()
            case "describe":
                self._describe(text)
            case "explain":
                with self.connection.explain(text, collection=self.collection) as steps:
                    write_steps(steps)
            case "chart":
                self._chart(text)
            case _:
                self._ask(text, as_chart=False)

    def _describe(self, name: str) -> None:
        members = MEMBERS if name else None
        described = self.connection.describe(
            name or None, collection=self.collection, members=members
        )
        show(described, in_full=bool(name))

    def _ask(self, text: str, *, as_chart: bool) -> None:
        started = time.perf_counter()
        most = MAX_POINTS if as_chart else max(self.max_rows, LAST_ROWS) if self.max_rows else None
        with self.connection.query(text, collection=self.collection) as result:
            rows = first_rows(result.schema, result, most)
            seconds = time.perf_counter() - started
            self.last = Drawable(rows, levels_of(result), result.served_from)
            if as_chart:
                self._draw(self.last)
            elif len(rows.schema):
                show_table(rows_table(self._first(rows)))
            line = footer(rows if as_chart else self._first(rows), result.served_from)
            show_line(line.append(f" · {seconds * 1000:,.0f} ms", "dim"))
            write_notes(result, out)

    def _first(self, rows: Rows) -> Rows:
        kept = rows.kept[: self.max_rows or None]
        return Rows(rows.schema, rows.limit, kept, rows.count)

    def _chart(self, text: str) -> None:
        if text:
            self._ask(text, as_chart=True)
        elif self.last is None:
            raise flightframe.ArgumentError("there is no answer to draw yet", "chart SELECT …")
        else:
            self._draw(self.last)
            show_line(footer(self.last.rows, self.last.served_from))

    def _draw(self, answer: Drawable) -> None:
        try:
            show_chart(answer.rows, answer.levels, self.max_rows)
        except NoChart as reason:
            show_line(Text(f"note: no chart is drawn: {reason}", "yellow"))
            show_table(rows_table(self._first(answer.rows)))


def show_help() -> None:
    """List the commands and the keys."""
    table = new_table("", "", "")
    table.headed = False
    for command in COMMANDS:
        words = " ".join(filter(None, (command.word, command.argument)))
        table.add(words, " ".join(f"\\{letter}" for letter in command.letters), command.help)
    table.add("anything else", "", "a query: Enter asks it once it is whole, or ends in ;")
    table.add("Alt-Enter", "", "another line, whatever stands there")
    table.add("Tab", "", "what may stand here, and of the rest why not")
    table.add("Ctrl-C", "", "leaves the line, or cancels what is running")
    show_table(table, 2)
