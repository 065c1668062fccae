"""Measure ratios: our answers against DuckDB in the same process, and a bare Flight server.

What comes in: nothing but options. What goes out: a table on stdout and a JSON file in
`benchmarks/results/`. It must never time an answer whose values it did not check.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import flight

import flightframe
from flightframe_server.demo.files import DATABASE, INSTALLATION, write_demo

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SOURCE = "SELECT region, SUM(revenue) AS total_revenue AT region"
SQL = """SELECT region, SUM(revenue) FROM transactions JOIN stores USING (store_id)
         GROUP BY region ORDER BY region"""

Rows = list[tuple[str, Decimal]]
Call = Callable[[], Rows]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One pair that ran side by side: medians in milliseconds, and how they compare.

    Attributes:
        name: see the README.
        ours_ms: our median.
        reference_ms: the other side's median.
        times_faster: reference over ours.
    """

    name: str
    ours_ms: float
    reference_ms: float
    times_faster: float


@contextmanager
def process(*arguments: str) -> Iterator[str]:
    """Run a Python process until the end of the block; gives its first line on stdout."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.kill()


def served(folder: Path) -> tuple[str, ...]:
    """Return the arguments of a server over the demonstration in `folder`, on any free port."""
    return "-m", "flightframe_server", "serve", str(folder / INSTALLATION), "--flight-port", "0"


def uri_of(ready: str) -> str:
    """Return the Flight address in a ready line."""
    facts = dict(part.split("=", 1) for part in ready.split() if "=" in part)
    return facts["flight"]


def pairs_of(table: pa.Table) -> Rows:
    """Return the two columns of an answer as rows."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def measured(name: str, ours: Call, reference: Call, expected: Rows, calls: int) -> Measurement:
    """Time two calls in turns, after checking that both give the expected rows."""
    for side in (ours, reference):
        if side() != expected:
            raise SystemExit(f"{name}: the rows differ from DuckDB's")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        for side, found in zip((ours, reference), times, strict=True):
            started = time.perf_counter()
            side()
            found.append((time.perf_counter() - started) * 1000)
    one, other = (statistics.median(found) for found in times)
    return Measurement(name, round(one, 4), round(other, 4), round(other / one, 3))


def measure(calls: int) -> list[Measurement]:
    """Set everything up in a temporary folder and measure it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_demo(folder)
        database = stack.enter_context(duckdb.connect(str(folder / DATABASE), read_only=True))

        def by_sql() -> Rows:
            return list(map(tuple, database.execute(SQL).fetchall()))

        expected = by_sql()
        uri = uri_of(stack.enter_context(process(*served(folder))))
        ours = stack.enter_context(flightframe.connect(uri))

        def asked(**options: Any) -> Rows:
            return pairs_of(ours.query(SOURCE, **options).to_arrow())

        prepared = folder / "answer.arrow"
        answer = ours.query(SOURCE).to_arrow()
        with pa.ipc.new_file(prepared, answer.schema) as writer:
            writer.write_table(answer)
        port = stack.enter_context(process(str(HERE / "bare_server.py"), str(prepared)))
        bare = stack.enter_context(flight.FlightClient(f"grpc://127.0.0.1:{port}"))

        def from_bare() -> Rows:
            return pairs_of(bare.do_get(flight.Ticket(b"any")).read_all())

        return [
            measured("hit", asked, by_sql, expected, calls),
            measured("hit_floor", asked, from_bare, expected, calls),
            measured("miss", lambda: asked(no_cache=True), by_sql, expected, calls),
        ]


def main() -> None:
    """Measure, print and keep the result."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=300, help="calls of each side")
    calls = options.parse_args().calls
    found = measure(calls)
    print(f"{'measurement':12} {'ours':>10} {'reference':>10} {'times faster':>13}")
    for item in found:
        print(
            f"{item.name:12} {item.ours_ms:>7.3f} ms {item.reference_ms:>7.3f} ms"
            f" {item.times_faster:>13.2f}"
        )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}.json"
    facts = {
        "flightframe": flightframe.__version__,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "pyarrow": pa.__version__,
        "cores": os.cpu_count(),
        "calls": calls,
        "measurements": [asdict(item) for item in found],
    }
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(f"kept in {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
