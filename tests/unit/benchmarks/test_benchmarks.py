"""`make bench-compare` tells which ratios got worse."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


def module(name: str):
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(("after", "status"), [(4.0, 0), (3.9, 0), (1.0, 1)])
def test_a_worse_ratio_is_told(monkeypatch, tmp_path, capsys, after, status):
    files = []
    for name, ratio in (("a.json", 4.0), ("b.json", after)):
        files.append(tmp_path / name)
        goal = {"against": "DuckDB in process", "measure": "p50"}
        compared = [{"goal": goal, "times_as_fast": {"median": ratio}}]
        body = {"paths": [{"path": "hit", "clients": 1, "compared": compared}]}
        files[-1].write_text(json.dumps(body))
    monkeypatch.setattr(sys, "argv", ["compare.py", *map(str, files)])
    assert module("compare").main() == status
    assert f"4.00 -> {after:7.2f}" in capsys.readouterr().out


def test_one_measurement_alone_is_compared_with_nothing(monkeypatch, tmp_path, capsys):
    compare = module("compare")
    monkeypatch.setattr(compare, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["compare.py"])
    assert compare.main() == 2
    assert "run `make bench` twice" in capsys.readouterr().err
