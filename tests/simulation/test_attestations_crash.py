"""Do facts about the data survive `kill -9`? Writers are killed while a reader reads beside them.

Run as a program, this file is one of the processes to be killed. `FLIGHTFRAME_SEED` repeats the
choices of a run; what the scheduler chooses is not repeated.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from flightframe_server.cache.attestations import BLOCK, MISSING, AttestationStore

KEYS, VERSIONS, WRITERS = 6, 5, 4
BUDGET = 14 * BLOCK
PATIENCE = 60.0


def opened(root: Path) -> AttestationStore:
    return AttestationStore(root, collection="c0ffee", backend="duckdb", max_bytes=BUDGET)


def version_of(number: int) -> tuple[tuple[str, str], ...]:
    return (("sales", f"v{number}"),)


def verdict_of(key: int, version: int) -> str | None:
    """What is true of a promise on a version; every third holds."""
    return None if (key + version) % 3 == 0 else f"row {key} of {version} " + "x" * (key * 97)


def map_of(key: int, version: int) -> pa.Table:
    rows = 50 + key * 31 + version * 7
    values = [key * 1_000_003 + version * 7919 + row * row for row in range(rows)]
    return pa.table({"source": range(rows), "target": values})


def write_until_killed(root: Path, progress: Path, seed: int) -> None:
    """Put facts; one byte of `progress` for each that returned."""
    chance = random.Random(seed)
    descriptor = os.open(progress, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    facts = opened(root)
    parent = os.getppid()
    while os.getppid() == parent:
        key, version = chance.randrange(KEYS), chance.randrange(VERSIONS)
        if chance.random() < 0.5:
            facts.put(f"promise {key}", version_of(version), verdict_of(key, version))
        else:
            facts.put_map(f"edge {key}", version_of(version), map_of(key, version))
        os.write(descriptor, b".")


def look(facts: AttestationStore) -> tuple[int, list[str]]:
    """Return how many facts were found, and those that are not true."""
    found, wrong = 0, []
    for key in range(KEYS):
        for version in range(VERSIONS):
            verdict = facts.get(f"promise {key}", version_of(version))
            table = facts.get_map(f"edge {key}", version_of(version))
            found += (verdict is not MISSING) + (table is not None)
            if verdict is not MISSING and verdict != verdict_of(key, version):
                wrong.append(f"promise {key} of {version}")
            if table is not None and not table.equals(map_of(key, version)):
                wrong.append(f"edge {key} of {version}")
    return found, wrong


def written(progress: Path) -> int:
    return progress.stat().st_size if progress.exists() else 0


def test_killed_writers_leave_true_facts_or_none(tmp_path):
    seed = int(os.environ.get("FLIGHTFRAME_SEED", random.randrange(10**9)))
    print(f"FLIGHTFRAME_SEED={seed}")
    chance, root = random.Random(seed), tmp_path / "cache"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    logs = [tmp_path / f"progress{number}" for number in range(WRITERS)]
    writers = [
        subprocess.Popen(
            [sys.executable, __file__, str(root), str(log), str(chance.randrange(10**9))],
            env=environment,
        )
        for log in logs
    ]
    facts, seen, wrong = opened(root), 0, []
    ends = [chance.randrange(40, 200) for _ in writers]
    try:
        patience = time.monotonic() + PATIENCE
        while any(writer.poll() is None for writer in writers) and time.monotonic() < patience:
            found, untrue = look(facts)
            seen, wrong = seen + found, wrong + untrue
            for writer, log, end in zip(writers, logs, ends, strict=True):
                if written(log) >= end:
                    writer.kill()
    finally:
        for writer in writers:
            writer.kill()
    assert [writer.wait() for writer in writers] == [-signal.SIGKILL] * WRITERS
    print(f"puts {[written(log) for log in logs]}, {seen} facts seen")
    assert all(written(log) >= 40 for log in logs)
    assert wrong == []
    assert seen >= 50

    again = opened(root)
    found, untrue = look(again)
    assert (found > 0, untrue) == (True, [])
    again.sweep()
    kept = [path for path in (root / "attestations").iterdir() if path.suffix != ".tmp"]
    assert sum(max(path.stat().st_size, BLOCK) for path in kept) <= BUDGET
    AttestationStore(
        root,
        collection="c0ffee",
        backend="duckdb",
        clock=lambda: time.time_ns() + 86_400 * 10**9,
    )
    assert [path.name for path in (root / "attestations").iterdir() if path.suffix == ".tmp"] == []


if __name__ == "__main__":
    write_until_killed(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
