"""Installs into the environment of the Python that runs it, and says in words how far it is.

    .venv/bin/python .ci/install.py -e ./client -e .

What comes in are arguments of `pip install`; what goes out is a line every few seconds in place of
pip's hundreds, and all that pip wrote where it fails. It must never hide a failure.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator

SECONDS = 5.0
"""Between two lines."""
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
OLDEST = (25, 1)
"""The first pip that knows dependency groups."""
NOT_COMPILED = r"/(tests|mypy|mypyc|pip|setuptools|playwright|schemathesis|pygments|graphql)/"
"""What `make test` never imports, nearly half of it: compiled when it is first imported."""
_FETCHED = re.compile(r"^\s*(?:Downloading|Using cached) (?:\S*/)?(\S+?)-[^-\s]+-\S*(?: \((.+)\))?")
_FOUND = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
_BUILDING = re.compile(
    r"^\s*((?:Installing build|Checking if|Getting requirements|Preparing|Building)[^:]*): started"
)
_INSTALLING = re.compile(r"^Installing collected packages: (.+)")


def main(arguments: list[str]) -> int:
    """Install what is asked for; return the exit status."""
    started = time.monotonic()
    if not new_enough() and (status := run(["install", "--upgrade", "pip>=25.1"])):
        return status
    status = run(["install", "--no-compile", "--progress-bar", "off", *arguments])
    if status == 0:
        compile_packages()
        print(f"  installed in {time.monotonic() - started:.0f} s", flush=True)
    return status


def new_enough() -> bool:
    """Return whether pip is there, and knows dependency groups; without one, make one."""
    done = subprocess.run([*PIP, "--version"], capture_output=True, text=True)
    if done.returncode != 0:
        subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL)
        return False
    version = re.match(r"pip (\d+)\.(\d+)", done.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


def run(arguments: list[str]) -> int:
    """Run pip, telling what it does; return its exit status."""
    started = told = time.monotonic()
    written: list[str] = []
    doing = "looking at what is needed"
    with subprocess.Popen(
        [*PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        packages: set[str] = set()
        for line in lines_of(pip):
            if line is not None:
                written.append(line)
                doing = meaning(line, packages) or doing
            if time.monotonic() - told >= SECONDS:
                told = time.monotonic()
                print(f"  {told - started:3.0f} s  {doing}", flush=True)
    if pip.returncode != 0:
        sys.stderr.writelines(written)
    return pip.returncode


def compile_packages() -> None:
    """Compile what was unpacked, on all processors: pip would do it on one, in twice the time.

    What does not compile, as the templates of some packages, is compiled by nobody else either.
    """
    packages = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "-x", NOT_COMPILED, *packages]
    started = told = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as compiler:
        for _ in lines_of(compiler):
            if time.monotonic() - told >= SECONDS:
                told = time.monotonic()
                print(f"  {told - started:3.0f} s  compiling them for this Python", flush=True)


def meaning(line: str, packages: set[str]) -> str | None:
    """Return what a line of pip's says that it does, None where it says nothing of the kind."""
    if found := _FOUND.match(line):
        packages.add(found[1])
        return f"{found[1]} is package {len(packages)}"
    if fetched := _FETCHED.match(line):
        size = f" ({fetched[2]})" if fetched[2] else ""
        return f"fetching {fetched[1]}{size}, package {len(packages)}"
    if building := _BUILDING.match(line):
        return building[1][0].lower() + building[1][1:]
    if installing := _INSTALLING.match(line):
        count = installing[1].count(",") + 1
        return f"unpacking {count} packages" if count > 1 else f"unpacking {installing[1]}"
    return None


def lines_of(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """Yield the lines that a process writes as they come, and None for a second without one."""
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            arrived.put(line)
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = arrived.get(timeout=1.0)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
