"""Both distributions, built once for the tests that look inside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """Build the wheels of the product and of the client from copies of what they are made from."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder / "source"
    source.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("client", "server", "fixtures"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    return {
        "flightframe": build(source, folder / "root"),
        "flightframe-client": build(source / "client", folder / "client"),
    }


def build(source: Path, target: Path) -> Path:
    found = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=source,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    (wheel,) = target.glob("*.whl")
    return wheel
