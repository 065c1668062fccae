"""The programs that write to a source: a process of its own, as a foreign writer is.

    python moving_mover.py

It reads one JSON list a line, a name and its arguments, does that, and answers with one JSON value.
Whatever opens the files that are served happens here: a process that closes any descriptor of a
file drops all of its own locks on it, the server's among them where it is the same process.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

import duckdb
import polars as pl
from moving_data import KINDS, LINES, SHOPS, kind_of, region_of, shop_of

CHUNK = 1 << 16
BUSY_SECONDS = 10
_HELD: list[tuple[IO[bytes], bytes]] = []

SALES = (
    "CREATE TABLE sales "
    "(sale INTEGER PRIMARY KEY, shop TEXT, kind TEXT, amount BIGINT, cost BIGINT)"
)
INSERTED = "INSERT INTO sales VALUES (?, ?, ?, ?, ?)"
SALES_BY_DUCKDB = (
    f"INSERT INTO sales SELECT n, 'S' || n % {SHOPS}, 'K' || n % {KINDS}, $1, 1000 + $1 "
    "FROM range($2, $3) t(n)"
)
SHOP_TABLE = "CREATE TABLE shops (shop TEXT NOT NULL UNIQUE, region TEXT)"
LINE_TABLE = "CREATE TABLE lines (line INTEGER PRIMARY KEY, weight BIGINT, height BIGINT)"


def sales_rows(value: int, first: int, last: int) -> list[tuple[object, ...]]:
    return [(at, shop_of(at), kind_of(at), value, 1000 + value) for at in range(first, last)]


def shop_rows(value: int) -> list[tuple[object, ...]]:
    return [(f"S{at}", region_of(at, value)) for at in range(SHOPS)]


def make_sqlite(path: str, value: int, rows: int, journal: str) -> None:
    """Write a whole database."""
    with closing(sqlite3.connect(path)) as found:
        found.execute(f"PRAGMA journal_mode = {journal}")
        for table in (SALES, SHOP_TABLE, LINE_TABLE):
            found.execute(table)
        found.executemany(INSERTED, sales_rows(value, 0, rows))
        found.executemany("INSERT INTO shops VALUES (?, ?)", shop_rows(value))
        each = ((at, value, 1000 + value) for at in range(LINES))
        found.executemany("INSERT INTO lines VALUES (?, ?, ?)", each)
        found.commit()


def make_duckdb(path: str, value: int, rows: int) -> None:
    """Write a whole database."""
    with duckdb.connect(path) as found:
        for table in (SALES, SHOP_TABLE, LINE_TABLE):
            found.execute(table.replace(" PRIMARY KEY", "").replace(" UNIQUE", ""))
        found.execute(SALES_BY_DUCKDB, [value, 0, rows])
        found.executemany("INSERT INTO shops VALUES (?, ?)", shop_rows(value))
        found.execute(
            "INSERT INTO lines SELECT n, $1, 1000 + $1 FROM range($2) t(n)", [value, LINES]
        )


def frame_of(table: str, value: int, rows: int) -> pl.DataFrame:
    """Return a table as Polars holds it."""
    match table:
        case "sales":
            columns = {"sale": pl.Int64, "shop": pl.String, "kind": pl.String}
            columns |= {"amount": pl.Int64, "cost": pl.Int64}
            return pl.DataFrame(sales_rows(value, 0, rows), schema=columns, orient="row")
        case "shops":
            columns = {"shop": pl.String, "region": pl.String}
            return pl.DataFrame(shop_rows(value), schema=columns, orient="row")
        case _:
            line = pl.int_range(LINES, dtype=pl.Int64, eager=True).alias("line")
            every = pl.lit(value, pl.Int64), pl.lit(1000 + value, pl.Int64)
            return pl.DataFrame({"line": line}).with_columns(weight=every[0], height=every[1])


def make_parquet(path: str, table: str, value: int, rows: int) -> None:
    """Write a whole file as Polars writes it: into the very file, from its start."""
    frame_of(table, value, rows).write_parquet(path, row_group_size=1 << 16)


def append_sqlite(path: str, value: int, first: int, last: int) -> None:
    """Commit some more sales; a log, where the file has one, is left as it is."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as found:
        found.execute("PRAGMA wal_autocheckpoint = 0")
        found.execute("BEGIN IMMEDIATE")
        found.executemany(INSERTED, sales_rows(value, first, last))
        found.execute("COMMIT")


def fold_sqlite(path: str) -> None:
    """Bring the log back into the file and empty it."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as found:
        (busy, _, _) = found.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        error = sqlite3.OperationalError("the log is being read")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error


def append_duckdb(path: str, value: int, first: int, last: int, *, fold: bool) -> None:
    """Commit some more sales; unless they are folded in, they stay in the log, as of a crash."""
    with duckdb.connect(path) as found:
        if not fold:
            found.execute("PRAGMA disable_checkpoint_on_shutdown")
            found.execute("SET checkpoint_threshold = '1GB'")
        found.execute(SALES_BY_DUCKDB, [value, first, last])


def copy(source: str, target: str) -> None:
    """Write a file over another in place, as `cp` does."""
    subprocess.run(["cp", source, target], check=True)


def beside(source: str, target: str) -> None:
    """Write a copy where nothing is served."""
    shutil.copyfile(source, target)


def half(source: str, target: str) -> None:
    """Write the first half of a file over another, and stay there with the file open."""
    content = Path(source).read_bytes()
    file = Path(target).open("wb")  # noqa: SIM115
    middle = len(content) // 2
    file.write(content[:middle])
    file.flush()
    _HELD.append((file, content[middle:]))


def half_over(source: str, target: str) -> None:
    """Write the first half into a file that keeps its second, and stay there with it open."""
    content = Path(source).read_bytes()
    file = Path(target).open("r+b")  # noqa: SIM115
    middle = len(content) // 2
    file.write(content[:middle])
    file.flush()
    _HELD.append((file, content[middle:]))


def rest() -> None:
    """Write what `half` or `half_over` left out, and close the file."""
    file, content = _HELD.pop()
    with file:
        file.write(content)
        file.truncate()


WORK = {
    work.__name__: work
    for work in (
        make_sqlite,
        make_duckdb,
        make_parquet,
        append_sqlite,
        fold_sqlite,
        append_duckdb,
        copy,
        beside,
        half,
        half_over,
        rest,
    )
}


def main() -> None:
    """Do what comes in, a line at a time."""
    for line in sys.stdin:
        name, arguments, named = json.loads(line)
        try:
            WORK[name](*arguments, **named)
            said = ""
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            said = str(error)
        print(json.dumps(said), flush=True)


class Kept(Exception):
    """A reader keeps a writer out for so long that it gives up; nothing was changed."""


class Mover:
    """The process, from the side of whoever tells it what to do."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, name: str, *arguments: object, **named: object) -> None:
        """Have one thing done.

        Raises:
            Kept: readers left no room for it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        said = [str(each) if isinstance(each, Path) else each for each in arguments]
        self._process.stdin.write(json.dumps([name, said, named]) + "\n")
        self._process.stdin.flush()
        answered = self._process.stdout.readline()
        assert answered, f"the mover ended in {name}"
        if told := json.loads(answered):
            raise Kept(told)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


if __name__ == "__main__":
    main()
