"""What each route to an answer does is counted and pinned: calls, plans, statements, files.

Counts are the same on every machine, and no time is taken. A change that does more on a route says
so here; one that does less lowers the pin, so that the next cannot take it back unseen.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "trace_routes.py"
MARGIN = 0.05
"""By how much of its pin a number of calls may differ: threads take turns at what they end."""
TRIES = 4
"""How often the routes are run until their calls are few enough."""

CALLS = {"hot": 48, "exact": 888, "rollup": 1093, "miss": 1273, "streamed": 1133}
ONCE = {"fingerprints": 2, "parses": 1, "resolutions": 1, "plans": 1}
DONE = {
    "hot": {"fingerprints": 1},
    "exact": ONCE,
    # It keeps what it made: a file is opened.
    "rollup": {**ONCE, "files": 1, "arrow_bytes": 128},
    "miss": {**ONCE, "statements": 1, "files": 1, "arrow_bytes": 256},
    "streamed": {**ONCE, "statements": 1},
}
"""What each route does; all else that is counted it does not."""


Counts = dict[str, dict[str, int]]


def counted() -> Counts:
    # A process of its own: threads that other tests left open files and hold memory as well.
    run = subprocess.run([sys.executable, SCRIPT, "--json"], capture_output=True, check=True)
    found: Counts = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def counts() -> Counts:
    """The run of each route with the fewest calls: on a busy machine threads wait in more turns."""
    least = counted()
    for _ in range(TRIES - 1):
        if all(least[route]["calls"] <= CALLS[route] * (1 + MARGIN) for route in CALLS):
            break
        for route, found in counted().items():
            least[route] = min(least[route], found, key=lambda one: one["calls"])
    return least


def test_every_route_is_pinned(counts):
    assert list(counts) == list(CALLS) == list(DONE)


@pytest.mark.parametrize("route", DONE)
def test_a_route_does_what_is_pinned_and_no_more(counts, route):
    found = {what: number for what, number in counts[route].items() if number}
    calls = found.pop("calls")
    del found["modules"]
    assert found == DONE[route]
    assert calls == pytest.approx(CALLS[route], rel=MARGIN)
