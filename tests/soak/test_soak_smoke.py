"""The soak itself works: a quarter of a minute of it, with data that moves, faults and a kill."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from prometheus_client import generate_latest
from soak_checks import Checks, wrong

from flightframe_server.telemetry.metrics import Metrics

SOAK = Path(__file__).with_name("soak.py")
ROOT = SOAK.parents[2]
IMPORTED = ("client", "server", "tests/hostile", "tests/soak")


def test_a_short_soak_finds_nothing_wrong(tmp_path):
    report = tmp_path / "soak.json"
    command = [sys.executable, str(SOAK), "--minutes", "0.27", "--report", str(report)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / one) for one in IMPORTED)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert found["versions of the data"] >= 1
    assert found["faults"]["kill"] == 1
    assert sum(found["faults"].values()) >= 3
    assert found["checked"]["compared"] > 5
    assert found["checked"]["differed"] == 0
    assert all(seen["asked"] > 20 for seen in found["clients"].values())


def test_what_the_facts_differ_from_fails_the_soak_and_so_does_nothing_compared(tmp_path):
    log = tmp_path / "server.log"
    log.write_text('{"event": "shadow.mismatch", "query_id": "q1"}\n{"event": "other"}\n')
    checks = Checks(0)
    (problem,) = wrong(checks.found(log), 3)
    assert problem.startswith("1 answers to SQL differed from the facts\n")
    assert "q1" in problem
    log.write_text("")
    assert wrong(checks.found(log), 3) == ["no answer to SQL was compared with the facts: {}"]
    assert wrong({"differed": 0, "compared": 1}, 3) == []


def test_counts_of_servers_that_end_are_added_up(tmp_path, monkeypatch):
    metrics = Metrics()
    for outcome in ("same", "same", "moved", "mismatch"):
        metrics.shadowed("shop", outcome)
    text = generate_latest(metrics.registry).decode()
    reply = httpx.Response(200, text=text, request=httpx.Request("GET", "http://x"))
    monkeypatch.setattr(httpx, "get", lambda *_, **__: reply)
    (log := tmp_path / "server.log").write_text("")
    checks = Checks(0)
    checks.take()
    checks.take()
    found = checks.found(log)
    assert (found["sampled"], found["compared"], found["differed"]) == (8, 6, 2)
    assert wrong(found, 3)
