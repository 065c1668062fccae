"""A moving world: a server over a source that moves, and clients that ask meanwhile.

What comes in: a back-end, a seed, how many rounds of moves. What goes out: what was found.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from moving_clients import Client, Found, Where
from moving_data import QUESTIONS, STREAM_ROWS, STREAMED
from moving_mover import Kept, Mover
from moving_moves import Kind, kinds_of
from moving_sources import VALUES, Source
from moving_timeline import STILL_SECONDS

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.flight.server import FlightServer

CLIENTS = 8
GAP_ANSWERS, GAP_SECONDS = 30, 5.0
"""How many answers are waited for at most between two moves, and how long."""

CALM_SECONDS = STILL_SECONDS + 0.4
JOIN_SECONDS = 120.0
MOST_TURNS = 2
"""For each round that was asked for, where some kind of move cannot be made each time."""


@dataclass
class Report:
    """What one run found, and how often each kind of move was made."""

    backend: str
    seed: int
    found: Found
    moves: Counter[str] = field(default_factory=Counter)
    reused: int = 0
    restarts: int = 0
    kept: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The share of questions that were answered."""
        return self.found.answered / max(1, self.found.answered + self.found.refused)


class World:
    """One world.

    Args:
        folder: empty; holds the source and the store.
        backend: which database.
        seed: of everything that is chosen.
        values: of the versions; see `Source`.

    Attributes:
        calm_every: after how many moves nothing moves for more than a second.
        restart_every: after how many moves everything is closed and opened again.
    """

    calm_every, restart_every = 25, 40

    def __init__(
        self, folder: Path, backend: str, seed: int, values: Sequence[int] = VALUES
    ) -> None:
        self._folder = folder
        self._random = Random(f"{seed} {backend} moves")
        self._seed = seed
        self._mover = Mover()
        self.source = Source(folder, backend, self._mover, values)
        self.found, self.where = Found(), Where()
        self.report = Report(backend, seed, self.found)
        self._opened: OpenInstallation | None = None
        self._server: FlightServer | None = None
        self._over = threading.Event()
        self.open()

    def open(self) -> None:
        """Open the installation over the store that there is, and serve it."""
        self._opened = open_installation(
            self.source.manifest, store=self._folder / "store", stream_rows=STREAM_ROWS
        )
        self._server = FlightServer(self._opened.runtime)
        self.where.uri = self._server.uri

    def shut(self) -> None:
        """Stop serving and close the store."""
        assert self._server is not None
        assert self._opened is not None
        self._server.stop(5.0)
        self._opened.close()

    def restart(self) -> None:
        """Close everything and open it again; half of the time the data move in between."""
        since = time.monotonic()
        self.where.away.append((since, since + JOIN_SECONDS))
        self.shut()
        if self._random.random() < 0.5:
            self.move(self._random.choice(kinds_of(self.source.backend)))
        self.open()
        self.where.away[-1] = (since, time.monotonic())
        self.report.restarts += 1

    def move(self, kind: Kind) -> None:
        """Make one move of a kind, on a file at random."""
        name = self._random.choice(list(self.source.files))
        try:
            if kind.move(self.source, name, self._random):
                self.report.moves[kind.name] += 1
        except Kept:
            self.report.kept += 1
        self.source.note(name)
        self.source.tidy()
        self.report.reused = self.source.reused

    def client(self, number: int) -> Client:
        """Return a client of its own chances."""
        random = Random(f"{self._seed} {self.source.backend} client {number}")
        return Client(self.where, self.source.timeline, self.found, random)

    def run(
        self,
        rounds: int,
        answers: int = 0,
        seconds: float = math.inf,
        told: Callable[[Report], None] = lambda report: None,
    ) -> Report:
        """Make every kind of move so many times, in turns by chance, while clients ask.

        Args:
            rounds: how often each kind is made at least.
            answers: it goes on until so many were given.
            seconds: after which it ends, whatever is left.
            told: is told after each move.
        """
        begun = time.monotonic()
        clients = [self.client(number) for number in range(CLIENTS)]
        threads = [
            threading.Thread(target=client.until, args=(self._over.is_set,), daemon=True)
            for client in clients
        ]
        for thread in threads:
            thread.start()
        try:
            self._move_about(rounds, answers, begun + seconds, told)
            time.sleep(CALM_SECONDS)
        finally:
            self._over.set()
            for thread in threads:
                thread.join(JOIN_SECONDS)
            for client in clients:
                client.close()
        if any(thread.is_alive() for thread in threads):
            self.found.fault("down", "a client waits for ever")
        self.ask_everything()
        self.report.seconds = time.monotonic() - begun
        return self.report

    def _move_about(
        self, rounds: int, answers: int, until: float, told: Callable[[Report], None]
    ) -> None:
        made = 0
        kinds = kinds_of(self.source.backend)
        for turn in itertools.count():
            # Readers may keep a move from being made, and of two versions sizes may differ.
            least = min(self.report.moves[kind.name] for kind in kinds)
            often = least >= rounds or turn >= MOST_TURNS * rounds
            if often and self.found.answered >= answers:
                return
            self._random.shuffle(kinds)
            for kind in kinds:
                if time.monotonic() > until:
                    return
                self.move(kind)
                made += 1
                self._wait_for(self._random.randint(0, GAP_ANSWERS))
                if made % self.calm_every == 0:
                    time.sleep(CALM_SECONDS)
                if made % self.restart_every == 0:
                    self.restart()
                told(self.report)

    def _wait_for(self, answers: int) -> None:
        until = time.monotonic() + GAP_SECONDS
        answers += self.found.answered
        while self.found.answered < answers and time.monotonic() < until:
            time.sleep(0.002)

    def ask_everything(self) -> None:
        """Ask each question once more, now that nothing moves: each must be answered."""
        client = self.client(CLIENTS)
        for question in (*QUESTIONS, STREAMED):
            if not client.ask(question):
                self.found.fault("down", f"at the end: {question.text}")
        client.close()

    def close(self) -> None:
        """Stop everything."""
        self.shut()
        self._mover.close()
