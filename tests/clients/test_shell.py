"""`flightframe shell` on a terminal, and fed by a file."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pty_session import ROOT, PtySession
from slow_shop import QUICK, SLOW, running, settled, slow_shop, soon

from flightframe_server.flight.server import FlightServer

PROMPT = "flightframe>"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_names_are_completed_and_an_answer_says_where_it_came_from(server, truth, state):
    with PtySession("shell", "--uri", server.uri, XDG_STATE_HOME=str(state)) as prompt:
        assert "retail_full" in prompt.wait_for(PROMPT)
        prompt.type("SELECT reg\t")
        prompt.wait_for("ion")
        prompt.type(", rev\t")
        prompt.wait_for("nue")
        prompt.type(" AS r\r")
        # It lacks its AT: Enter begins another line.
        prompt.wait_for("...>")
        prompt.type("AT region WHERE region = 'ea\t")
        prompt.wait_for("st'")
        prompt.type("\r")
        answer = prompt.wait_for("served_from: engine_cache")
        (east,) = [row for row in truth.to_pylist() if row["region"] == "East"]
        assert "1 row · " in answer
        assert f"East     {east['total_revenue']}" in answer
        prompt.type("chart\r")
        assert "█" in prompt.wait_for("served_from")
        prompt.type("describe margin\r")
        prompt.wait_for("margin = profit / revenue")
        prompt.type("describe regoin\r")
        prompt.wait_for("did you mean region")
        prompt.type("SELECT nonsense that is left")
        prompt.wait_for("left")
        prompt.type("\x03")
        prompt.wait_for(PROMPT)
        code, rest = prompt.leave()
    assert (code, "Traceback" in rest) == (0, False)
    history = state / "flightframe" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700
    assert "+SELECT region, revenue AS r\n+AT region WHERE region = 'East'\n" in history.read_text()
    assert "nonsense" not in history.read_text()


def test_what_is_not_lawful_is_told_why(server, state):
    with PtySession("shell", "--uri", server.uri, XDG_STATE_HOME=str(state)) as prompt:
        prompt.wait_for(PROMPT)
        prompt.type("SELECT on_hand AT \t")
        prompt.wait_for("FAN_OUT: SUM(on_hand) cannot be asked at product")
        prompt.type("\x03")
        prompt.wait_for(PROMPT)
        assert prompt.leave()[0] == 0


def test_a_terminal_that_cannot_steer_its_cursor_will_do(server, state):
    with PtySession(
        "shell", "--uri", server.uri, XDG_STATE_HOME=str(state), TERM="dumb", NO_COLOR="1"
    ) as prompt:
        prompt.wait_for(PROMPT)
        prompt.type("SELECT region, revenue AT region;\r")
        assert "Central   3868636.36" in prompt.wait_for("3 rows")
        code, _ = prompt.leave()
    assert code == 0


def test_ctrl_c_cancels_the_statement_and_the_prompt_goes_on(tmp_path, state):
    with (
        slow_shop(tmp_path / "shop") as shop,
        FlightServer(shop.runtime) as server,
        PtySession("shell", "--uri", server.uri, XDG_STATE_HOME=str(state)) as prompt,
    ):
        prompt.wait_for(PROMPT)
        cancelled = 0
        for _ in range(10):
            prompt.type(f"{SLOW}\r")
            assert soon(lambda: running(shop) > 0, 60)
            prompt.type("\x03")
            # On a busy machine the answer may come in the same moment.
            cancelled += "cancelled" in prompt.wait_for_any("cancelled", "served_from")
            assert settled(shop)
            if cancelled == 2:
                break
        assert cancelled == 2
        prompt.type(f"{QUICK}\r")
        prompt.wait_for("3 rows · served_from: engine_backend")
        assert prompt.leave()[0] == 0


def test_queries_of_a_file_are_carried_out_in_order(server):
    texts = "SELECT region, revenue\nAT region LIMIT 1;\nSELECT revenue AT regoin\n\nexit\nhelp\n"
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    done = subprocess.run(
        [sys.executable, "-m", "flightframe_server", "shell", "--uri", server.uri],
        input=texts,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Central   3868636.36\n1 row · served_from: engine_cache" in done.stdout
    assert "error UNKNOWN_NAME: there is no level regoin" in done.stderr
    assert "Alt-Enter" not in done.stdout


def test_no_server_is_said_before_anything_is_typed(state):
    with PtySession("shell", "--uri", "grpc://127.0.0.1:1", XDG_STATE_HOME=str(state)) as prompt:
        code, shown = prompt.end()
    assert code == 1
    assert "error UNAVAILABLE: no answer from 127.0.0.1:1" in shown


@pytest.mark.parametrize(("columns", "term"), [(40, "xterm"), (200, "xterm"), (40, "dumb")])
def test_no_line_is_wider_than_the_terminal(server, columns, term):
    source = "SELECT month, region, revenue, margin, units AT (month, region) LIMIT 2"
    for more in ((), ("--chart",)):
        arguments = ("query", source, "--uri", server.uri, *more)
        with PtySession(*arguments, columns=columns, TERM=term, NO_COLOR="1") as command:
            code, shown = command.end()
        assert code == 0
        assert max(map(len, shown.splitlines())) <= columns
        if not more:
            assert "215470.91" in shown.split()
