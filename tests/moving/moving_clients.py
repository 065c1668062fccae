"""Clients that ask while a source moves, and judge every answer by what stood meanwhile.

What comes in: where the server is, and the history of the source. What goes out: how many answers,
of which shape and from where, how many refusals, and each thing that must not be.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np
from moving_data import LINES, QUESTIONS, STREAMED, Question, Rows
from moving_timeline import Timeline

import flightframe
from flightframe.connection import Connection
from flightframe.errors import FlightframeError

SECONDS = 60
"""After which a call is given up: a server that hangs is down."""

BACK_OFF_SECONDS = 0.05
NO_CACHE, STREAMS = 0.1, 0.02
STALL_SECONDS = 0.2
SHOWN = 5
REFUSALS = frozenset({"BACKEND", "CATALOG", "TICKET"})
"""What a caller may be told while the data move; any other code is a fault."""


@dataclass
class Found:
    """What all clients found."""

    answers: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    calm: int = 0
    away: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, kind: str, text: str) -> None:
        """Count what must not be: wrong, stale, refused or down."""
        with self.lock:
            self.faults[kind] += 1
            if len(self.shown) < SHOWN:
                self.shown.append(f"{kind}: {text}")

    @property
    def answered(self) -> int:
        return sum(self.answers.values())

    @property
    def refused(self) -> int:
        return sum(self.refusals.values())


class Where:
    """Where the server is, which may be closed and opened again."""

    def __init__(self) -> None:
        self.uri = ""
        self.away: list[tuple[float, float]] = []

    def was_away(self, asked: float, got: float) -> bool:
        """Return whether the server was being restarted at some moment between the two."""
        return any(since <= got and until >= asked for since, until in self.away[-5:])


class Client:
    """One client.

    Args:
        where: the server is.
        timeline: of the source.
        found: takes what is found.
        random: chooses what is asked.
    """

    def __init__(self, where: Where, timeline: Timeline, found: Found, random: Random) -> None:
        self._where, self._timeline, self._found = where, timeline, found
        self._random = random
        self._uri, self._connection = "", None

    def until(self, over: Callable[[], bool]) -> None:
        """Ask one question after another."""
        while not over():
            try:
                self.one()
            except Exception as error:
                self._found.fault("down", f"a client broke: {error!r}")
                time.sleep(BACK_OFF_SECONDS)

    def one(self) -> None:
        """Ask a question at random."""
        chance = self._random
        streamed = chance.random() < STREAMS
        question = STREAMED if streamed else chance.choice(QUESTIONS)
        if not self.ask(question, no_cache=chance.random() < NO_CACHE):
            time.sleep(chance.uniform(0, 2 * BACK_OFF_SECONDS))

    def ask(self, question: Question, *, no_cache: bool = False) -> bool:
        """Ask a question and judge what comes back; return whether it was answered."""
        asked = time.monotonic()
        try:
            # The server may be another one by now.
            result = self._connected().query(question.text, no_cache=no_cache)
            right = self._streamed(result) if question is STREAMED else result.rows
            got = time.monotonic()
        except FlightframeError as error:
            self._refused(question, error, asked, time.monotonic())
            return False
        self._judge(question, right, asked, got)
        with self._found.lock:
            self._found.answers[question.shape] += 1
            self._found.labels[result.served_from] += 1
            self._found.calm += self._timeline.still(asked, got)
        return True

    def _connected(self) -> Connection:
        if self._connection is None or self._uri != self._where.uri:
            self.close()
            self._uri = self._where.uri
            self._connection = flightframe.connect(self._uri, timeout=SECONDS)
        return self._connection

    def _streamed(self, result: flightframe.Result) -> Rows:
        """Read a stream slowly, and return one row for all lines where they are alike."""
        lines, values = 0, set()
        for batch in result:
            line, *columns = (column.to_numpy() for column in batch.columns)
            assert np.array_equal(line, np.arange(lines, lines + len(line)))
            lines += len(line)
            values |= set(zip(*map(np.unique, columns), strict=False))
            values |= {("mixed",) for column in columns if len(np.unique(column)) != 1}
            time.sleep(self._random.uniform(0, STALL_SECONDS))
        return [(lines, *value) for value in values]

    def _judge(self, question: Question, rows: Rows, asked: float, got: float) -> None:
        if any(right(question, at) == rows for at in self._may_be(question, asked, got)):
            return
        was = [at for at in self._timeline.ever(question.tables) if right(question, at) == rows]
        kind = "stale" if was else "wrong"
        may = self._may_be(question, asked, got)
        self._found.fault(kind, f"{question.text} -> {rows[:4]}, of {was}; right: {may}")

    def _may_be(self, question: Question, asked: float, got: float) -> list:
        return self._timeline.may_be(question.tables, asked, got)

    def _refused(
        self, question: Question, error: FlightframeError, asked: float, got: float
    ) -> None:
        if self._where.was_away(asked, got):
            self._found.away += 1
            return
        with self._found.lock:
            self._found.refusals[error.code] += 1
        if error.code not in REFUSALS:
            self._found.fault("down", f"{question.text} -> {error}")
        elif self._timeline.still(asked, got):
            self._found.fault("refused", f"{question.text} -> {error}, though nothing moved")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


def right(question: Question, at: dict) -> Rows:
    """Return the right rows; of a stream, one for all lines."""
    if question is STREAMED:
        value = at["lines"].value
        return [(LINES, value, 1000 + value)]
    return question.right(at)
