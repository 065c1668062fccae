"""The client alone: an environment that holds the client's wheel and pyarrow, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pyarrow
import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import importlib.util, json
import flightframe

absent = ["flightframe_server", "duckdb", "polars", "pandas", "lark", "numpy", "google"]
assert [name for name in absent if importlib.util.find_spec(name)] == []
try:
    connection = flightframe.connect("grpc://127.0.0.1:1")
    connection.query("SELECT revenue AT region WHERE region = ?", parameters=["East"])
except flightframe.ConnectionFailed as error:
    refused = error.code
print(json.dumps({"refused": refused, "from": flightframe.__file__}))
"""


@pytest.fixture(scope="module")
def lone_python(wheels, tmp_path_factory) -> Path:
    """Make an environment with the client's wheel and, borrowed from this one, pyarrow."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    wheel = str(wheels["flightframe-client"])
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    (borrowed / "pyarrow").symlink_to(Path(pyarrow.__file__).parent)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return python


def test_the_client_needs_pyarrow_and_nothing_else(lone_python, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    found = subprocess.run(
        [str(lone_python), "-W", "error", "-c", SCRIPT],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    said = json.loads(found.stdout)
    assert str(lone_python.parents[1]) in said["from"]
    assert said["refused"] == "UNAVAILABLE"
