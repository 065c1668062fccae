"""What the package shows, needs and costs."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import flightframe

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "client"


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(CLIENT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_all_is_sorted_and_is_the_public_face():
    public = {
        name
        for name, value in vars(flightframe).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert flightframe.__all__ == sorted(flightframe.__all__)
    assert set(flightframe.__all__) == public | {"__version__"}
    assert flightframe.Error is flightframe.FlightframeError


def test_everything_public_has_a_docstring():
    for name in set(flightframe.__all__) - {"__version__"}:
        value = getattr(flightframe, name)
        assert value.__doc__, name
        for member, function in vars(value).items():
            if inspect.isfunction(function) and not member.startswith("_"):
                assert function.__doc__, f"{name}.{member}"


def test_every_error_is_one_of_ours():
    errors = [
        value
        for name in flightframe.__all__
        if inspect.isclass(value := getattr(flightframe, name)) and issubclass(value, Exception)
    ]
    assert all(issubclass(error, flightframe.Error) for error in errors)
    drawn = re.findall(r"── (\w+)", sys.modules["flightframe.errors"].__doc__)
    assert sorted([*drawn, "FlightframeError"]) == sorted({error.__name__ for error in errors})


def test_the_versions_agree():
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    thin = tomllib.loads((CLIENT / "pyproject.toml").read_text())
    versions = {root["project"]["version"], thin["project"]["version"], flightframe.__version__}
    assert len(versions) == 1, "write the same version in all three places"
    assert thin["project"]["name"] == "flightframe-client"
    assert [re.match("[a-z]+", need)[0] for need in thin["project"]["dependencies"]] == ["pyarrow"]


def test_importing_loads_nothing_heavy():
    unwanted = [
        "polars",
        "pandas",
        "duckdb",
        "lark",
        "sqlglot",
        "pydantic",
        "google.protobuf",
        "flightframe.wire",
        "flightframe_server",
    ]
    code = f"import sys, flightframe; print([m for m in {unwanted} if m in sys.modules])"
    assert run(code) == "[]"


def test_importing_costs_little_more_than_pyarrow_flight():
    # Measured within one process, so that both halves meet the same machine; the best of several,
    # because anything else running only ever makes it slower.
    code = (
        "import time; a = time.perf_counter(); import pyarrow.flight; b = time.perf_counter();"
        "import flightframe; c = time.perf_counter(); print((c - b) / (b - a))"
    )
    assert min(float(run(code)) for _ in range(5)) <= 0.2
