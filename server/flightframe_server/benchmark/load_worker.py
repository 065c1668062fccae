"""One client under load: a process of its own, told over stdin what to ask and for how long.

What comes in: a line with a target, one with questions and the digests of their answers, and one
that says with which question it begins; then, for each round, a line with seconds. What goes out: a
line once the answers are checked; then, for each round, a line with the times of its calls. It must
never answer for another process: what it costs is its own.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle

from flightframe_server.benchmark.callers import asking
from flightframe_server.benchmark.targets import Ask, Target, digest

WARMING_CALLS = 3


def main() -> None:
    """Check the answer, then ask for as long as each line says, until stdin ends."""
    target = Target.from_json(sys.stdin.readline())
    expected = json.loads(sys.stdin.readline())
    begins = json.loads(sys.stdin.readline())
    with asking(target) as ask:
        for question, wanted in expected:
            if digest(ask(question)) != wanted:
                _tell({"failure": f"the values differ: {question}"})
                return
        questions = cycle(target.questions[begins:] + target.questions[:begins])
        for _ in range(WARMING_CALLS):
            ask(next(questions))
        _tell({"checked": len(expected)})
        for line in sys.stdin:
            _tell(timed(ask, questions, json.loads(line)))


def timed(ask: Ask, questions: Iterator[str], seconds: float) -> dict[str, object]:
    """Ask for so many seconds, once at least, and return the time of each call and the cost of all.

    Returns:
        `nanoseconds` of each call, `seconds` in all, and `cpu_seconds` of this process.
    """
    gc.collect()
    times: list[int] = []
    cpu, began = time.process_time(), time.perf_counter_ns()
    end, now = began + int(seconds * 1e9), began
    while True:
        ask(next(questions))
        before, now = now, time.perf_counter_ns()
        times.append(now - before)
        if now >= end:
            break
    return {
        "nanoseconds": times,
        "seconds": (now - began) / 1e9,
        "cpu_seconds": time.process_time() - cpu,
    }


def _tell(facts: dict[str, object]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
