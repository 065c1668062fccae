"""The client's annotations say to a type checker what its documentation says to people."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MISUSE = """
import flightframe
connection = flightframe.connect("grpc://127.0.0.1:8815")
connection.query(b"SELECT 1")
connection.query("SELECT 1", parameters=[object()])
connection.query("SELECT 1", max_staleness="60")
connection.query("SELECT 1", fresh=True)
connection.query("SELECT 1").served_from = "backend"
"""


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The paths of the settings are relative to where mypy runs.
    monkeypatch.chdir(ROOT)
    limit = sys.getrecursionlimit()
    yield
    # mypy raises it for the whole process, and other tests are about how deep one may go.
    sys.setrecursionlimit(limit)


@pytest.mark.slow
def test_every_use_in_the_example_is_accepted():
    report, complaints, status = api.run([str(HERE / "typing_example.py")])
    assert (status, complaints) == (0, ""), report


def test_every_misuse_is_found(tmp_path):
    misuse = tmp_path / "misuse.py"
    misuse.write_text(MISUSE)
    report, _, status = api.run([str(misuse), "--no-pretty", "--hide-error-context"])
    lines = sorted(int(line.split(":")[1]) for line in report.splitlines() if ": error:" in line)
    assert status == 1
    assert lines == [4, 5, 6, 7, 8], report
