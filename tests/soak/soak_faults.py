"""What goes wrong while a soak runs: kept answers are damaged, connections are left hanging."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HANGING = 20


class Faults:
    """Makes faults, and counts them.

    Args:
        store: the folder of kept answers.
        port: where connections are left hanging.
        random: chooses what and where.
    """

    def __init__(self, store: Path, port: int, random: Random) -> None:
        self._store, self._port, self._random = store, port, random
        self._hanging: list[socket.socket] = []
        self.made: Counter[str] = Counter()

    def one(self) -> None:
        """Make a fault of any kind."""
        kinds: list[Callable[[], bool]] = [self._flip, self._truncate, self._remove, self._hang]
        kind = self._random.choice(kinds)
        if kind():
            self.made[kind.__name__.removeprefix("_")] += 1

    def close(self) -> None:
        """Close the connections that hang."""
        for one in self._hanging:
            one.close()

    def _entry(self) -> Path | None:
        """Return any kept answer's file."""
        files = sorted(self._store.rglob("*.parquet"))
        return self._random.choice(files) if files else None

    def _flip(self) -> bool:
        entry = self._entry()
        if entry is None:
            return False
        try:
            data = bytearray(entry.read_bytes())
            if not data:
                return False
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
            entry.write_bytes(data)
        except FileNotFoundError:
            return False
        return True

    def _truncate(self) -> bool:
        entry = self._entry()
        if entry is None:
            return False
        try:
            os.truncate(entry, entry.stat().st_size // 2)
        except FileNotFoundError:
            return False
        return True

    def _remove(self) -> bool:
        entry = self._entry()
        if entry is None:
            return False
        entry.unlink(missing_ok=True)
        return True

    def _hang(self) -> bool:
        """Leave a connection half open; the oldest are closed when there are many."""
        try:
            one = socket.create_connection(("127.0.0.1", self._port), 5)
            one.sendall(PREFACE[: self._random.randrange(len(PREFACE))])
        except OSError:
            return False
        self._hanging.append(one)
        if len(self._hanging) > HANGING:
            self._hanging.pop(0).close()
        return True
