"""`flightframe serve` as a process: its ready line, its end, and what keeps it from starting."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

import flightframe
from flightframe_server.app import open_installation
from flightframe_server.cli import app
from flightframe_server.cli.servers import Ports, ReservedPorts

Start = Callable[..., "subprocess.Popen[str]"]

READY = re.compile(
    r"flightframe ready flight=(?P<flight>grpc://127\.0\.0\.1:\d+)"
    r" http=(?P<http>http://127\.0\.0\.1:\d+) installation=corner-shop\n"
)


def ready(process: "subprocess.Popen[str]") -> re.Match[str]:
    """Wait for the ready line and take it apart."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = READY.fullmatch(line)
    assert found is not None, (line, process.communicate())
    return found


def refused(*arguments: str | Path, **environment: str) -> str:
    """Run a server that cannot start, and return what it says."""
    done = CliRunner().invoke(app, ["serve", *map(str, arguments)], env=environment)
    assert isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.slow
def test_serve_answers_on_both_surfaces_and_ends_at_sigterm(start: Start, shop: Path) -> None:
    process = start("serve", shop, "--store", shop.parent / "kept")
    found = ready(process)
    with flightframe.connect(found["flight"]) as connection:
        warmed = connection.query("SELECT town, SUM(amount) AS total AT town")
        assert [(town, str(total)) for town, total in warmed.rows] == [
            ("North", "0.30"),
            ("South", "1.05"),
        ]
        assert warmed.served_from == "engine_cache"
    with urllib.request.urlopen(f"{found['http']}/healthz", timeout=60) as response:
        health = json.load(response)
    assert (health["installation_id"], health["flight"]) == ("corner-shop", found["flight"])
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    # Stopped, and not ended: nothing was waited for in vain.
    events = [json.loads(line) for line in err.splitlines()]
    names = ["warm_up", "serve.ready", "serve.stopping", "serve.stopped"]
    # What describes the collection is found beside all this, if the end lets it.
    beside = [event for event in events if event["event"] == "describe.prepared"]
    assert [event["event"] for event in events if event not in beside] == names
    assert all(event["whole"] for event in beside)
    assert events[0]["entry"] == "made"
    a_restart_finds_its_entries_and_ends_at_ctrl_c(start, shop)


def a_restart_finds_its_entries_and_ends_at_ctrl_c(start: Start, shop: Path) -> None:
    process = start("serve", shop, "--store", shop.parent / "kept", "--no-http")
    assert process.stdout is not None
    assert " http=" not in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(err.splitlines()[0])["entry"] == "fresh"


@pytest.mark.slow
def test_the_command_line_goes_before_the_environment(start: Start, shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "is in use" in refused(shop, FLIGHTFRAME_FLIGHT_PORT=port)
        environment = {"FLIGHTFRAME_FLIGHT_PORT": port, "FLIGHTFRAME_SKIP_WARMUP": "1"}
        process = start("serve", shop, "--flight-port", "0", **environment)
        with flightframe.connect(ready(process)["flight"]) as connection:
            assert connection.query("SELECT town, amount AT town").served_from == "engine_backend"


@pytest.mark.parametrize("option", ["--flight-port", "--http-port"])
def test_a_port_in_use_is_said(shop: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        err = refused(shop, option, str(port))
    assert f"error SETUP: port {port} of 127.0.0.1 is in use" in err
    assert "hint: " in err


def test_a_missing_file_is_said(shop: Path) -> None:
    (shop.parent / "shop.duckdb").unlink()
    assert refused(shop).startswith("error SETUP: there is no database file shop.duckdb")


def test_a_broken_manifest_is_said_with_its_line(shop: Path) -> None:
    shop.write_text(shop.read_text().replace("[ac.yaml]", "3"))
    assert refused(shop).startswith("error CATALOG: installation.yaml, line 2")


def grow(shop: Path) -> None:
    """Give the shop more sales than the buffers between a server and its client hold."""
    with duckdb.connect(str(shop.parent / "shop.duckdb")) as connection:
        connection.execute("INSERT INTO sales SELECT i, 'a', 1 FROM range(4, 1000000) t(i)")


@pytest.mark.slow
def test_a_stream_that_nobody_reads_does_not_hold_up_the_end(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flightframe_server.cli.servers.INTERRUPT_SECONDS", 0.2)
    grow(shop)
    opened = open_installation(shop, stream_rows=1)
    running = ReservedPorts(Ports("127.0.0.1", 0, None)).start(opened)
    with flightframe.connect(running.flight_uri) as connection:
        batches = iter(connection.query("SELECT sale, amount AT sale"))
        rows = next(batches).num_rows
        started = time.monotonic()
        running.close(0.2)
        assert time.monotonic() - started < 30
        # What is under way ends whole or with an error, never as a shorter answer.
        try:
            rows += sum(batch.num_rows for batch in batches)
        except flightframe.Error:
            rows = 999_999
    assert rows == 999_999


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(start: Start, shop: Path) -> None:
    grow(shop)
    process = start("serve", shop)
    assert process.stderr is not None
    with flightframe.connect(ready(process)["flight"]) as connection:
        batches = iter(connection.query("SELECT sale, amount AT sale"))
        assert next(batches).num_rows
        process.send_signal(signal.SIGTERM)
        while "serve.stopping" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        with pytest.raises(flightframe.Error):
            list(batches)
