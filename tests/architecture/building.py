"""Wheels from a copy of the tree: what comes in is a folder, what goes out the path of a wheel.

It must never build in the checkout itself, which other tests read meanwhile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_sources(target: Path) -> Path:
    """Copy what the distributions are made from."""
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    for name in ("client", "server", "fixtures", ".ci"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    return target


def build(source: Path, target: Path) -> Path:
    """Build the wheel of the distribution in a folder."""
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
