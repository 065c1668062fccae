"""Ctrl-C at any moment: exit code 130, and nothing on stderr that a person did not ask for."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from pty_session import ROOT, SECONDS, PtySession
from slow_shop import SLOW, running, settled, slow_shop, soon

from flightframe_server.flight.server import FlightServer

MANY = 5_000_000
"""Rows over which the slow statement takes a minute where nothing else runs."""

IMPORTS = [
    ("query", "typer\n"),
    ("query", "flightframe_server.cli\n"),
    ("query", "pyarrow\n"),
    ("query", "pydantic\n"),
    ("check", "structlog\n"),
    ("check", "duckdb\n"),
    ("check", "polars\n"),
]
"""Commands, each with a module of those it imports, after which the signal is sent."""


class Command:
    """A command line as a process, with what it wrote so far.

    Args:
        arguments: of the command line.
        options: of Python.
        most: how many lines of stdout are read before the interrupt, and no more: a pipe holds few,
            so that a command with many waits.
    """

    def __init__(
        self,
        *arguments: str | Path,
        options: tuple[str, ...] = (),
        most: int | None = None,
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
        path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
        self.process = subprocess.Popen(
            [sys.executable, *options, "-m", "flightframe_server", *map(str, arguments)],
            env={**kept, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.out: list[str] = []
        self._interrupted = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr, self.lines, None)),
            threading.Thread(target=self._read, args=(self.process.stdout, self.out, most)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str], most: int | None) -> None:
        for line in stream:
            lines.append(line)
            if len(lines) == most:
                self._interrupted.wait()

    def interrupt(self) -> tuple[int, str]:
        """Send Ctrl-C, and return the exit code and stderr."""
        self.process.send_signal(signal.SIGINT)
        self._interrupted.set()
        code = self.process.wait(SECONDS)
        for reader in self._readers:
            reader.join()
        return code, "".join(self.lines)

    def end(self) -> None:
        """Leave neither a process nor a thread behind."""
        self._interrupted.set()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()


@contextmanager
def command(
    *arguments: str | Path, options: tuple[str, ...] = (), most: int | None = None
) -> Iterator[Command]:
    started = Command(*arguments, options=options, most=most)
    try:
        yield started
    finally:
        started.end()
        for stream in (started.process.stdout, started.process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.parametrize(("name", "module"), IMPORTS)
def test_while_modules_are_imported(name: str, module: str) -> None:
    with command(name, "no such file", options=("-X", "importtime")) as started:
        # A line for each module as soon as it is imported.
        assert soon(lambda: any(line.endswith(f" {module}") for line in started.lines), SECONDS)
        code, err = started.interrupt()
    told = [line for line in err.splitlines() if not line.startswith("import time:")]
    if code == 1:
        # The command had ended by itself: there is no server, and no file.
        assert "UNAVAILABLE" in err or "error SETUP" in err
    else:
        assert (code, told) == (130, [])


@pytest.fixture
def shop(tmp_path: Path):
    with slow_shop(tmp_path / "shop", rows=MANY) as opened:
        yield opened


def test_while_a_statement_runs(shop) -> None:
    with FlightServer(shop.runtime) as server:
        with command("query", SLOW, "--uri", server.uri) as started:
            assert soon(lambda: running(shop) > 0, SECONDS)
            assert started.interrupt() == (130, "")
        assert settled(shop)


def test_while_rows_arrive(tmp_path: Path) -> None:
    with (
        slow_shop(tmp_path / "shop", stream_rows=1000) as shop,
        FlightServer(shop.runtime) as server,
        command(
            *("query", "SELECT visit, quick AT visit", "--format", "csv", "--uri", server.uri),
            most=10,
        ) as started,
    ):
        assert soon(lambda: len(started.out) == 10, SECONDS)
        assert started.interrupt() == (130, "")
        assert settled(shop)


@pytest.mark.parametrize("moment", ["begun", "tables", "warming", "asking"])
def test_while_the_demonstration_starts(tmp_path: Path, moment: str) -> None:
    signs: dict[str, Callable[[Command], bool]] = {
        "begun": lambda started: "data dir" in "".join(started.out),
        "tables": lambda started: (tmp_path / "data" / "stores.parquet").exists(),
        "warming": lambda started: "warming up" in "".join(started.out),
        "asking": lambda started: "Step 3" in "".join(started.out),
    }
    with command("demo", "--exit", "--data-dir", tmp_path / "data") as started:
        assert soon(lambda: signs[moment](started), SECONDS)
        code, err = started.interrupt()
    assert (code, err) == (130, "")
    # What was being written is taken away.
    assert not list((tmp_path / "data").glob(".flightframe-init-*"))


def hinted_shop(folder: Path) -> Path:
    """Return the manifest of a slow shop with a hint that takes long to make."""
    with slow_shop(folder / "shop", rows=MANY):
        pass
    file = folder / "shop" / "ac.yaml"
    slow = "family_root: {schema: visits, column: slow}"
    hint = "cache_hint: {materialize_at: [[kind]]}"
    file.write_text(file.read_text().replace(slow, f"{slow}\n    {hint}"))
    return folder / "shop" / "installation.yaml"


def test_while_a_server_warms_up_and_while_its_hints_are_checked(tmp_path: Path) -> None:
    manifest, store = hinted_shop(tmp_path), tmp_path / "store"
    with command("serve", manifest, "--flight-port", "0", "--store", store) as started:
        assert soon(store.exists, SECONDS)
        code, err = started.interrupt()
    # What it wrote are events, and nothing beside them.
    assert code == 130
    assert {json.loads(line)["event"] for line in err.splitlines()} <= {
        "serve.stopping",
        "serve.stopped",
    }
    with command("check", manifest) as started:
        assert soon(lambda: bool(started.out), SECONDS)
        assert started.interrupt() == (130, "")


def test_on_a_terminal_a_server_that_warms_up_ends_at_once(tmp_path: Path) -> None:
    arguments = "--flight-port", "0", "--no-http", "--store", str(tmp_path / "store")
    with PtySession("serve", str(hinted_shop(tmp_path)), *arguments) as server:
        server.wait_for("warming up")
        server.type("\x03")
        code, shown = server.end()
    assert code == 130
    # A server that waits for what it cannot end says so by a third event, and one whose hint was
    # made would answer, and end with 0.
    events = re.sub(r"\^C| *warming up ━+ 0/1|^\S+Z \[info *\]", "", shown, flags=re.MULTILINE)
    assert events.split() == ["serve.stopping", "serve.stopped"]


def test_while_a_password_is_asked_for() -> None:
    with PtySession("user", "add", "alice") as prompt:
        prompt.wait_for("Password: ")
        prompt.type("\x03")
        assert prompt.end() == (130, "\n")


def test_a_password_is_never_shown_however_soon_it_is_typed() -> None:
    with PtySession("user", "add", "alice") as prompt:
        for asked in ("Password: ", "Repeat for confirmation: "):
            prompt.wait_for(asked)
            prompt.type("correct horse\n")
        code, shown = prompt.end()
    assert code == 0
    assert '"alice": "$argon2id$' in shown
    assert "horse" not in shown


def test_a_server_that_answers_ends_with_0(tmp_path: Path) -> None:
    with slow_shop(tmp_path / "shop"):
        pass
    manifest = tmp_path / "shop" / "installation.yaml"
    with command("serve", manifest, "--flight-port", "0", "--no-http") as started:
        assert soon(lambda: bool(started.out), SECONDS)
        code, err = started.interrupt()
    assert code == 0
    assert "Traceback" not in err
