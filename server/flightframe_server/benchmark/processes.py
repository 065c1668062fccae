"""Other processes: started, waited for, ended, and what they cost.

What comes in: a command. What goes out: the line that says it is ready, its processor time and its
memory. It must never end a process that it did not start.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.errors import SetupError

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
STOP_SECONDS = 10.0
_UTIME, _STIME = 11, 12


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves.

    Attributes:
        pid: its number.
        line: the first line it printed; empty where it was waited for otherwise.
    """

    pid: int
    line: str


@contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[Running]:
    """Run a command until the end of the block.

    Args:
        command: the program and its arguments.
        environment: variables besides those of this process.
        port: where it listens once it is ready; None: it prints a line.

    Raises:
        SetupError: it cannot be started, ends, or is not ready in a minute.
    """
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(
            list(command),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if port is None else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError as error:
        raise SetupError(f"{name} cannot be started: {error.strerror}") from error
    try:
        line = ""
        if port is not None:
            _wait_for(port, process, name)
        elif process.stdout is not None:
            line = process.stdout.readline().strip()
            if not line:
                raise SetupError(f"{name} ended before it was ready")
        yield Running(process.pid, line)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def program(name: str) -> str | None:
    """Return where a program is: beside this Python, or on the path; None: nowhere."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[str], name: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SetupError(f"{name} ended before it was ready")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(POLL_SECONDS)
    raise SetupError(f"{name} is not ready after {READY_SECONDS:.0f} seconds")


def cpu_seconds(pid: int | None) -> float | None:
    """Return the processor time of a process; None: there is none, or the system does not say."""
    if pid is None:
        return None
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = content.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int | None:
    """Return the most memory that a process has taken; None: the system does not say."""
    try:
        content = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in content.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
