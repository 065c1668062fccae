"""What an import really loads, seen from a fresh interpreter: the graph of imports cannot tell."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CORE = ("language", "algebra", "catalog", "resolver", "planner")
ROOMS = ("sql", "discovery", "completion", "promotion")
WIRES = {"pyarrow.flight", "pyarrow._flight", "google.protobuf", "grpc", "starlette", "uvicorn"}
HEAVY = {"duckdb", "polars", "pyarrow", "pandas", "numpy", "sqlite3", "grpc"}


def loaded_by(*modules: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after importing modules."""
    return {name.split(".")[0] for name in modules_loaded_by(*modules)}


def modules_loaded_by(*modules: str) -> set[str]:
    """Return every module that a fresh interpreter holds after importing modules."""
    script = "\n".join(
        [
            "import sys, json",
            *(f"import {module}" for module in modules),
            "print(json.dumps(sorted(sys.modules)))",
        ]
    )
    holders = os.pathsep.join(str(ROOT / holder) for holder in ("client", "server"))
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": holders},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return set(json.loads(found.stdout))


def modules_of(package: str) -> list[str]:
    folder = ROOT / "server" / "flightframe_server" / package
    prefix = f"flightframe_server.{package}."
    inside = [item.name for item in pkgutil.walk_packages([str(folder)], prefix)]
    return [f"flightframe_server.{package}", *inside]


def test_the_client_loads_pyarrow_and_nothing_else_that_is_heavy():
    loaded = loaded_by("flightframe")
    assert "pyarrow" in loaded
    assert not loaded & {"flightframe_server", "duckdb", "polars", "pandas", "lark", "pydantic"}


@pytest.mark.parametrize("package", CORE)
def test_the_core_loads_no_database_and_no_arrow(package):
    modules = modules_of(package)
    assert len(modules) > 2
    assert not loaded_by(*modules) & HEAVY


@pytest.mark.parametrize("package", ROOMS)
def test_what_sql_means_and_what_can_be_asked_load_no_wire(package):
    modules = modules_of(package)
    assert len(modules) > 3
    assert not modules_loaded_by(*modules) & WIRES


def test_the_check_sees_which_wires_a_surface_loads():
    assert modules_loaded_by("flightframe_server.flight.server") >= WIRES - {
        "grpc",
        "starlette",
        "uvicorn",
    }


def test_the_check_sees_what_is_loaded():
    assert loaded_by("flightframe_server.composer.merge") >= {"pyarrow", "polars"}
