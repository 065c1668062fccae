"""A small DuckDB file of sales, what is asked of it, and the ways in which files move."""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from flightframe_server.algebra.reducers import Operator
from flightframe_server.algebra.types import INTEGER, TEXT
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.planner.source import LevelRead, SourceQuery, StoredRead
from flightframe_server.resolver.terms import ColumnTerm, Metric

TOTALS = tuple(
    Metric(name, Operator("SUM"), "sales", ColumnTerm(INTEGER, "sales", name), INTEGER)
    for name in ("amount", "cost")
)
COLUMNS = (
    StoredRead("sale", "sale", INTEGER),
    StoredRead("shop", "shop", TEXT),
    StoredRead("amount", "amount", INTEGER),
    StoredRead("cost", "cost", INTEGER),
)
BY_SHOP = SourceQuery(
    "sales", "sales", (LevelRead("shop", TEXT, "shop", TEXT, "shop"),), (), (), TOTALS[:1], COLUMNS
)
BY_SALE = SourceQuery(
    "sales",
    "sales",
    (LevelRead("sale", INTEGER, "sale", INTEGER, "sale"),),
    (),
    (),
    TOTALS[:1],
    COLUMNS,
)
TOTAL = SourceQuery("sales", "sales", (), (), (), TOTALS, COLUMNS)
ROWS = 20

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO sales VALUES (100, 'S0', 1000, 0)") if len(sys.argv) > 2 else None
print("held", flush=True)
sys.stdin.read()
"""
"""A foreign writer that holds a database until its input ends."""

CRASHED = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("PRAGMA disable_checkpoint_on_shutdown")
connection.execute("INSERT INTO sales VALUES (100, 'S0', 1000, 0)")
os._exit(0)
"""
"""A foreign writer that dies with a commit of 1000 more in its log."""


def write(path, amount, rows=ROWS, options=""):
    """Write a whole new file of sales: each of this amount, in turn at S0 and S1."""
    Path(path).unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS made {options}")
        connection.execute(
            "CREATE TABLE made.sales AS SELECT i AS sale, 'S' || (i % 2) AS shop,"
            f" CAST({amount} AS BIGINT) AS amount, CAST(0 AS BIGINT) AS cost"
            f" FROM range({rows}) t(i)"
        )
    return Path(path)


def copy(source, target):
    """Write a file over another in place, as another process does it."""
    subprocess.run(["cp", source, target], check=True)


def replace(source, target):
    """Publish a copy of a file by renaming it into place."""
    coming = Path(target).with_name("coming")
    copy(source, coming)
    os.replace(coming, target)


def python(code, *arguments):
    """Run Python in another process, to its end."""
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)


def started(code, *arguments):
    """Start Python in another process, and wait until it has said a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    return process


def ended(process):
    """End the input of a process and wait for its end."""
    process.communicate()
    process.wait()


def sums(backend, at=None):
    """The sum of the amounts of each shop."""
    batches = list(backend.run(BY_SHOP, at=at))
    return {row["shop"]: row["m0_value"] for batch in batches for row in batch.to_pylist()}


def version(backend):
    """What names the content of the file."""
    (found,) = set(backend.fingerprints(["sales"]).values())
    return {"sales": found}


def soon(what, seconds=30.0):
    """Whether something comes true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class Shop:
    """A back-end over a file of its own; the files that may come into its place stand beside."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.path = write(folder / "data.duckdb", 1)
        self.seven = write(folder / "seven.duckdb", 7)
        self.backend = DuckDBBackend(self.path, settings=settings)

    @property
    def source(self):
        return self.backend._source

    def sums(self, at=None):
        return sums(self.backend, at)

    def version(self):
        return version(self.backend)

    def close(self):
        self.backend.close()


ONES = {"S0": 10, "S1": 10}
SEVENS = {"S0": 70, "S1": 70}
