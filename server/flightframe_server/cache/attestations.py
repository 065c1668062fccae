"""Facts about the data that outlive the process: which promises hold, and the maps of edges.

What comes in: verdicts and edge maps, each with the versions of the tables it was found on. What
goes out: the same verdicts and maps for the same versions, also after a restart. It must never give
a fact for another key, version, collection or back-end, and never fail a question: what cannot be
read is missing, what cannot be written is not kept.

A file begins with the digest of all that follows, and what follows names the fact itself. So a torn
or altered file, and one that was copied to another name, is dropped: facts are lost by it, none is
invented. The digest has no key: it protects from damage, not from forgery by a process that may
write to the folder; against that only the folder's permissions help.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from flightframe_server.cache.regular_file import NotRegular, read_regular
from flightframe_server.planner.identity import Version

FOLDER = "attestations"
FORMAT = 1
ATTESTATION_BYTES = 256 * 1024 * 1024
KEPT_VERSIONS = 3
MAX_KEY = 4096
MAX_VERDICT = 4096
MAX_FACT_BYTES = 1024 * 1024
# What a file costs on the disk at least, so that the budget bounds the number of files as well.
BLOCK = 4096
SWEEP_EVERY = 32
SWEPT_SHARE = 16
"""Of the budget, written by one process since it last looked: then it looks at the folder again."""
TEMPORARY_SECONDS = 3600.0

_FACT, _MAP, _TEMPORARY = ".fact", ".map", ".tmp"
_NAME = re.compile(r"([0-9a-f]{32})-[0-9a-f]{32}\.(?:fact|map)")
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{32}\.tmp")

_log = structlog.get_logger(__name__)


class Missing(Enum):
    """The type of `MISSING`: no verdict is stored."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class _Damaged(Exception):
    """A file that is not what was written under its name; its text says what differs."""


class AttestationStore:
    """Verdicts and edge maps of one collection over one back-end. Thread-safe.

    Several processes may use one folder. It keeps the few last used versions of each key, and of
    all files the last used ones that fit the budget.

    Args:
        root: the collection's folder; the files lie in a folder of their own in it.
        collection: hash of the collection's structure; what rests on more says so in its key.
        backend: id of the back-end.
        max_bytes: the most bytes that all files take, a file counted as one block at least.
        clock: the time, in nanoseconds since 1970 UTC.
    """

    def __init__(
        self,
        root: Path,
        *,
        collection: str,
        backend: str,
        max_bytes: int = ATTESTATION_BYTES,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Make the folder, and remove what a crash left there."""
        self._folder = root / FOLDER
        self._collection, self._backend = collection, backend
        self._max_bytes, self._clock = max_bytes, clock
        self._lock = threading.Lock()
        self._written = 0
        self._unswept = self._bytes_left = 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log_failure("open", error)
        self.sweep()

    def get(self, key: str, versions: Version) -> str | Missing | None:
        """Return the verdict on a promise on these versions of its tables.

        Args:
            key: the promise.
            versions: the fingerprint of each table that it is about.

        Returns:
            None where the promise holds, the row that breaks it as text, or `MISSING`.
        """
        stored = self._read(key, versions, _FACT, MAX_FACT_BYTES)
        if stored is None:
            return MISSING
        verdict = stored[0].get("verdict", MISSING)
        return verdict if verdict is None or isinstance(verdict, str) else MISSING

    def put(self, key: str, versions: Version, verdict: str | None) -> None:
        """Store the verdict on a promise.

        Args:
            key: the promise.
            versions: the fingerprint of each table that it is about.
            verdict: None: it holds; else the row that breaks it, kept cut to `MAX_VERDICT`
                characters.
        """
        text = None if verdict is None else verdict[:MAX_VERDICT]
        self._write(key, versions, _FACT, {"verdict": text}, b"")

    def get_map(self, edge: str, versions: Version) -> pa.Table | None:
        """Return the map of an edge on these versions of its tables, or None."""
        stored = self._read(edge, versions, _MAP, self._max_bytes)
        if stored is None:
            return None
        try:
            with pa.ipc.open_stream(pa.py_buffer(stored[1])) as reader:
                return reader.read_all()
        except (pa.ArrowException, OSError):
            self._drop(self._name(edge, versions, _MAP), "content")
            return None

    def put_map(self, edge: str, versions: Version, table: pa.Table) -> None:
        """Keep the map of an edge; one that fills more than the budget is not kept."""
        if table.nbytes > 8 * self._max_bytes:
            return
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        self._write(edge, versions, _MAP, {}, sink.getvalue().to_pybytes())

    def sweep(self) -> None:
        """Remove what is past the budget, old versions, and files whose writer never finished."""
        now = self._clock()
        with self._lock:
            self._unswept = self._bytes_left = 0
        used: list[tuple[int, str, int]] = []
        try:
            with os.scandir(self._folder) as listing:
                for item in listing:
                    with suppress(FileNotFoundError):
                        facts = item.stat(follow_symlinks=False)
                        age = (now - facts.st_mtime_ns) / 1e9
                        if _NAME.fullmatch(item.name):
                            used.append((facts.st_mtime_ns, item.name, facts.st_size))
                        elif _TEMPORARY_NAME.fullmatch(item.name) and age > TEMPORARY_SECONDS:
                            self._remove(item.name)
        except OSError as error:
            _log_failure("sweep", error)
            return
        versions: Counter[tuple[str, str]] = Counter()
        left = self._max_bytes
        for _, name, size in sorted(used, reverse=True):
            kind = name[:32], name[-4:]
            versions[kind] += 1
            left -= max(size, BLOCK)
            if versions[kind] > KEPT_VERSIONS or left < 0:
                left += max(size, BLOCK)
                self._remove(name)
        with self._lock:
            self._bytes_left = left

    def _name(self, key: str, versions: Version, kind: str) -> str:
        scope = [FORMAT, self._collection, self._backend, key]
        return f"{_digest(_dumped(scope))}-{_digest(_dumped(sorted(versions)))}{kind}"

    def _header(self, key: str, versions: Version) -> dict[str, object]:
        return {
            "format": FORMAT,
            "collection": self._collection,
            "backend": self._backend,
            "key": key,
            "versions": [list(pair) for pair in sorted(versions)],
        }

    def _read(
        self, key: str, versions: Version, kind: str, max_bytes: int
    ) -> tuple[dict[str, object], bytes] | None:
        name = self._name(key, versions, kind)
        path = self._folder / name
        try:
            header, payload = _parsed(read_regular(path, max_bytes))
            expected = self._header(key, versions)
            if {field: header.get(field) for field in expected} != expected:
                raise _Damaged("it is another fact")
        except FileNotFoundError:
            return None
        except (NotRegular, _Damaged) as damage:
            self._drop(name, str(damage))
            return None
        except OSError as error:
            _log_failure("read", error)
            return None
        self._touch(path)
        return header, payload

    def _write(
        self, key: str, versions: Version, kind: str, facts: dict[str, object], payload: bytes
    ) -> None:
        header = _dumped(self._header(key, versions) | facts)
        if len(key) > MAX_KEY or (kind == _FACT and len(header) > MAX_FACT_BYTES // 2):
            return
        body = header + b"\n" + payload
        content = _checksum(body) + b"\n" + body
        if max(len(content), BLOCK) > self._max_bytes:
            return
        temporary = self._folder / f"{uuid.uuid4().hex}{_TEMPORARY}"
        path = self._folder / self._name(key, versions, kind)
        try:
            with temporary.open("xb") as file:
                file.write(content)
            # Nothing is synced: what a power cut takes back, in part or whole, is a fact to find
            # again, and hundreds are written at a time.
            temporary.replace(path)
        except OSError as error:
            _log_failure("write", error)
            self._remove(temporary.name)
            return
        self._touch(path)
        with self._lock:
            self._written += 1
            self._unswept += max(len(content), BLOCK)
            # What the last look left tells this process's part; other processes write as well.
            most = min(self._bytes_left, self._max_bytes // SWEPT_SHARE)
            due = self._unswept > most or self._written % SWEEP_EVERY == 0
        if due:
            self.sweep()

    def _touch(self, path: Path) -> None:
        """Note the time of use on the file itself, which other processes see as well."""
        with suppress(OSError):
            now = self._clock()
            os.utime(path, ns=(now, now), follow_symlinks=False)

    def _drop(self, name: str, reason: str) -> None:
        with suppress(OSError):
            _log.warning("attestation_damaged", reason=reason)
        self._remove(name)

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()


def _parsed(content: bytes) -> tuple[dict[str, object], bytes]:
    """Return header and payload of a file's content.

    Raises:
        _Damaged: it is not what was written.
    """
    checksum, _, body = content.partition(b"\n")
    if checksum != _checksum(body):
        raise _Damaged("content hash")
    header, _, payload = body.partition(b"\n")
    try:
        fields = json.loads(header)
    except (ValueError, RecursionError):
        raise _Damaged("content") from None
    if not isinstance(fields, dict):
        raise _Damaged("content")
    return fields, payload


def _dumped(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=32).hexdigest().encode("ascii")


def _log_failure(what: str, error: BaseException) -> None:
    # The log may lie on the very disk that is full.
    with suppress(OSError):
        _log.warning("attestations_failed", what=what, error=type(error).__name__)
