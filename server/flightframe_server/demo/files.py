"""The retail demonstration as files in a folder, each of them whole or not there.

What comes in: a folder. What goes out: the five tables as Parquet, the same tables in one DuckDB
file, the collection and the installation manifest; and a record of what was written. It must never
touch a file that exists, and never give a file its name before all of it is on the disk: every
file is made in a staging folder beside it and then renamed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flightframe_server.demo.retail import SCHEMAS, generate
from flightframe_server.errors import SetupError

DATABASE = "retail_demo.duckdb"
COLLECTION = "retail.coframe/ac.yaml"
INSTALLATION = "installation.yaml"
# In the order in which they are written: the manifest last, since it makes the folder a demo.
FILES = (*(f"{name}.parquet" for name in SCHEMAS), DATABASE, COLLECTION, INSTALLATION)
GENERATE = "generate"

_STAGING_PREFIX = ".flightframe-init-"
_STAGING_ABANDONED_SECONDS = 3600
_ROW_GROUP_ROWS = 131_072


class Report(Protocol):
    """Told before each step, and once at the end."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take note.

        Args:
            step: `generate`, or the name of the file that comes next; empty at the end.
            done: steps finished, from 0 to `total`.
            total: steps in all.
        """


def unreported(step: str, done: int, total: int) -> None:
    """Take a report and do nothing with it."""


@dataclass(frozen=True, slots=True)
class WrittenDemo:
    """What `write_demo` did.

    Attributes:
        folder: where.
        written: names of the files written, relative to the folder, in the order of `FILES`.
        skipped: names of the files that were there already.
        rows: row count of each table, as its Parquet file says, in the order of loading.
    """

    folder: Path
    written: tuple[str, ...]
    skipped: tuple[str, ...]
    rows: Mapping[str, int]


def write_demo(folder: Path, *, progress: Report = unreported) -> WrittenDemo:
    """Write what is missing of the demonstration; leave what is there.

    Args:
        folder: made if it does not exist.
        progress: told of every step. Nothing to write means one call, 0 of 0.

    Returns:
        What was written and what was skipped.

    Raises:
        SetupError: the folder cannot be written, or a Parquet file in it is not one.
    """
    try:
        missing = tuple(name for name in FILES if not (folder / name).exists())
        if missing:
            _write(folder, missing, progress)
        else:
            progress("", 0, 0)
        rows = {table: _row_count(folder / f"{table}.parquet") for table in SCHEMAS}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SetupError(
            f"the demo cannot be written: {reason}", hint="choose a folder that can be written to"
        ) from error
    except duckdb.Error as error:
        raise SetupError(
            "the demo's database cannot be written", hint="is the disk full?"
        ) from error
    return WrittenDemo(folder, missing, tuple(name for name in FILES if name not in missing), rows)


def _write(folder: Path, missing: tuple[str, ...], progress: Report) -> None:
    """Make the missing files one by one in a staging folder and give each its name."""
    folder.mkdir(parents=True, exist_ok=True)
    needs_tables = any(name.endswith((".parquet", ".duckdb")) for name in missing)
    total = len(missing) + needs_tables
    tables: dict[str, pa.Table] = {}
    with _staging(folder) as staging:
        if needs_tables:
            progress(GENERATE, 0, total)
            tables = generate()
        for done, name in enumerate(missing, start=int(needs_tables)):
            progress(name, done, total)
            made = staging / Path(name).name
            _make(name, made, tables)
            _publish(made, folder / name)
    progress("", total, total)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give a folder of our own beside the target, so that a rename stays on one disk.

    A killed run leaves its folder behind. Nothing ever reads it, and a later run removes it once
    it is too old to be the work of a run that is still going on.
    """
    for leftover in folder.glob(f"{_STAGING_PREFIX}*"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > _STAGING_ABANDONED_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=folder))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _make(name: str, path: Path, tables: Mapping[str, pa.Table]) -> None:
    if name == DATABASE:
        _write_database(path, tables)
    elif name.endswith(".parquet"):
        table = tables[name.removesuffix(".parquet")]
        pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP_ROWS)
    else:
        path.write_bytes(fixture(name))


def _write_database(path: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write all tables into one DuckDB file, in their own order, and close it.

    The order matters: by day and transaction_id, a range of days touches few row groups.
    """
    with duckdb.connect(str(path)) as connection:
        for name, table in tables.items():
            connection.register("arrow_table", table)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM arrow_table').fetchall()
            connection.unregister("arrow_table")
        connection.execute("CHECKPOINT").fetchall()


def _publish(made: Path, final: Path) -> None:
    """Put a file on the disk and then give it its name, in one step."""
    with made.open("rb+") as stream:
        os.fsync(stream.fileno())
    final.parent.mkdir(parents=True, exist_ok=True)
    os.replace(made, final)


def _row_count(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid as error:
        raise SetupError(
            f"{path.name} is not a Parquet file", hint="delete it and run the command again"
        ) from error


def fixture(name: str) -> bytes:
    """Return the content of a file of the retail fixtures.

    Args:
        name: its path inside the fixtures, such as `installation.yaml`.

    Raises:
        SetupError: neither the installed package nor a checkout has it.
    """
    package = resources.files("flightframe_server")
    installed = package.joinpath("_fixtures", "retail", name)
    if installed.is_file():
        return installed.read_bytes()
    # An editable install has no package data: the checkout's own folder stands in.
    checkout = Path(__file__).resolve().parents[3] / "fixtures" / "retail" / name
    if checkout.is_file():
        return checkout.read_bytes()
    raise SetupError(f"the retail fixture {Path(name).name} is missing from this installation")
