"""What each file of a source held when, and so of which versions an answer may be.

A version stands from before the first step that could bring it until after the last step that could
leave it: while a file is written in place both the old and the new stand, and nothing else ever.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from moving_data import Holds, Version

STILL_SECONDS = 1.0
RECENT = 200
"""How many steps are looked back upon: no call lasts for as many."""


@dataclass(eq=False)
class Stood:
    """One version of one file, and from when to when it stood, as `time.monotonic` counts.

    `whole` is False of what is left of a version: it may be answered or refused.
    """

    version: Version
    since: float
    until: float = math.inf
    whole: bool = True


class Timeline:
    """The history of a source.

    Args:
        tables: the tables of each file.
    """

    def __init__(self, tables: Mapping[str, Sequence[str]]) -> None:
        self._lock = threading.Lock()
        self._file_of = {table: file for file, each in tables.items() for table in each}
        self._stood: dict[str, list[Stood]] = {file: [] for file in tables}
        self._moves: list[list[float]] = []

    def now(self, file: str) -> Stood | None:
        """Return what a file holds, or None where it is nothing that can be answered from."""
        stood = self._stood[file]
        return stood[-1] if stood and stood[-1].until == math.inf else None

    @contextmanager
    def moving(self, file: str, to: Version | None, *, whole: bool = True) -> Iterator[None]:
        """Tell of a step that brings a version (None: what is no version at all) in a file's place.

        Args:
            file: its name.
            to: what stands there afterwards.
            whole: whether all of it does.

        A step that raises has changed nothing.
        """
        arriving = None
        with self._lock:
            before = self.now(file)
            begun = time.monotonic()
            window = [begun, math.inf]
            self._moves.append(window)
            if to is not None:
                arriving = Stood(to, begun, whole=whole)
                self._stood[file].append(arriving)
        try:
            yield
        except BaseException:
            with self._lock:
                window[1] = time.monotonic()
                if arriving is not None:
                    self._stood[file].remove(arriving)
            raise
        with self._lock:
            window[1] = time.monotonic()
            if before is not None:
                before.until = window[1]

    def may_be(self, tables: Sequence[str], asked: float, got: float) -> list[Holds]:
        """Return the versions that an answer about tables may be of."""
        files = sorted({self._file_of[table] for table in tables})
        with self._lock:
            each = [
                [
                    stood
                    for stood in self._stood[file][-RECENT:]
                    if stood.until >= asked and stood.since <= got
                ]
                for file in files
            ]
        found: list[Holds] = []
        for together in itertools.product(*each):
            since = max(asked, *(stood.since for stood in together))
            if since <= min(got, *(stood.until for stood in together)):
                at = dict(zip(files, (stood.version for stood in together), strict=True))
                found.append({table: at[self._file_of[table]] for table in tables})
        return found

    def ever(self, tables: Sequence[str]) -> list[Holds]:
        """Return every combination of versions that has stood, at whatever times."""
        files = sorted({self._file_of[table] for table in tables})
        with self._lock:
            each = [list({stood.version for stood in self._stood[file]}) for file in files]
        return [
            {
                table: dict(zip(files, together, strict=True))[self._file_of[table]]
                for table in tables
            }
            for together in itertools.product(*each)
        ]

    def still(self, asked: float, got: float) -> bool:
        """Return whether nothing had moved for a second, nor did until `got`, and all was whole."""
        with self._lock:
            rested = all(
                until < asked - STILL_SECONDS or since > got
                for since, until in self._moves[-RECENT:]
            )
            return rested and all(
                any(
                    stood.whole and stood.since <= asked - STILL_SECONDS and stood.until >= got
                    for stood in every[-RECENT:]
                )
                for every in self._stood.values()
            )
