"""The soak itself works: a quarter of a minute of it, with data that moves, faults and a kill."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
    assert all(seen["asked"] > 20 for seen in found["clients"].values())
