"""The command line: `flightframe serve`, `demo`, `query`, `check` and their like.

What comes in: arguments. What goes out: answers and ready lines on stdout, everything else on
stderr, and an exit code: 0, 1 for an expected failure, 2 for wrong usage, 130 for Ctrl-C. It must
never show a traceback for what the user can put right.
"""

from __future__ import annotations

import logging
import signal
import sys
from typing import Annotated

import typer

from flightframe_server import __version__
from flightframe_server.cli.command_table import CLIENT_COMMANDS
from flightframe_server.cli.interrupts import in_main_thread, leave, leave_quietly
from flightframe_server.cli.on_demand import OnDemandGroup
from flightframe_server.cli.stop_signals import end_now
from flightframe_server.cli.streams import escape_unencodable, run_command

SIGNALLED = 128
"""Exit codes above it say which signal ended the command."""

app = typer.Typer(
    name="flightframe",
    cls=OnDemandGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(requested: bool) -> None:
    if requested:
        print(f"flightframe {__version__}")
        raise typer.Exit


@app.callback()
def flightframe(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Governed metrics over Arrow Flight: every number right or refused, and where it came from.

    [bold]To begin with[/bold]

      flightframe demo                          the demonstration, start to end
      flightframe query "SELECT region, SUM(revenue) AS total AT region"
      flightframe shell                         a prompt, with completion
    """
    if context.invoked_subcommand not in CLIENT_COMMANDS:
        # A client logs nothing, and does not wait for what logs.
        from flightframe_server.cli.logs import configure_logs, forget_logs  # noqa: PLC0415

        # What a command finds it tells itself; only those that serve log more than failures.
        configure_logs(logging.ERROR)
        context.call_on_close(forget_logs)


def main() -> None:
    """Run the command line."""
    if in_main_thread() and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, leave)
    leave_quietly()
    escape_unencodable()
    code = run_command(lambda: app(prog_name="flightframe"))
    if code > SIGNALLED:
        # A thread that still waits for a database or a server would hold the process up.
        end_now(code)
    sys.exit(code)


__all__ = ["app", "main"]
