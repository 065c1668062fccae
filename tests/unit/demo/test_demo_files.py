"""Files: whole or not there, and never written twice."""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import flightframe_server
from flightframe_server.demo import files
from flightframe_server.demo.files import DATABASE, FILES, fixture, write_demo
from flightframe_server.errors import SetupError

TABLES = ["products", "region_daily_summary", "store_monthly_inventory", "stores", "transactions"]
# The walkthrough's boot log.
ROWS = [
    ("products", 2231),
    ("region_daily_summary", 1329),
    ("store_monthly_inventory", 195),
    ("stores", 13),
    ("transactions", 523023),
]


def names_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_new_folder_gets_every_file_and_nothing_else(demo):
    assert demo.written == FILES
    assert demo.skipped == ()
    assert list(demo.rows.items()) == ROWS
    assert sorted(path.name for path in demo.folder.iterdir()) == [
        "installation.yaml",
        *[f"{name}.parquet" for name in TABLES[:2]],
        "retail.coframe",
        "retail_demo.duckdb",
        *[f"{name}.parquet" for name in TABLES[2:]],
    ]


@pytest.mark.parametrize("name", TABLES)
def test_parquet_gives_the_table_back(demo, tables, name):
    path = demo.folder / f"{name}.parquet"
    assert pq.read_table(path).equals(tables[name])
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_database_holds_the_same_tables_in_the_same_order(demo, tables):
    with duckdb.connect(str(demo.folder / DATABASE), read_only=True) as connection:
        listed = connection.sql("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        assert [name for (name,) in listed] == TABLES
        for name in TABLES:
            stored = connection.sql(f'SELECT * FROM "{name}"').to_arrow_table()
            assert stored.cast(tables[name].schema).equals(tables[name])


def test_the_second_run_writes_nothing(copied, monkeypatch):
    before = {name: (copied / name).stat().st_mtime_ns for name in FILES}
    monkeypatch.setattr(files, "generate", lambda: pytest.fail("generated for nothing"))
    again = write_demo(copied)
    assert (again.written, again.skipped) == ((), FILES)
    assert list(again.rows.items()) == ROWS
    assert {name: (copied / name).stat().st_mtime_ns for name in FILES} == before


@pytest.mark.parametrize("name", ["stores.parquet", "transactions.parquet", "installation.yaml"])
def test_only_what_is_missing_is_written(copied, demo, name):
    before = {other: (copied / other).stat().st_mtime_ns for other in FILES if other != name}
    (copied / name).unlink()
    again = write_demo(copied)
    assert again.written == (name,)
    assert set(again.skipped) == set(FILES) - {name}
    assert (copied / name).read_bytes() == (demo.folder / name).read_bytes()
    assert {other: (copied / other).stat().st_mtime_ns for other in before} == before


def test_the_owners_own_collection_is_kept(copied):
    (copied / "retail.coframe/ac.yaml").write_text("mine\n")
    (copied / DATABASE).unlink()
    assert write_demo(copied).written == (DATABASE,)
    assert (copied / "retail.coframe/ac.yaml").read_text() == "mine\n"


def test_fixtures_need_no_generation(copied, monkeypatch):
    monkeypatch.setattr(files, "generate", lambda: pytest.fail("generated for nothing"))
    (copied / "installation.yaml").unlink()
    assert write_demo(copied).written == ("installation.yaml",)


def test_the_packages_own_fixture_comes_first(tmp_path, monkeypatch):
    inside = tmp_path / "_fixtures" / "retail" / "retail.coframe"
    inside.mkdir(parents=True)
    (inside / "ac.yaml").write_bytes(b"packaged")
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    assert fixture("retail.coframe/ac.yaml") == b"packaged"
    assert fixture("installation.yaml") != b"packaged"


KILLED = """
import os, sys
from pathlib import Path
from flightframe_server.demo import files
real = files._make
def make(name, path, tables):
    real(name, path, tables)
    if name == sys.argv[2]:
        os.truncate(path, os.path.getsize(path) // 2)
        os._exit(9)
files._make = make
files.write_demo(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_half_file_and_the_next_one_finishes(copied, demo):
    missing = ("transactions.parquet", DATABASE, *FILES[-2:])
    for name in missing:
        (copied / name).unlink()
    assert in_a_process(KILLED, copied, DATABASE).returncode == 9
    [leftover] = copied.glob(".flightframe-init-*")
    assert [path.name for path in leftover.iterdir()] == [DATABASE]
    assert not (copied / DATABASE).exists()

    assert write_demo(copied).written == missing[1:]
    assert leftover.exists()
    assert (copied / "transactions.parquet").read_bytes() == (
        demo.folder / "transactions.parquet"
    ).read_bytes()
    with duckdb.connect(str(copied / DATABASE), read_only=True) as connection:
        assert connection.sql("SELECT COUNT(*) FROM transactions").fetchall() == [(523023,)]


def test_an_old_leftover_is_removed_and_a_fresh_one_is_not(copied):
    old, fresh = copied / ".flightframe-init-old", copied / ".flightframe-init-fresh"
    for leftover in (old, fresh):
        leftover.mkdir()
        (leftover / "stores.parquet").write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    (copied / "installation.yaml").unlink()
    write_demo(copied)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_failure_leaves_neither_a_file_nor_a_staging_folder(copied, monkeypatch):
    def full(table, path, **options):
        Path(path).write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    (copied / "stores.parquet").unlink()
    monkeypatch.setattr(files.pq, "write_table", full)
    with pytest.raises(SetupError, match="No space left on device"):
        write_demo(copied)
    assert names_in(copied) == set(FILES) - {"stores.parquet"}


def test_a_database_that_cannot_be_written_is_a_setup_error(copied, monkeypatch):
    def broken(path, tables):
        raise duckdb.IOException(f"could not write {path}")

    (copied / DATABASE).unlink()
    monkeypatch.setattr(files, "_write_database", broken)
    with pytest.raises(SetupError) as caught:
        write_demo(copied)
    assert str(copied) not in str(caught.value)


def test_errors_never_show_a_path(copied):
    (copied / "stores.parquet").write_bytes(b"not parquet")
    with pytest.raises(SetupError, match=r"stores\.parquet is not a Parquet file") as caught:
        write_demo(copied)
    assert str(copied) not in str(caught.value)
    with pytest.raises(SetupError) as caught:
        write_demo(copied / "installation.yaml")
    assert str(copied) not in str(caught.value)
    with pytest.raises(SetupError, match="missing from this installation"):
        fixture("nowhere.yaml")


def test_progress_names_every_step_and_ends_full(copied):
    (copied / "stores.parquet").unlink()
    (copied / "installation.yaml").unlink()
    told = []
    write_demo(copied, progress=lambda step, done, total: told.append((step, done, total)))
    assert told == [
        ("generate", 0, 3),
        ("stores.parquet", 1, 3),
        ("installation.yaml", 2, 3),
        ("", 3, 3),
    ]
    told.clear()
    write_demo(copied, progress=lambda step, done, total: told.append((step, done, total)))
    assert told == [("", 0, 0)]


ALONE = """
import sys
sys.modules["numpy"] = None
from pathlib import Path
from flightframe_server.demo.files import write_demo
write_demo(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(demo, tmp_path):
    # One thread, another hash seed, another time zone, and none of the undeclared packages.
    settings = {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "12345", "TZ": "Pacific/Apia"}
    run = in_a_process(ALONE, tmp_path / "again", **settings)
    assert run.stderr == ""
    for name in FILES:
        if name != DATABASE:
            assert (tmp_path / "again" / name).read_bytes() == (demo.folder / name).read_bytes()


def in_a_process(program, *arguments, **settings):
    holder = str(Path(flightframe_server.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": holder, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
