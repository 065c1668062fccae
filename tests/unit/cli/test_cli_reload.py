"""`flightframe serve` told to reload: by SIGHUP, and by files that change."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from corner_shop import AC, ROOT

import flightframe

DOUBLED = AC.replace("SUM, a_block: []}]", "SUM, a_block: []}]\n    filter: town = 'North'")
TOTAL = "SELECT SUM(amount) AS total AT ()"


def served(process):
    """Return the address that a server is ready at."""
    line = process.stdout.readline()
    assert line.startswith("flightframe ready"), (line, process.communicate())
    return line.split("flight=")[1].split()[0]


def told_until(process, event, seconds=120.0):
    """Return what the log says of an event, once it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        line = process.stderr.readline()
        assert line, process.poll()
        told = json.loads(line)
        if told["event"] == event:
            return told
    raise AssertionError(f"the log never said {event}")


def total(address):
    """Return the total of all sales, as text."""
    with flightframe.connect(address) as connection:
        ((found,),) = connection.query(TOTAL).rows
    return str(found)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
def test_sighup_reloads_and_a_broken_file_is_told_of(start, shop):
    process = start("serve", shop, "--skip-warmup")
    address = served(process)
    assert total(address) == "1.35"
    (shop.parent / "ac.yaml").write_text(DOUBLED)
    process.send_signal(signal.SIGHUP)
    assert told_until(process, "reload.done")["changed"] == ["shop"]
    assert total(address) == "0.30"
    (shop.parent / "ac.yaml").write_text(AC.replace("cache_hint", "cache_hin"))
    process.send_signal(signal.SIGHUP)
    told = told_until(process, "reload.failed")
    assert (told["level"], told["file"], told["line"]) == ("error", "ac.yaml", 16)
    assert total(address) == "0.30"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["option", "environment"])
def test_watch_reloads_what_changes(start, shop, how):
    option = ("--watch",) if how == "option" else ()
    environment = {} if option else {"FLIGHTFRAME_RELOAD": "1"}
    process = start("serve", shop, *option, **environment)
    address = served(process)
    assert total(address) == "1.35"
    beside = shop.parent / "ac.new"
    beside.write_text(DOUBLED)
    os.replace(beside, shop.parent / "ac.yaml")
    assert told_until(process, "reload.done")["changed"] == ["shop"]
    assert total(address) == "0.30"
    # What it hints is made.
    assert told_until(process, "warm_up")["entry"] == "made"


@pytest.mark.slow
def test_a_server_ends_with_its_terminal(shop: Path):
    """SIGHUP is what a terminal sends when it is closed: the server would run on unseen."""
    terminal, its_end = pty.openpty()
    command = [sys.executable, "-m", "flightframe_server", "serve", str(shop), "--skip-warmup"]
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    process = subprocess.Popen(
        command,
        stdin=its_end,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        # These tests may themselves be run under nohup.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        os.close(its_end)
        served(process)
        os.close(terminal)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
