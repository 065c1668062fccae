"""A server as a process: where it answers, what it holds, and what it wrote to its log."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"flightframe ready flight=grpc://127\.0\.0\.1:(\d+)(?: http=(\S+))?")
MIB = 1 << 20


@dataclass(frozen=True)
class Held:
    """What a process holds at one moment."""

    mib: float
    threads: int
    files: int


class ServerProcess:
    """A server that was started by its command line, and says `flightframe ready ...`.

    Args:
        command: what is run, this checkout's packages first on its path.
        log: takes what it writes to stderr.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        """Start it and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
        path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                env={**kept, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        found = READY.match(self._line())
        assert found is not None, log.read_text()
        self.port = int(found[1])
        self.http = found[2]
        self._watched = psutil.Process(self._process.pid)

    @property
    def uri(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def peak_mib(self) -> float:
        """The most memory that it ever held, as the kernel has it (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kib) / 1024

    def held(self) -> Held:
        with self._watched.oneshot():
            memory = self._watched.memory_info().rss / MIB
            return Held(memory, self._watched.num_threads(), self._watched.num_fds())

    def settles(self, fits: Callable[[Held], bool], seconds: float = 20.0) -> Held:
        """Return what it holds once that fits, or at the end of the time what it holds then."""
        until = time.monotonic() + seconds
        while not fits(found := self.held()) and time.monotonic() < until:
            time.sleep(0.1)
        return found

    def asked(self, line: str) -> str:
        """Write a line to its stdin and return the line that it answers with."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._line().strip()

    def end(self) -> None:
        """Kill it as a power failure would, where it still runs, and close its pipes."""
        if self.alive:
            self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
