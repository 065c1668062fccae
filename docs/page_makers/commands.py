"""The page of every command and option, from the command line itself.

What comes in: the command line. What goes out: the page. It must never repeat a help text by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from flightframe_server.cli import app
from flightframe_server.cli.on_demand import OnDemandCommand
from page_makers.markdown import HEADER, table


def commands_page() -> str:
    """Return the page of every command and its options."""
    group: Any = typer.main.get_command(app)
    lines = [
        HEADER,
        "# The command",
        "",
        "`flightframe --help` and `flightframe COMMAND --help` say the same. Answers and ready"
        " lines go to stdout, everything else to stderr. The exit code is 0, 1 for a failure, 2"
        " for wrong usage, 130 for Ctrl-C.",
    ]
    for name, command in every_command(group):
        arguments = [item.metavar for item in command.params if not is_option(item)]
        usage = " ".join(["flightframe", name, "[OPTIONS]", *arguments])
        lines += ["", f"## {name}", "", f"    {usage}", "", *help_lines(command.help), ""]
        lines += table(("", "", "default"), map(parameter_row, command.params))
    return "\n".join(lines) + "\n"


def every_command(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command with its whole name; those of a group after its name."""
    for name, listed in group.commands.items():
        command = listed.loaded() if isinstance(listed, OnDemandCommand) else listed
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", found) for inner, found in every_command(command))
        else:
            yield name, command


def is_option(parameter: Any) -> bool:
    """Return whether a parameter of a command is an option."""
    return any(name.startswith("-") for name in parameter.opts)


def help_lines(text: str) -> Iterator[str]:
    """Yield a command's help as Markdown: headings bold, indented lines as they stand."""
    for line in text.strip().splitlines():
        bold = re.sub(r"\[/?bold\]", "**", line)
        yield f"  {line}" if line.startswith("  ") else bold


def parameter_row(parameter: Any) -> tuple[str, str, str]:
    """Return the row of an option or argument: how it is written, what it does, its default."""
    if not is_option(parameter):
        default = "required" if parameter.required else parameter.show_default
        return f"`{parameter.metavar}`", parameter.help, default
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    default = parameter.show_default
    if not isinstance(default, str):
        plain = parameter.default is None or isinstance(parameter.default, bool)
        default = "" if plain else f"`{parameter.default}`"
    return f"{names}{variable}", parameter.help, default
