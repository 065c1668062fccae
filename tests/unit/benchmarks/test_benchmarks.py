"""The benchmarks measure what they say, and refuse to time a wrong answer."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"
HOLDERS = ("client", "server")


def module(name: str):
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def test_a_wrong_answer_is_never_timed():
    run = module("run")
    with pytest.raises(SystemExit, match="differ"):
        run.measured("hit", lambda: [("a", 1)], lambda: [("a", 2)], [("a", 2)], 1)


def test_the_ratio_is_the_other_side_over_ours():
    run = module("run")
    ticks = iter([0.0, 0.001, 0.0, 0.004])
    run.time = type("clock", (), {"perf_counter": staticmethod(lambda: next(ticks))})
    found = run.measured("hit", list, list, [], 1)
    assert (found.ours_ms, found.reference_ms, found.times_faster) == (1.0, 4.0, 4.0)


@pytest.mark.slow
def test_every_measurement_runs_and_is_described(capsys, monkeypatch, tmp_path):
    run = module("run")
    monkeypatch.setattr(run, "RESULTS", tmp_path / "benchmarks" / "results")
    monkeypatch.setattr(run, "HERE", tmp_path / "benchmarks")
    monkeypatch.setattr(sys, "argv", ["run.py", "--calls", "2"])
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "bare_server.py").symlink_to(FOLDER / "bare_server.py")
    monkeypatch.setenv("PYTHONPATH", ":".join(str(FOLDER.parent / one) for one in HOLDERS))
    run.main()
    (kept,) = (tmp_path / "benchmarks" / "results").glob("*.json")
    names = [item["name"] for item in json.loads(kept.read_text())["measurements"]]
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert names
    assert [name for name in names if f"| `{name}` |" not in page] == []
    assert "times faster" in capsys.readouterr().out


@pytest.mark.parametrize(("after", "status"), [(4.0, 0), (3.9, 0), (1.0, 1)])
def test_a_worse_ratio_is_told(monkeypatch, tmp_path, after, status):
    files = []
    for name, ratio in (("a.json", 4.0), ("b.json", after)):
        files.append(tmp_path / name)
        body = {"measurements": [{"name": "hit", "times_faster": ratio}]}
        files[-1].write_text(json.dumps(body))
    monkeypatch.setattr(sys, "argv", ["compare.py", *map(str, files)])
    assert module("compare").main() == status
