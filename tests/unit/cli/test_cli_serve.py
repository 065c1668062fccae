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

import flightframe
from flightframe_server.app import open_installation
from flightframe_server.cli.running import Ports, TakenPorts

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


def refused(process: "subprocess.Popen[str]") -> str:
    """Wait for a process that cannot start, and return what it says."""
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert "Traceback" not in err
    return err


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
    with urllib.request.urlopen(f"{found['http']}/healthz", timeout=5) as response:
        assert json.load(response)["installation_id"] == "corner-shop"
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert time.monotonic() - started < 5
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events == ["warm_up", "serve.ready", "serve.stopping", "serve.stopped"]
    assert list((shop.parent / "kept" / "shop" / "entries").iterdir())


def test_ctrl_c_ends_it_as_well_and_a_restart_finds_its_entries(start: Start, shop: Path) -> None:
    ended = []
    for _ in range(2):
        process = start("serve", shop, "--no-http", FLIGHTFRAME_HTTP_PORT="1")
        assert process.stdout is not None
        assert " http=" not in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 0
        ended.append(json.loads(err.splitlines()[0])["entry"])
    assert ended == ["made", "fresh"]


def test_the_warm_up_can_be_skipped(start: Start, shop: Path) -> None:
    process = start("serve", shop, FLIGHTFRAME_SKIP_WARMUP="1")
    with flightframe.connect(ready(process)["flight"]) as connection:
        assert connection.query("SELECT town, amount AT town").served_from == "engine_backend"


@pytest.mark.parametrize("option", ["--flight-port", "--http-port"])
def test_a_port_in_use_is_said(start: Start, shop: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        err = refused(start("serve", shop, option, str(port)))
    assert f"error SETUP: port {port} of 127.0.0.1 is in use" in err
    assert "hint: " in err


def test_a_missing_file_is_said(start: Start, shop: Path) -> None:
    (shop.parent / "shop.duckdb").unlink()
    assert refused(start("serve", shop)).startswith("error SETUP: there is no database file")


def test_a_broken_manifest_is_said_with_its_line(start: Start, shop: Path) -> None:
    shop.write_text(shop.read_text().replace("[ac.yaml]", "3"))
    assert refused(start("serve", shop)).startswith("error CATALOG: installation.yaml, line 2")


def test_the_environment_is_asked_after_the_command_line(start: Start, shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        err = refused(start("serve", shop, FLIGHTFRAME_FLIGHT_PORT=port))
        assert "is in use" in err
        process = start("serve", shop, "--flight-port", "0", FLIGHTFRAME_FLIGHT_PORT=port)
        assert ready(process)["flight"] != f"grpc://127.0.0.1:{port}"


def test_a_stream_that_nobody_reads_does_not_hold_up_the_end(shop: Path) -> None:
    with duckdb.connect(str(shop.parent / "shop.duckdb")) as connection:
        connection.execute("INSERT INTO sales SELECT i, 'a', 1 FROM range(4, 1000000) t(i)")
    opened = open_installation(shop, stream_rows=1)
    running = TakenPorts(Ports("127.0.0.1", 0, None)).start(opened)
    with flightframe.connect(running.flight_uri) as connection:
        batches = iter(connection.query("SELECT sale, amount AT sale"))
        assert next(batches).num_rows
        started = time.monotonic()
        running.close(0.2)
        assert time.monotonic() - started < 5
        # Whatever had been sent may still arrive, but never as a whole answer.
        with pytest.raises(flightframe.Error):
            list(batches)
