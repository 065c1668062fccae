"""The environments of the foreign clients, under .clients/: what each needs, and how it is made.

What comes in: the declarations beside this file. What goes out: one folder for each environment,
with a marker that names exactly what it was made from, so that a second run has nothing to do. It
must never touch anything outside .clients/, and never take a half-made environment for a whole one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FOLDER = ROOT / ".clients"
MARKER = ".made-from"
SECONDS = 900
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


class NotMade(Exception):
    """An environment cannot be made here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One environment.

    Attributes:
        key: the name of its folder.
        commands: what must be on the path to make it and to run in it.
        made_from: texts and files; when one of them changes, it is made anew. Nothing: it is there.
        make: fills the empty folder that it is given.
    """

    key: str
    commands: tuple[str, ...]
    made_from: tuple[str | Path, ...]
    make: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """Where it stands."""
        return FOLDER / self.key

    @property
    def digest(self) -> str:
        """What it is made from, in one word."""
        total = hashlib.sha256()
        for item in self.made_from:
            total.update(item.read_bytes() if isinstance(item, Path) else item.encode())
        return total.hexdigest()

    def missing(self) -> str | None:
        """Return what stands in the way of using it, or None where it is ready."""
        absent = [command for command in self.commands if shutil.which(command) is None]
        if absent:
            return f"there is no {' and no '.join(absent)} on the path"
        if not self.made_from:
            return None
        marker = self.folder / MARKER
        if not marker.is_file() or marker.read_text(encoding="utf-8") != self.digest:
            return "it is not prepared"
        return None

    def prepare(self) -> None:
        """Make it, unless it is there already.

        Raises:
            NotMade: a command is missing, or one of them failed.
        """
        reason = self.missing()
        if reason is None:
            return
        if reason != "it is not prepared":
            raise NotMade(reason)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.make(self.folder)
        (self.folder / MARKER).write_text(self.digest, encoding="utf-8")


def _run(*command: str | Path) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotMade(f"{command[0]} did not end in {SECONDS} seconds") from None
    if done.returncode != 0:
        raise NotMade(f"{Path(command[0]).name} says: {_first_error(done.stdout)}")


def _first_error(printed: str) -> str:
    """Return the first error of a log in a line that can be read, coloured or not."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    lacking = re.search(r"artifact (\S+)|(\S+) was not found", plain)
    if lacking:
        return f"the registry has no {lacking[1] or lacking[2]}"
    errors = [line for line in plain.splitlines() if "ERR" in line.upper()] or ["it failed"]
    return textwrap.shorten(errors[0], 200)


def _python(*requirements: str) -> Setup:
    def make(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", "--without-pip", folder)
        _run(
            *(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"),
            *("--quiet", "--disable-pip-version-check", *requirements),
        )

    name = requirements[0].replace("==", "-").replace("adbc-driver-flightsql", "adbc")
    return Setup(name, (), (sys.version, *requirements), make)


def _node() -> Setup:
    source = HERE / "node"
    files = sorted(path for path in source.iterdir() if path.is_file())

    def make(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        # `npm ci` refuses the lock: it lists a build of one client that no registry ever had.
        _run("npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund")

    return Setup("node", ("node", "npm"), tuple(files), make)


def _jdbc(version: str) -> Setup:
    source = HERE / "java"
    programs = sorted(source.glob("*.java"))

    def make(folder: Path) -> None:
        _run("javac", "--release", "17", "-d", folder / "classes", *programs)
        _run(
            *("mvn", "--quiet", "--batch-mode", "--file", source / "pom.xml"),
            *(f"{PLUGIN}:copy-dependencies", f"-Ddriver.version={version}"),
            f"-DoutputDirectory={folder / 'jars'}",
        )

    made_from = (version, source / "pom.xml", *programs)
    return Setup(f"jdbc-{version}", ("java", "javac", "mvn"), made_from, make)


def _all() -> Iterator[Setup]:
    yield Setup("main", (), (), lambda folder: None)
    yield _python("adbc-driver-flightsql==1.9.0", "adbc-driver-manager==1.9.0", "pyarrow>=26")
    # It reads every answer through pandas and does not say so.
    yield _python("flightsql-dbapi==0.2.2", "pandas>=3.1")
    yield _node()
    yield from map(_jdbc, ("17.0.0", "18.3.0", "19.0.0"))


SETUPS = {setup.key: setup for setup in _all()}
"""Every environment; `main` is the one that the tests themselves run in."""
