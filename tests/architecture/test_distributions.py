"""The two distributions in one environment: installed, upgraded and removed in any order.

pip does it, in fresh environments and without a network: the wheels come from this tree, what they
need is borrowed from the environment of the tests. 0.1.0 stands for distributions as they were when
both owned the package `flightframe`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from building import build, copy_sources

import flightframe

pytestmark = pytest.mark.slow

OLD, NEW = "0.1.0", flightframe.__version__
SERVER, CLIENT = "flightframe", "flightframe-client"
ASKING = (
    "import flightframe.wire.ticket_pb2, flightframe.testing; flightframe.connect('grpc://x:1')\n"
)
SERVING = "import flightframe_server.cli\n"
OURS = re.compile(r"_?flightframe|pip\b|.*\.pth$")

# What each step installs (`+`) or removes (`-`).
ORDERS = {
    "the server brings its client": [f"+{SERVER}=={NEW}"],
    "the client first": [f"+{CLIENT}=={NEW}", f"+{SERVER}=={NEW}", f"-{SERVER}"],
    "the server first": [f"+{SERVER}=={NEW}", f"+{CLIENT}=={NEW}", f"-{SERVER}"],
    "an upgrade of the server": [f"+{SERVER}=={OLD}", f"+{SERVER}=={NEW}", f"-{SERVER}"],
    "an upgrade of the client": [f"+{CLIENT}=={OLD}", f"+{CLIENT}=={NEW}", f"-{CLIENT}"],
    "an upgrade of both at once": [
        f"+{CLIENT}=={OLD}",
        f"+{SERVER}=={OLD}",
        f"+{CLIENT}=={NEW} {SERVER}=={NEW}",
        f"-{SERVER}",
    ],
    "the client before the server": [
        f"+{SERVER}=={OLD}",
        f"+{CLIENT}=={OLD}",
        f"+{CLIENT}=={NEW}",
        f"+{SERVER}=={NEW}",
        f"-{SERVER}",
    ],
    "a new client beside an old server": [
        f"+{SERVER}=={OLD}",
        f"+{CLIENT}=={NEW}",
        f"-{SERVER}",
        f"+{SERVER}=={NEW}",
    ],
    "back to the old server and forth": [
        f"+{SERVER}=={NEW}",
        f"+{SERVER}=={OLD}",
        f"+{SERVER}=={NEW}",
        f"-{SERVER}",
    ],
}


class Environment:
    """A virtual environment that finds the wheels, and what they need, and nothing else."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self._folder, self._wheels = folder, wheels
        (self._packages,) = folder.glob("lib/python*/site-packages")
        borrowed = folder / "borrowed"
        borrowed.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not OURS.match(entry.name):
                (borrowed / entry.name).symlink_to(entry)
        (self._packages / "borrowed.pth").write_text(f"{borrowed}\n")
        self._python = folder / "bin" / "python"

    def pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pip on this environment."""
        pip = [sys.executable, "-m", "pip", "--python", str(self._python)]
        return self._run(*pip, "--disable-pip-version-check", *arguments)

    def step(self, step: str) -> set[str]:
        """Install or remove what a step says; return the distributions that are there then."""
        sign, names = step[0], step[1:].split()
        if sign == "-":
            done = self.pip("uninstall", "--yes", *names)
        else:
            offline = ("--no-index", "--find-links", str(self._wheels))
            done = self.pip("install", *offline, *names)
        assert done.returncode == 0, done.stdout + done.stderr
        found = self._packages.glob("flightframe*.dist-info")
        return {path.name.split("-")[0].replace("_", "-") for path in found}

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run Python code in this environment."""
        return self._run(str(self._python), "-W", "error", "-c", code)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command of the server."""
        return self._run(str(self._folder / "bin" / "flightframe"), *arguments)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        foreign = ("PYTHON", "PIP_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return subprocess.run(command, cwd=self._folder, env=clean, capture_output=True, text=True)


@pytest.fixture(scope="module")
def found(wheels, tmp_path_factory) -> Path:
    """A folder of four wheels: both distributions, as they are and as they were."""
    folder = tmp_path_factory.mktemp("found")
    source = copy_sources(folder / "source")
    for name in ("client/flightframe/__init__.py", "server/flightframe_server/__init__.py"):
        replace(source / name, (f'"{NEW}"', f'"{OLD}"'))
    version = (f'version = "{NEW}"', f'version = "{OLD}"')
    replace(
        source / "client" / "pyproject.toml",
        version,
        ('"flightframe" = "flightframe-client/flightframe"\n', ""),
        ('"flightframe-client.pth" = "flightframe-client.pth"\n', ""),
    )
    replace(
        source / "pyproject.toml",
        version,
        (f'  "flightframe-client=={NEW}",\n', ""),
        ('packages = ["server/', 'packages = ["client/flightframe", "server/'),
    )
    old = [build(source, folder / "old"), build(source / "client", folder / "old-client")]
    together = folder / "wheels"
    together.mkdir()
    for wheel in [*old, *wheels.values()]:
        shutil.copy(wheel, together)
    return together


def replace(path: Path, *changes: tuple[str, str]) -> None:
    """Change texts of a file, each of which stands in it once."""
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {path}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_installed_works_in_any_order(order, found, tmp_path):
    environment = Environment(tmp_path / "env", found)
    for step in ORDERS[order]:
        there = environment.step(step)
        if there:
            done = environment.python(ASKING + (SERVING if SERVER in there else ""))
            assert done.returncode == 0, (step, done.stderr)
    if not there:
        assert environment.python("import flightframe").returncode == 1


def test_a_server_without_its_client_is_named_and_healed(found, tmp_path):
    """A client can be taken from under a server, as any dependency can: pip says so."""
    environment = Environment(tmp_path / "env", found)
    environment.step(f"+{SERVER}=={NEW}")
    assert environment.step(f"-{CLIENT}") == {SERVER}
    told = environment.pip("check").stdout
    assert f"flightframe {NEW} requires flightframe-client, which is not installed." in told
    environment.step(f"+{SERVER}=={NEW}")
    assert environment.command("--version").stdout == f"flightframe {NEW}\n"


def test_the_server_wants_the_client_of_its_own_version(found, tmp_path):
    environment = Environment(tmp_path / "env", found)
    environment.step(f"+{SERVER}=={NEW}")
    environment.step(f"+{CLIENT}=={OLD}")
    told = environment.pip("check").stdout
    assert f"flightframe {NEW} has requirement flightframe-client=={NEW}" in told
