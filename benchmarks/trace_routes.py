"""Trace what each route of a question enters and does: modules, calls, plans, statements, files.

What comes in: nothing; the product is the one on PYTHONPATH, so that two trees can be compared.
What goes out: a table on stdout, and with `--modules` the modules that each route enters, in order.
It must never count what is not of the product, nor trace the first question of a kind, which also
types the collection and attests what it rests on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pyarrow as pa
import structlog

import flightframe_server
from flightframe_server.answer import Request, answer
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.statements import single_flight
from flightframe_server.statements.waiting_threads import WaitingThreads

PRODUCT = Path(flightframe_server.__file__).parent

COLLECTION = """
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: store, region: region}}
  - name: sales
    grain: [sale]
    columns: {sale: sale, store: store, day: day, amount: amount, cost: cost}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
    cache_hint: {materialize_at: [[region], [region, day]]}
  - name: cost
    family_root: {schema: sales, column: cost}
    ip_reducers: [{operator: SUM, a_block: []}]
    cache_hint: {materialize_at: [[region], [region, day]]}
"""
MANIFEST = """
id: shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
metric_engine: {enabled: true, store: ./store}
"""
TABLES = """
CREATE TABLE stores (store VARCHAR, region VARCHAR);
INSERT INTO stores VALUES ('S1', 'East'), ('S2', 'West');
CREATE TABLE sales (
    sale INTEGER, store VARCHAR, day DATE, amount DECIMAL(9, 2), cost DECIMAL(9, 2)
);
INSERT INTO sales VALUES (1, 'S1', '2024-01-31', 10, 7), (2, 'S2', '2024-02-01', 20, 9);
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to an answer.

    Attributes:
        name: as the architecture page calls it.
        before: a question of the same kind, asked first and not traced.
        source: the question that is traced.
        streamed: whether answers are streamed, however few their rows.
    """

    name: str
    before: str
    source: str
    streamed: bool = False


COUNTED = {
    "fingerprints": ("backends/", "fingerprints"),
    "parses": ("language/parse.py", "parse"),
    "resolutions": ("resolver/resolve.py", "resolve"),
    "plans": ("planner/make.py", "make_plan"),
    "statements": ("backends/duckdb/reading.py", "begin"),
    "queries": ("backends/duckdb/reading.py", "rows"),
}
"""What is counted of a route: where the functions that do it stand, and their name."""

# No two routes share a text: one that was parsed before is not parsed again.
ROUTES = (
    Route("hot", "SELECT amount AS hot AT region", "SELECT amount AS hot AT region"),
    Route("exact", "SELECT cost AS exact AT region", "SELECT amount AS exact AT region"),
    Route("rollup", "SELECT cost AS rollup AT month", "SELECT amount AS rollup AT month"),
    Route("miss", "SELECT cost AS miss AT store", "SELECT amount AS miss AT store"),
    Route("streamed", "SELECT cost AS long AT store", "SELECT amount AS long AT store", True),
)


@dataclass(slots=True)
class Trace:
    """What one question entered.

    Attributes:
        calls: of functions of the product, on every thread.
        counts: how often each of `COUNTED` was done.
        files: how many were opened, folders included.
        arrow_bytes: what of Arrow's memory is held more than before, the answer included.
        modules: in the order of entry, each with how many modules deep it was called.
    """

    calls: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    files: int = 0
    arrow_bytes: int = 0
    modules: dict[str, int] = field(default_factory=dict)

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """Count a call; the profiler's hook."""
        module = module_of(frame)
        if event != "call" or module is None:
            return
        self.calls += 1
        self.counts.update(
            what
            for what, (where, function) in COUNTED.items()
            if frame.f_code.co_name == function and module.startswith(where)
        )
        if module not in self.modules:
            self.modules[module] = len(set(callers(frame)) - {module})


def module_of(frame: FrameType) -> str | None:
    """Return the module of the product that a frame runs in, or None."""
    path = Path(frame.f_code.co_filename)
    return str(path.relative_to(PRODUCT)) if path.is_relative_to(PRODUCT) else None


def callers(frame: FrameType | None) -> Iterator[str]:
    """Yield the modules of the product on the stack, the innermost first."""
    while frame is not None:
        module = module_of(frame)
        if module is not None:
            yield module
        frame = frame.f_back


class _OpenedFiles:
    """Counts the files that this process opens while it is told to; a hook cannot be taken away."""

    def __init__(self) -> None:
        self.trace: Trace | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _: tuple[object, ...]) -> None:
        if event == "open" and self.trace is not None:
            self.trace.files += 1


@cache
def _opened_files() -> _OpenedFiles:
    return _OpenedFiles()


def traced(call: Callable[[], object]) -> Trace:
    """Return what a call enters and does, on this thread and on those that it starts."""
    found, files = Trace(), _opened_files()
    before = pa.total_allocated_bytes()
    threading.setprofile(found.note)
    sys.setprofile(found.note)
    files.trace = found
    try:
        held = call()
    finally:
        files.trace = None
        sys.setprofile(None)
        threading.setprofile(None)
    found.arrow_bytes = pa.total_allocated_bytes() - before
    del held
    return found


@contextmanager
def shop(*, streamed: bool) -> Iterator[OpenInstallation]:
    """Open a small shop of its own, warmed up unless everything is streamed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ac.yaml").write_text(COLLECTION, encoding="utf-8")
        (folder / "installation.yaml").write_text(MANIFEST, encoding="utf-8")
        with duckdb.connect(folder / "shop.duckdb") as database:
            database.execute(TABLES)
        options = {"stream_rows": -1} if streamed else {}
        opened = open_installation(folder / "installation.yaml", **options)
        try:
            if not streamed:
                list(opened.warm_up())
            yield opened
        finally:
            opened.close()


def trace_of(route: Route) -> Trace:
    """Return what the question of a route enters, from the request to the last batch."""
    # A profiler hears new threads alone: none waits for a next statement.
    single_flight.THREADS = WaitingThreads("statement", idle_seconds=0.0)
    with shop(streamed=route.streamed) as opened:

        def ask(source: str) -> list[pa.RecordBatch]:
            return list(answer(Request(source), opened.runtime).open())

        ask(route.before)
        return traced(lambda: ask(route.source))


def counts_of(trace: Trace) -> dict[str, int]:
    """Return what a route did, by name."""
    return {
        "calls": trace.calls,
        "modules": len(trace.modules),
        **{what: trace.counts[what] for what in COUNTED},
        "files": trace.files,
        "arrow_bytes": trace.arrow_bytes,
    }


def main() -> None:
    """Trace every route and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", action="store_true", help="name the modules entered, in order")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON, by route")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    traces = {route.name: trace_of(route) for route in ROUTES}
    counts = {name: counts_of(trace) for name, trace in traces.items()}
    if options.json:
        print(json.dumps(counts))
        return
    print(f"{'':10}" + "".join(f"{name:>14}" for name in next(iter(counts.values()))))
    for name, trace in traces.items():
        print(f"{name:10}" + "".join(f"{number:14}" for number in counts[name].values()))
        if options.modules:
            for module, depth in trace.modules.items():
                print(f"{'  ' * depth}  {module}")


if __name__ == "__main__":
    main()
