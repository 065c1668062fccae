"""`flightframe bench` as its users run it: everybody started, compared, timed, told and drawn."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from typer.testing import CliRunner

from flightframe_server.benchmark.measuring import Effort
from flightframe_server.benchmark.paths import PATHS
from flightframe_server.cli import app
from flightframe_server.cli import bench as command
from flightframe_server.errors import SetupError

pytestmark = pytest.mark.slow

PATIENCE = 120.0
SHORT = Effort(rounds=1, seconds=0.01, most_clients=4)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["bench", "--quick", *arguments])
    assert done.exit_code == 0, (done.stdout, done.stderr, done.exception)
    return done.stdout


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask each side as briefly as it can be."""
    monkeypatch.setattr(command, "QUICK", SHORT)


def test_every_path_is_asked_and_every_answer_compared(tmp_path: Path) -> None:
    kept, drawn = tmp_path / "now.json", tmp_path / "now.svg"
    told = run("--json", str(kept), "--plot", str(drawn))
    names = {one["path"] for one in json.loads(kept.read_text())["paths"]}
    asked = [path for path in PATHS if min(path.clients) <= SHORT.most_clients]
    assert {path.name for path in asked} <= names
    # Peers are no part of this project: who is not installed is named.
    for path in asked:
        assert f"{path.name}, {min(path.clients)} client" in told
    assert ElementTree.parse(drawn).getroot().tag.endswith("svg")


def test_a_side_that_answers_otherwise_is_told_and_not_timed(monkeypatch, tmp_path: Path) -> None:
    (path,) = (one for one in PATHS if one.name == "miss")
    (question,) = path.questions
    wrong = replace(question, frame_ql=question.frame_ql.replace("revenue)", "cost)"))
    monkeypatch.setattr(command, "PATHS", (replace(path, questions=(wrong,)),))
    done = CliRunner().invoke(app, ["bench", "--quick", "--only", "miss"])
    assert done.exit_code == 1
    assert "miss: client at" in done.stderr
    assert "the values differ" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_all_that_it_started(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "flightframe_server", "bench", "--quick", "--only", "miss"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + PATIENCE
    started: list[psutil.Process] = []
    while len(started) < 3 and time.monotonic() < until:
        time.sleep(0.05)
        started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (128 + number, b"")
    assert len(started) >= 3
    _gone, alive = psutil.wait_procs(started, timeout=PATIENCE)
    assert not alive


def test_no_path_of_that_name() -> None:
    done = CliRunner().invoke(app, ["bench", "--only", "hitt"])
    assert done.exit_code == 1
    assert "no path begins with 'hitt'" in done.stderr


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "opened_world", None)
    for option, missing in (("--json", "nowhere/now.json"), ("--plot", ".")):
        arguments = ["bench", "--quick", option, str(tmp_path / missing)]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 1
        assert "cannot be written: " in done.stderr
        assert str(tmp_path) not in done.stderr


def test_a_file_of_an_earlier_run_is_kept_until_there_is_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "now.json"
    kept.write_text("earlier")

    def failing(_: Path) -> None:
        raise SetupError("somebody does not start")

    monkeypatch.setattr(command, "opened_world", failing)
    done = CliRunner().invoke(app, ["bench", "--quick", "--json", str(kept)])
    assert done.exit_code == 1
    assert kept.read_text() == "earlier"
