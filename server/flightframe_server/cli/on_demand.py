"""Commands that are imported when they are called: what one needs, no other waits for.

What comes in: rows of the table of commands. What goes out: a group of commands that looks as if it
held all of them. It must never import a command to list it, nor while an interrupt is an exception:
half an import leaves a traceback.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from flightframe_server.cli.command_table import COMMANDS, CommandRow
from flightframe_server.cli.interrupts import InterruptibleCommand, InterruptibleGroup


class OnDemandCommand(TyperCommand):
    """A command, or a group of them, that only its row is known of until it is called."""

    def __init__(self, row: CommandRow) -> None:
        """Show what the row says."""
        super().__init__(row.name, help=row.help, rich_markup_mode="rich")
        self._target = row.target

    def loaded(self) -> Any:
        """Import the command, and return it."""
        module, _, attribute = self._target.partition(":")
        target = getattr(import_module(module), attribute)
        holder = typer.Typer(rich_markup_mode="rich")
        if isinstance(target, typer.Typer):
            holder.add_typer(target, name=self.name, cls=InterruptibleGroup)
        else:
            holder.command(self.name, cls=InterruptibleCommand)(target)
        return typer.main.get_group(holder).commands[str(self.name)]

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Return a context of the command itself, so that it is the one that runs."""
        return self.loaded().make_context(*arguments, **options)


class OnDemandGroup(TyperGroup):
    """All commands of the table, none of which is imported."""

    def __init__(self, **settings: Any) -> None:
        """List the table."""
        super().__init__(**settings)
        for row in COMMANDS:
            self.add_command(OnDemandCommand(row))
