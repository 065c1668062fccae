"""`flightframe demo` and `init-demo`: the walkthrough run as a user runs it."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flightframe_server.cli import app
from flightframe_server.demo import steps
from flightframe_server.demo.walkthrough import wrong_rows

ROOT = Path(__file__).resolve().parents[2]

BOOT_LOG = """\
flightframe demo (DuckDB + Metric Engine)
  data dir: {folder}
  → loading the retail tables into {folder}/retail_demo.duckdb …
      products: 2,231 rows
      region_daily_summary: 1,329 rows
      store_monthly_inventory: 195 rows
      stores: 13 rows
      transactions: 523,023 rows
  ✓ wrote {folder}/installation.yaml
  → warming up engine for AC 'retail_full' …
      ✓ revenue @ ('region',)
      ✓ revenue @ ('day', 'region')
      ✓ cost @ ('region',)
  ✓ pre-materialised 3 (family, anchor) entries

Serving http://127.0.0.1:PORT
  workbench:        http://127.0.0.1:PORT/
  runtime:          http://127.0.0.1:PORT/runtime/healthz
  flight:           grpc://127.0.0.1:PORT
  installation_id:  retail-demo
"""

# The walkthrough's steps with the labels it prints, in its order.
PROMISED = [
    ("2", "engine_cache (exact)"),
    ("2", "engine_cache (exact)"),
    ("3", "engine_cache (rollup)"),
    ("3", "engine_cache (exact)"),
    ("4", "engine_backend (backend)"),
    ("4", "engine_cache (exact)"),
    ("7b", "engine_cache (exact)"),
    ("7b", "engine_cache (exact)"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demonstration is; empty for the first test that runs it."""
    return tmp_path_factory.mktemp("demo") / "data"


def demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the demo as a process, over a folder."""
    kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    return subprocess.run(
        [sys.executable, "-m", "flightframe_server", "demo", "--exit", "--data-dir", str(folder)],
        env={**kept, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def in_process(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command line without a process of its own: quicker, and open to monkeypatching."""
    done = CliRunner().invoke(app, list(arguments), env=environment)
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout


def labels(tour: str) -> list[tuple[str, str]]:
    """Return the steps over the socket, each with its label and route."""
    return re.findall(r"Step (7b|\d) ·.*?served_from: (\w+ \(\w+\))", tour, re.DOTALL)


def test_the_demo_keeps_every_promise_cold_and_warm(folder: Path) -> None:
    first = demo(folder)
    assert (first.returncode, first.stderr) == (0, "")
    log, _, tour = first.stdout.partition("\nStep ")
    assert re.sub(r":\d{4,5}\b", ":PORT", log) == BOOT_LOG.format(folder=folder)
    assert labels("Step " + tour) == PROMISED
    assert "earlier run" not in tour
    assert re.findall(r"^Step (\w+) ·", "Step " + tour, re.MULTILINE)[-3:] == ["7a", "7b", "7b"]
    assert "Central   3868636.36   1157806.16" in tour
    assert "│ Central ┆ 3868636.36    ┆ 2710830.20    ┆ 1157806.16    │" in tour
    assert tour.splitlines()[-1] == "✓ 9 steps, each as the walkthrough promises"
    # What the first run made is kept: grains that were cold then are warm now, and said to be.
    code, out = in_process("demo", "--exit", FLIGHTFRAME_DATA_DIR=str(folder))
    assert code == 0
    assert f"  ✓ found {folder}/installation.yaml\n" in out
    assert out.count(" (kept from an earlier run)\n") == 3
    assert "  ✓ pre-materialised 0 (family, anchor) entries, found 3\n" in out
    warm = [("3", "engine_cache (exact)"), ("4", "engine_cache (exact)")]
    assert labels(out) == [*PROMISED[:2], warm[0], PROMISED[3], warm[1], *PROMISED[5:]]
    assert out.count("  ✓ as promised over a warm store\n") == 2
    assert out.splitlines()[-1] == (
        "✓ 9 steps, each as the walkthrough promises; 2 kept from an earlier run"
    )


def test_a_warm_store_excuses_no_wrong_label(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = list(steps.STEPS)
    changed[3] = dataclasses.replace(changed[3], served_from="engine_backend")
    monkeypatch.setattr(steps, "STEPS", tuple(changed))
    code, out = in_process("demo", "--exit", "--data-dir", str(folder))
    assert code == 1
    assert "  ✗ promised served_from engine_backend, got engine_cache" in out


@pytest.mark.parametrize(
    ("at", "change", "said"),
    [
        (0, {"known": (("Central", Decimal("3868636.37")),)}, "promised the row (Central, 3868"),
        (2, {"route": "exact"}, "promised the route exact, got rollup"),
        (4, {"served_from": "engine_cache"}, "promised served_from engine_cache, got engine_ba"),
        (6, {"row_count": 4}, "promised 4 rows, got 3"),
        (
            7,
            {"by_hand": steps.REVENUE_AND_PROFIT_BY_REGION.replace("- SUM(cost)", "")},
            "SQL by hand gives other rows: (Central, 3868636.36, 1157806.16) is (Central, 3868636.",
        ),
    ],
)
def test_a_promise_that_is_not_kept_is_said_and_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: int, change: dict[str, object], said: str
) -> None:
    changed = list(steps.STEPS)
    changed[at] = dataclasses.replace(changed[at], **change)  # type: ignore[arg-type]
    monkeypatch.setattr(steps, "STEPS", tuple(changed))
    shutil.rmtree(folder / "metric_engine", ignore_errors=True)
    code, out = in_process("demo", "--exit", "--data-dir", str(folder))
    assert code == 1
    assert f"  ✗ {said}" in out
    assert out.splitlines()[-1] == "✗ 1 of 9 steps not as promised"


def test_without_a_warm_up_rows_are_compared_and_labels_are_not(folder: Path) -> None:
    code, out = in_process("demo", "--exit", "--data-dir", str(folder), FLIGHTFRAME_SKIP_WARMUP="1")
    assert code == 0
    assert "pre-materialised" not in out
    assert out.splitlines()[-1] == "✓ 8 steps, each as the walkthrough promises"


def test_the_closing_lines_can_be_pasted_into_any_terminal(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flightframe_server", "demo", "--data-dir", str(folder)]
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
    with subprocess.Popen(
        [*command, "--flight-port", "0", "--http-port", "0"],
        env={**kept, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if " shell --uri grpc://" in line:
                break
        pasted = [line for line in lines if re.search(r"flightframe query --uri grpc://", line)]
        assert len(pasted) == 2
        # No environment is active there, and the folder is another one.
        there = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(tmp_path)}
        for text in pasted:
            done = subprocess.run(
                ["sh", "-c", text], cwd=tmp_path, env=there, capture_output=True, text=True
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert "served_from: " in done.stdout
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_init_demo_writes_once(folder: Path) -> None:
    code, out = in_process("init-demo", str(folder))
    assert code == 0
    assert out.count("  · found ") == 8
    assert out.splitlines()[-1] == f"flightframe serve {folder}/installation.yaml"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["init-demo", str(tmp_path / "file" / "below")])
    assert done.exit_code == 1
    assert done.stderr.startswith("error SETUP: the demo cannot be written")


def test_rows_are_compared_with_their_order() -> None:
    rows = [("a", Decimal("1.00")), ("b", Decimal("2.00"))]
    assert wrong_rows(2, (rows[0],), rows, list(rows)) == []
    assert wrong_rows(2, (), rows, rows[::-1]) == [
        "SQL by hand gives other rows: (a, 1.00) is (b, 2.00) there"
    ]
    assert wrong_rows(2, (), rows, rows[:1]) == ["SQL by hand gives other rows"]
