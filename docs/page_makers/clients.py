"""The page of every client that the tests run, from what the tests declare.

What comes in: the declarations beside the tests. What goes out: the page. It must never name a
client that no test runs.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from page_makers.markdown import HEADER, table

ROOT = Path(__file__).parents[2]


def clients_page() -> str:
    """Return the page of every client that the tests run, from what the tests declare."""
    declared = declared_clients()
    lines = [
        HEADER,
        "# The clients that are tested",
        "",
        "Each of these is the real thing, run against a server on a socket before every change. A"
        " row is written from the declaration that the client's own tests are held to: a step that"
        " is not taken, or a executor that does not say `served_from`, fails them. How to connect"
        " with each stands in [connecting.md](connecting.md).",
        "",
        *table(
            ("client", "version", "exercised", "sees `served_from` in"),
            [*map(foreign_row, declared.FOREIGN), *map(library_row, declared.LIBRARIES)],
        ),
        "",
        "- Where a client cannot see a label beside its rows, it asks"
        " `SELECT * FROM system.last_queries`.",
        "- Node, Java and the two separate Python environments are prepared by `make test-all`."
        " Where Node or Java is missing, the end of the run counts what was not exercised, and CI"
        " fails.",
        "- JDBC 19.0.0 runs where Maven finds it; its absence is told, and fails nothing.",
        "- Grafana's plugin is replayed: its calls, read in its source, are sent by pyarrow.",
    ]
    return "\n".join(lines) + "\n"


def declared_clients() -> Any:
    """Return the declarations beside the tests of the foreign clients, as a module."""
    path = ROOT / "tests" / "clients" / "foreign" / "foreign_clients.py"
    spec = importlib.util.spec_from_file_location("declared_clients", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def foreign_row(client: Any) -> tuple[str, ...]:
    """Return the row of a client that runs in an environment of its own."""
    newer = " or newer" if client.setup == "main" else ""
    version = f"{client.version}{newer}" if client.published else f"{client.version}, where found"
    return client.name, version, "; ".join(client.steps), places(client.carriers)


def library_row(client: Any) -> tuple[str, ...]:
    """Return the row of a client of the tests' own environment."""
    steps = "; ".join(step for step, _ in client.steps)
    return client.name, wanted_version(client.requirement), steps, places(client.carriers)


def places(carriers: tuple[str, ...]) -> str:
    """Return where a client sees the label, the names of code as code."""
    code = re.compile(r"[A-Za-z]\w*[._-]\w[\w.-]*|getAppMetadata")
    return "; ".join(code.sub(r"`\g<0>`", executor) for executor in carriers)


def wanted_version(package: str) -> str:
    """Return the version of a package that pyproject.toml wants, in words."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for requirement in wanted:
        name, _, version = requirement.partition(">=")
        if name == package:
            return f"{version} or newer"
    raise AssertionError(f"pyproject.toml wants no {package}")
