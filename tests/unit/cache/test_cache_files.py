"""Entry files: the same table again or a refusal, whole files or none."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.cache.files import EntryFiles, FileDamaged, TooLarge

KEY_HASH = "0123456789abcdef" * 2
LIMIT = 1 << 30


@pytest.fixture
def files(tmp_path) -> EntryFiles:
    files = EntryFiles(tmp_path / "entries")
    files.prepare()
    return files


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "entries").iterdir())


def everything() -> pa.Table:
    """One column of every declared type, with nulls, extremes, and metadata at both levels."""
    big, small = Decimal("9" * 36 + ".99"), Decimal("-" + "9" * 36 + ".99")
    moment = dt.datetime(2024, 2, 29, 23, 59, 59, 999999)
    columns = {
        "integer": pa.array([2**63 - 1, None, -(2**63)], pa.int64()),
        "decimal": pa.array([big, None, small], pa.decimal128(38, 2)),
        "scaled": pa.array([Decimal("0." + "0" * 37 + "1"), None, 0], pa.decimal128(38, 38)),
        "double": pa.array([float("nan"), None, -0.0], pa.float64()),
        "text": pa.array(["", None, "naïve \x00 ☃"], pa.string()),
        "date": pa.array([dt.date(1, 1, 1), None, dt.date(9999, 12, 31)], pa.date32()),
        "timestamp": pa.array([moment, None, dt.datetime(1, 1, 1)], pa.timestamp("us")),
        "zoned": pa.array([moment, None, moment], pa.timestamp("us", "Europe/Berlin")),
        "boolean": pa.array([True, None, False], pa.bool_()),
        "null": pa.nulls(3),
        "coded": pa.array(["x", None, "y"]).dictionary_encode(),
        "list": pa.array([[1], None, []], pa.list_(pa.int64())),
    }
    table = pa.table(columns).replace_schema_metadata({"made by": "hand"})
    field = table.schema.field("text").with_metadata({"unit": "none"})
    return table.cast(table.schema.set(4, field))


@pytest.mark.parametrize("rows", [3, 0])
def test_every_declared_type_comes_back_as_it_was(files, rows):
    table = everything().slice(0, rows)
    written = files.write(KEY_HASH, table, LIMIT)
    back = files.read(written.entry_id, written.size, written.digest)
    assert back.schema.equals(table.schema, check_metadata=True)
    assert back.num_rows == rows
    # Through text, since NaN differs from itself and -0.0 equals 0.0.
    assert repr(back.to_pylist()) == repr(table.to_pylist())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.decimals(-(10**20), 10**20, places=4),
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.dates(),
        ),
        max_size=20,
    )
)
def test_any_values_come_back(tmp_path_factory, rows):
    files = EntryFiles(tmp_path_factory.mktemp("files"))
    schema = pa.schema(
        [("value", pa.decimal128(38, 4)), ("name", pa.string()), ("day", pa.date32())]
    )
    columns = [[row[place] for row in rows] for place in range(3)]
    table = pa.table(columns, schema=schema)
    written = files.write(KEY_HASH, table, LIMIT)
    assert files.read(written.entry_id, written.size, written.digest).equals(table)


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date64(), pa.month_day_nano_interval()])
def test_a_type_that_parquet_would_change_is_refused(files, tmp_path, kind):
    with pytest.raises(pa.ArrowException):
        files.write(KEY_HASH, pa.table({"value": pa.nulls(2, kind)}), LIMIT)
    assert names(tmp_path) == []


def test_a_file_is_named_once_compressed_and_described_by_its_bytes(files, tmp_path, make_table):
    table = make_table(rows=1000)
    first, second = (files.write(KEY_HASH, table, LIMIT) for _ in range(2))
    assert first.entry_id != second.entry_id
    assert names(tmp_path) == sorted(f"{one.entry_id}.parquet" for one in (first, second))
    assert re.fullmatch(KEY_HASH + "-[0-9a-f]{32}", first.entry_id)
    path = tmp_path / "entries" / f"{first.entry_id}.parquet"
    assert first.size == path.stat().st_size
    assert first.digest == hashlib.blake2b(path.read_bytes(), digest_size=32).digest()
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_name_is_given_to_whole_content_alone_and_synced_later(
    files, tmp_path, make_table, monkeypatch
):
    events: list[str] = []
    really_sync, really_rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        target = os.readlink(f"/proc/self/fd/{descriptor}")
        events.append("sync " + ("folder" if os.path.isdir(target) else Path(target).stem[-4:]))
        really_sync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        events.append(f"rename {self.suffix} {target.suffix} of {self.stat().st_size}")
        assert not target.exists()
        return really_rename(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    written = [files.write(KEY_HASH, make_table(), LIMIT) for _ in range(2)]
    assert events == [f"rename .tmp .parquet of {one.size}" for one in written]
    events.clear()
    files.remove([written[0].entry_id])
    files.sync()
    assert events == ["sync " + written[1].entry_id[-4:], "sync folder"]
    events.clear()
    files.sync()
    assert events == []


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_what_a_power_cut_left_of_a_file_is_no_entry(files, tmp_path, make_table, share):
    written = files.write(KEY_HASH, make_table(rows=500), LIMIT)
    path = tmp_path / "entries" / f"{written.entry_id}.parquet"
    kept = path.read_bytes()[: int(written.size * share)]
    for left in (kept, kept + bytes(written.size - len(kept))):
        path.write_bytes(left)
        with pytest.raises(FileDamaged):
            files.read(written.entry_id, written.size, written.digest)


def test_what_is_larger_than_its_limit_leaves_nothing(files, tmp_path, make_table):
    table = make_table(rows=2000)
    size = files.write(KEY_HASH, table, LIMIT).size
    before = names(tmp_path)
    with pytest.raises(TooLarge):
        files.write(KEY_HASH, table, size - 1)
    assert names(tmp_path) == before
    assert files.write(KEY_HASH, table, size).size == size


@pytest.mark.parametrize("failing", ["rename", "open"])
def test_a_refusing_disk_leaves_nothing(files, tmp_path, make_table, monkeypatch, failing):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, failing, refuse)
    with pytest.raises(OSError, match="No space"):
        files.write(KEY_HASH, make_table(), LIMIT)
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_every_changed_byte_is_noticed(files, tmp_path, make_table):
    written = files.write(KEY_HASH, make_table(), LIMIT)
    path = tmp_path / "entries" / f"{written.entry_id}.parquet"
    sound = path.read_bytes()
    for place in range(0, len(sound), 37):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(FileDamaged, match="content hash"):
            files.read(written.entry_id, written.size, written.digest)
    for other in (sound[:-1], sound + b"\0", b""):
        path.write_bytes(other)
        with pytest.raises(FileDamaged, match="size"):
            files.read(written.entry_id, written.size, written.digest)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        files.read(written.entry_id, written.size, written.digest)


def test_a_file_that_is_as_written_but_no_parquet_is_damaged(files, tmp_path):
    content = b"PAR1 this is not what it says"
    entry_id = f"{KEY_HASH}-{KEY_HASH}"
    (tmp_path / "entries" / f"{entry_id}.parquet").write_bytes(content)
    digest = hashlib.blake2b(content, digest_size=32).digest()
    with pytest.raises(FileDamaged, match="content"):
        files.read(entry_id, len(content), digest)


def test_the_scan_tells_entries_temporaries_and_strangers_apart(files, tmp_path, make_table):
    written = files.write(KEY_HASH, make_table(), LIMIT)
    for name in (f"{KEY_HASH}-{KEY_HASH}.tmp", "notes.parquet", "notes.tmp", f"{KEY_HASH}.parquet"):
        (tmp_path / "entries" / name).write_bytes(b"")
    found = {file.name: (file.entry_id, file.is_temporary) for file in files.scan()}
    assert found == {
        f"{written.entry_id}.parquet": (written.entry_id, False),
        f"{KEY_HASH}-{KEY_HASH}.tmp": (None, True),
        "notes.parquet": (None, False),
        "notes.tmp": (None, False),
        f"{KEY_HASH}.parquet": (None, False),
    }
