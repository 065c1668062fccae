"""The table of commands tells of what is there, and a command loads what it uses and no more."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import typer
from corner_shop import ROOT

from flightframe_server.cli import app
from flightframe_server.cli.command_table import COMMANDS, CommandRow
from flightframe_server.cli.on_demand import OnDemandCommand

SERVER = {
    "access",
    "algebra",
    "answer",
    "app",
    "backends",
    "cache",
    "catalog",
    "composer",
    "engine",
    "flight",
    "planner",
    "resolver",
    "sql",
    "web",
}
"""What only a server needs, below `flightframe_server`."""

FOREIGN = {"duckdb", "polars", "pandas", "sqlglot", "sqlite3", "starlette", "uvicorn", "structlog"}
FOREIGN |= {"argon2", "opentelemetry", "prometheus_client", "yaml", "google", "anyio", "asyncio"}
PROMPT = {"prompt_toolkit", "lark"}
ARROW = {"pyarrow", "numpy", "flightframe"}

RUN = """
import json, sys
from flightframe_server.cli import app
sys.stdout = sys.stderr
app(sys.argv[1:], standalone_mode=False)
sys.__stdout__.write(json.dumps(sorted(sys.modules)))
"""


def loaded_by(*arguments: str) -> set[str]:
    """Return what a process of its own holds after a command line, each package by its name."""
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: set[str] = set()
    for name in json.loads(done.stdout):
        package, _, rest = name.partition(".")
        found.add(f"server/{rest.split('.')[0]}" if package == "flightframe_server" else package)
    return found


def forbidden(*more: set[str]) -> set[str]:
    return {f"server/{name}" for name in SERVER} | FOREIGN.union(*more)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_what_needs_no_command_loads_none(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert not loaded & forbidden(PROMPT, ARROW)
    assert "pydantic" not in loaded


def test_the_version_is_told_without_what_draws() -> None:
    assert "rich" not in loaded_by("--version")


@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in COMMANDS if row.client])
def test_a_client_loads_nothing_of_a_server(name: str) -> None:
    loaded = loaded_by(name, "--help")
    assert loaded >= ARROW | {"rich"}
    assert not loaded & forbidden(set() if name == "shell" else PROMPT) - {"asyncio"}
    # The prompt is a program of events; nothing else is.
    assert ("asyncio" in loaded) == ("prompt_toolkit" in loaded) == (name == "shell")


@pytest.mark.slow
def test_the_check_sees_what_a_server_loads() -> None:
    loaded = loaded_by("serve", "--help")
    assert loaded >= {"server/app", "server/engine", "server/web", "duckdb", "structlog"}


def listed() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    commands: dict[str, Any] = group.commands
    return commands


def test_every_row_is_listed_in_order() -> None:
    assert list(listed()) == [row.name for row in COMMANDS]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_a_row_tells_of_its_command(row: CommandRow) -> None:
    command = OnDemandCommand(row).loaded()
    assert command.name == row.name
    first, _, _ = command.help.partition("\n\n")
    assert first == row.help
    assert not command.hidden
