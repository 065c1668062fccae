"""Memory stands still once the caches are full: however many questions come after that.

Everything that is remembered of questions has a bound of bytes. Half of the questions here are new,
so that something that keeps a little of each of them is seen.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FULL = 18_000
"""After so many new questions every cache of texts, meanings and answers is full."""

PROGRAM = """
import gc, sys
import structlog
from trace_routes import shop
from flightframe_server.answer import Request, answer

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))

def asked(runtime, numbers):
    for number in numbers:
        answer(Request(f"SELECT amount AS x{number} AT region"), runtime)
        answer(Request("SELECT amount AS again AT region"), runtime)
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

first, last = map(int, sys.argv[1:])
with shop(streamed=False) as opened:
    print(asked(opened.runtime, range(first)), asked(opened.runtime, range(first, last)))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the pages of a process are Linux's to tell")
def test_memory_stands_still_once_the_caches_are_full():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(FULL), str(FULL + FULL // 2)],
        capture_output=True,
        check=True,
        cwd=ROOT / "benchmarks",
    )
    full, later = map(int, run.stdout.split())
    # A kilobyte kept of each of 9,000 further questions would be 9 MB of some 360: 2.5 %.
    assert later <= 1.025 * full
