"""A small shop on disk, results without a server, and the command line in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from corner_shop import AC, MANIFEST, ROOT, TABLES

from flightframe import Provenance, Result


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The manifest of a shop that a test may spoil."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(TABLES)
    (tmp_path / "ac.yaml").write_text(AC)
    (tmp_path / "installation.yaml").write_text(MANIFEST)
    return tmp_path / "installation.yaml"


class InMemory:
    """The batches of a result, without a wire."""

    def __init__(self, table: pa.Table, served_from: str) -> None:
        self.schema = table.schema
        self.served_from = served_from
        self.provenance = Provenance(served_from, collection="shop")
        self._left = table.to_batches(max_chunksize=2)

    def pull(self) -> pa.RecordBatch | None:
        return self._left.pop(0) if self._left else None

    def cancel(self) -> None:
        self._left.clear()


@pytest.fixture
def result() -> Callable[..., Result]:
    """Makes a result of a table."""

    def make(table: pa.Table, served_from: str = "engine_cache") -> Result:
        return Result(InMemory(table, served_from))

    return make


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command line as a process, and leaves none behind."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str | Path, **environment: str) -> "subprocess.Popen[str]":
        kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
        path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
        process = subprocess.Popen(
            [sys.executable, "-m", "flightframe_server", *map(str, arguments)],
            env={**kept, "PYTHONPATH": path, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
