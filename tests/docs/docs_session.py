"""A shell session that runs what a page shows: commands, servers, Python, Frame-QL.

Each session has a folder, two free ports and a `flightframe` command of its own. A page names the
ports that a server has by default; they are translated on the way in and back on the way out.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from docs_pages import Block, Command, commands_of, matches

import flightframe

ROOT = Path(__file__).parents[2]
SECONDS = 120.0
_SERVER = re.compile(r"^(?:make|flightframe) (?:demo|serve)\b(?!.*--exit)")


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listened on a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


class Session:
    """Runs the blocks of one page, in order."""

    def __init__(self, folder: Path) -> None:
        """Prepare the folder and the commands of a fresh shell."""
        self._folder = folder / "work"
        self._folder.mkdir()
        (self._folder / "examples").symlink_to(ROOT / "examples")
        flight, http = free_ports(2)
        self._ports = {"8815": str(flight), "8000": str(http)}
        self.uri = f"grpc://127.0.0.1:{flight}"
        commands = folder / "bin"
        commands.mkdir()
        _shell(commands / "flightframe", f'exec {sys.executable} -m flightframe_server "$@"')
        _shell(commands / "python", f'exec {sys.executable} "$@"')
        if shutil.which("curl") is None:
            _shell(commands / "curl", f'exec {sys.executable} {ROOT}/tests/docs/docs_curl.py "$@"')
        self._environment = {
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'client'}{os.pathsep}{ROOT / 'server'}",
            "FLIGHTFRAME_FLIGHT_PORT": str(flight),
            "FLIGHTFRAME_HTTP_PORT": str(http),
            "FLIGHTFRAME_URI": self.uri,
            "PYTHONUNBUFFERED": "1",
            "NO_COLOR": "1",
        }
        self._server: Server | None = None
        self._names: dict[str, Any] = {"__name__": "page"}

    def __enter__(self) -> Session:
        """Return the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what still runs, and let go what the page left open, so that no later test does."""
        self.stop()
        self._names.clear()
        gc.collect()

    def run(self, block: Block) -> None:
        """Run one block and hold what it prints against the page."""
        match block.language:
            case "console":
                for command in commands_of(block.text):
                    self._command(command, block.where)
            case "python":
                self._compare(block.expected, self._python(block), block.where)
            case "frameql":
                self._compare(block.expected, self._ask(block.text), block.where)

    def serve(self, command: str, expected: str = "…", where: str = "a test") -> None:
        """Start a server and wait until it printed what is expected."""
        assert self._server is None, f"{where}: the server before this one still runs"
        self._server = Server(self._spawn(self._ours(command)))
        deadline = time.monotonic() + SECONDS
        while True:
            printed = self._page(self._server.printed())
            if matches(expected, printed) and printed:
                return
            if self._server.ended() or time.monotonic() > deadline:
                raise AssertionError(_difference(where, expected, printed))
            time.sleep(0.05)

    def stop(self) -> str:
        """Send the server Ctrl-C and return what it printed in all, or an empty text."""
        server, self._server = self._server, None
        return "" if server is None else self._page(server.stop())

    def _command(self, command: Command, where: str) -> None:
        if command.text == "^C":
            assert self._server is not None, f"{where}: nothing runs that ^C could stop"
            self.stop()
        elif _SERVER.match(command.text):
            self.serve(command.text, command.expected, where)
        else:
            self._compare(command.expected, self._shell_output(command.text), where)

    def _shell_output(self, command: str) -> str:
        running = self._spawn(self._ours(command))
        try:
            printed, _ = running.communicate(timeout=SECONDS)
        finally:
            running.kill()
        return self._page(printed)

    def _spawn(self, command: str) -> subprocess.Popen[str]:
        # `exec` would not do for a pipeline; a session of its own lets ^C reach the whole of it.
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _python(self, block: Block) -> str:
        printed = io.StringIO()
        code = compile(self._ours(block.text), block.where, "exec")
        before = Path.cwd()
        os.chdir(self._folder)
        try:
            with contextlib.redirect_stdout(printed):
                exec(code, self._names)
        finally:
            os.chdir(before)
        return self._page(printed.getvalue())

    def _ask(self, source: str) -> str:
        with flightframe.connect(self.uri) as connection:
            try:
                return str(connection.query(source))
            except flightframe.Error as error:
                return str(error)

    def _compare(self, expected: str | None, printed: str, where: str) -> None:
        if expected is not None and not matches(expected, printed):
            raise AssertionError(_difference(where, expected, printed))

    def _ours(self, text: str) -> str:
        for written, port in self._ports.items():
            text = re.sub(rf"\b{written}\b", port, text)
        text = text.replace(".venv/bin/", "")
        return re.sub(r"^make (demo|serve)\b", r"flightframe \1", text)

    def _page(self, text: str) -> str:
        for written, port in self._ports.items():
            text = text.replace(port, written)
        return text


class Server:
    """A server that runs beside the page, and what it printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read what the process prints from now on."""
        self._process = process
        self._lines: list[str] = []
        self._arriving: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arriving.put(line)

    def printed(self) -> str:
        """Return what was printed so far."""
        while not self._arriving.empty():
            self._lines.append(self._arriving.get())
        return "".join(self._lines)

    def ended(self) -> bool:
        """Return whether the process is over."""
        return self._process.poll() is not None

    def stop(self) -> str:
        """Stop the process as Ctrl-C does, and return what it printed."""
        if not self.ended():
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.printed()


def _shell(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _difference(where: str, expected: str, printed: str) -> str:
    return f"{where}\n--- the page says\n{expected}\n--- it printed\n{printed}"
