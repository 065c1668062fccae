"""Entry files: one Parquet file per entry, written once under a name that is never used again.

What comes in: Arrow tables. What goes out: files that survive a crash of the process complete or
not at all, and the same tables again, checked byte by byte. It must never overwrite a file, never
return a table that differs from the one written, and never decide which entries exist: the
manifest does.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from flightframe_server.cache.regular_file import NotRegular, read_regular

FINISHED = ".parquet"
TEMPORARY = ".tmp"
ENTRY_ID = re.compile(r"[0-9a-f]{32}-[0-9a-f]{32}")
# A decoder's threads cost more than they save on a file of this many bytes.
SMALL_FILE = 1 << 20


class TooLarge(Exception):
    """A file passed the bytes it may take while it was being written; nothing of it is left."""


class FileDamaged(Exception):
    """A file is there, but is not what was written. Its text says what differs, without a path."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A finished file: the entry's id, its size in bytes, the BLAKE2b digest of its content."""

    entry_id: str
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file in the folder: its name, bytes, time of writing in seconds since 1970 UTC.

    One that is not `regular` is a link, a pipe, a folder or a device.
    """

    name: str
    bytes: int
    written: float
    regular: bool

    @property
    def entry_id(self) -> str | None:
        """The entry's id; None for a temporary or a foreign file."""
        stem = self.name.removesuffix(FINISHED)
        return stem if stem != self.name and ENTRY_ID.fullmatch(stem) else None

    @property
    def is_temporary(self) -> bool:
        """Whether a writer had not finished it."""
        stem = self.name.removesuffix(TEMPORARY)
        return stem != self.name and ENTRY_ID.fullmatch(stem) is not None


class _CheckedSink(io.RawIOBase):
    """Passes bytes on to a file, hashing and counting them on the way."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._hash = _new_hash()
        self.written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += len(data)
        if self.written > self._limit:
            raise TooLarge
        self._hash.update(data)
        self._file.write(data)
        return len(data)

    def digest(self) -> bytes:
        return self._hash.digest()


def _encode(table: pa.Table, sink: pa.NativeFile) -> None:
    # Arrow's own names inside lists, not Parquet's, so that the schema comes back as it was.
    pq.write_table(table, sink, compression="zstd", use_compliant_nested_type=False)


def _new_hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=32)


@lru_cache(maxsize=1024)
def _roundtrips(serialized_schema: bytes) -> bool:
    """Whether Parquet gives this schema back as it is (it widens `timestamp[s]`, for one)."""
    schema = pa.ipc.read_schema(pa.py_buffer(serialized_schema))
    sink = pa.BufferOutputStream()
    _encode(schema.empty_table(), sink)
    reread = pq.read_schema(pa.BufferReader(sink.getvalue()))
    return bool(reread.equals(schema, check_metadata=True))


class EntryFiles:
    """The files of one folder.

    Args:
        folder: a folder on a local disk; `prepare` makes it.
    """

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet."""
        self._folder = folder
        self._unsynced: deque[str] = deque()

    def write(self, key_hash: str, table: pa.Table, limit: int) -> WrittenFile:
        """Write a table under a new name.

        When this returns the file survives the process, and after the next `sync` a power cut;
        what a power cut leaves of one that was not synced is not what `read` is told to find.

        Args:
            key_hash: 32 hexadecimal digits that the name begins with.
            table: any table whose schema Parquet can hold unchanged.
            limit: the most bytes the file may have.

        Raises:
            TooLarge: the file would be larger than `limit`.
            pyarrow.ArrowException: Parquet cannot hold the table unchanged.
            OSError: the disk refused.
        """
        if not _roundtrips(table.schema.serialize().to_pybytes()):
            raise pa.ArrowNotImplementedError("Parquet would change the schema")
        entry_id = f"{key_hash}-{uuid.uuid4().hex}"
        temporary = self._folder / (entry_id + TEMPORARY)
        try:
            with temporary.open("xb") as file:
                sink = _CheckedSink(file, limit)
                _encode(table, pa.PythonFile(sink, mode="w"))
            temporary.rename(self._path(entry_id))
        except BaseException:
            self.remove_names((entry_id + TEMPORARY, entry_id + FINISHED))
            raise
        self._unsynced.append(entry_id)
        return WrittenFile(entry_id, sink.written, sink.digest())

    def sync(self) -> None:
        """Wait until what was written before survives a power cut, its names included.

        Raises:
            OSError: the disk refused.
        """
        before = len(self._unsynced)
        for _ in range(before):
            with suppress(FileNotFoundError):
                _sync(self._path(self._unsynced.popleft()))
        if before:
            _sync(self._folder)

    def read(self, entry_id: str, size: int, digest: bytes) -> pa.Table:
        """Return the table of a file after checking its bytes.

        Args:
            entry_id: the id that `write` returned.
            size: bytes the file must have.
            digest: BLAKE2b digest its content must have.

        Raises:
            FileNotFoundError: there is no such file.
            FileDamaged: the file is not what was written.
            OSError: the disk refused.
        """
        try:
            content = read_regular(self._path(entry_id), size)
        except NotRegular as reason:
            raise FileDamaged(str(reason)) from None
        if len(content) != size:
            raise FileDamaged("size")
        content_hash = _new_hash()
        content_hash.update(content)
        if content_hash.digest() != digest:
            raise FileDamaged("content hash")
        try:
            with pq.ParquetFile(pa.BufferReader(content)) as file:
                return file.read(use_threads=size > SMALL_FILE)
        except (pa.ArrowException, OSError):
            raise FileDamaged("content") from None

    def prepare(self) -> None:
        """Make the folder and try a file in it, to learn now what a first `write` would meet.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        trial = self._folder / f"{uuid.uuid4().hex}-{uuid.uuid4().hex}{TEMPORARY}"
        trial.write_bytes(b"")
        trial.unlink()

    def exists(self, entry_id: str) -> bool:
        """Return whether an entry's file is there."""
        return self._path(entry_id).exists()

    def remove(self, entry_ids: Iterable[str]) -> None:
        """Remove entries' files; one that is gone or will not go is left to the collector."""
        self.remove_names(entry_id + FINISHED for entry_id in entry_ids)

    def remove_names(self, names: Iterable[str]) -> int:
        """Remove files by name and return how many went."""
        count = 0
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink()
                count += 1
        return count

    def scan(self) -> Iterator[FolderFile]:
        """Iterate over the folder's files, foreign ones included.

        Raises:
            OSError: the folder cannot be listed.
        """
        with os.scandir(self._folder) as listing:
            for item in listing:
                with suppress(FileNotFoundError):
                    facts = item.stat(follow_symlinks=False)
                    regular = stat.S_ISREG(facts.st_mode)
                    yield FolderFile(item.name, facts.st_size, facts.st_mtime, regular)

    def _path(self, entry_id: str) -> Path:
        return self._folder / (entry_id + FINISHED)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
