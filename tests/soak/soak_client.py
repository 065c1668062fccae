"""One client of a soak, in a process of its own, until it is told to stop.

    python soak_client.py KIND WORLD_FOLDER FLIGHT_PORT HTTP_PORT SEED

It stops when its stdin is closed, and writes on stdout one JSON object: how often it asked, what
was wrong, and which errors it met.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import adbc_driver_flightsql.dbapi as adbc
import httpx
import polars
import pyarrow as pa
from client_session import COMMANDS, TEXTS, packed
from mutants import mutated
from pyarrow import flight
from soak_world import LARGE, QUESTIONS, REFUSED, Judge, Question, World, plain

import flightframe

SHOWN_WRONG = 5
# What a client meets while the server is killed and comes back; anything else is a fault.
AWAY = (flight.FlightUnavailableError, flightframe.ConnectionFailed, httpx.TransportError)
# What a server that was killed in between says of a handle of its predecessor's.
FORGOTTEN = "of that name, or no longer"

Ask = Callable[[Question], list[list[object]]]


class Client:
    """Asks questions at random, and judges what comes back."""

    def __init__(self, world: World, port: int, http: int, seed: int) -> None:
        self.uri = f"grpc://127.0.0.1:{port}"
        self.http = f"http://127.0.0.1:{http}"
        self.random = Random(seed)
        self.asked = 0
        self.wrong: list[str] = []
        self.met: Counter[str] = Counter()
        self._judge = Judge(world)
        self._over = threading.Event()

    def until_told(self, step: Callable[[Client], None]) -> None:
        """Repeat a step until stdin is closed."""
        threading.Thread(target=self._wait, daemon=True).start()
        while not self._over.is_set():
            try:
                step(self)
            except Exception as error:
                self._note(error)
        print(json.dumps({"asked": self.asked, "wrong": self.wrong, "met": dict(self.met)}))

    def _wait(self) -> None:
        sys.stdin.read()
        self._over.set()

    def _note(self, error: Exception) -> None:
        text = str(error)
        if isinstance(error, AWAY) or "navailable" in text or "UNAVAILABLE" in text:
            self.met["away"] += 1
            self._over.wait(0.2)
        elif FORGOTTEN in text:
            self.met["asked again"] += 1
        else:
            self.met[type(error).__name__] += 1
            self.fault(f"{type(error).__name__}: {text[:300]}")

    def fault(self, what: str) -> None:
        if len(self.wrong) < SHOWN_WRONG:
            self.wrong.append(what)
        self.met["wrong"] += 1

    def judged(self, ask: Ask, question: Question | None = None) -> None:
        """Ask one question and compare the answer."""
        question = question or self.random.choice(QUESTIONS)
        oldest = self._judge.begin()
        rows = ask(question)
        self.asked += 1
        if not self._judge.right(question, rows, oldest):
            self.fault(f"from version {oldest}: {question.text} -> {rows[:3]}")

    def refused(self, ask: Callable[[], object]) -> None:
        """Ask what must be refused."""
        try:
            ask()
        except Exception as error:
            if REFUSED[1] not in str(error):
                raise
            self.asked += 1
            return
        self.fault(f"answered: {REFUSED[0]}")


def rows_of(table: pa.Table) -> list[list[object]]:
    return plain([tuple(row.values()) for row in table.to_pylist()])


def ours(client: Client) -> None:
    """The product's own client: one call a question, now and then a large answer."""
    with flightframe.connect(client.uri) as connection:
        for _ in range(client.random.randint(1, 30)):
            client.judged(
                lambda question: rows_of(
                    connection.query(
                        question.text, parameters=list(question.values) or None
                    ).to_arrow()
                )
            )
        client.refused(lambda: connection.query(REFUSED[0]))


def bare(client: Client) -> None:
    """pyarrow.flight: two calls a question, and large streams, some of them given up."""
    with flight.FlightClient(client.uri) as connection:

        def ask(question: Question) -> list[list[object]]:
            # One whose answer was let go meanwhile asks again, as the error says.
            for last in (False, False, True):
                info = connection.get_flight_info(
                    flight.FlightDescriptor.for_command(question.text)
                )
                try:
                    return rows_of(connection.do_get(info.endpoints[0].ticket).read_all())
                except pa.ArrowKeyError:
                    client.met["asked again"] += 1
                    if last:
                        raise
            raise AssertionError

        unbound = [question for question in QUESTIONS if not question.values]
        for _ in range(client.random.randint(1, 20)):
            client.judged(ask, client.random.choice(unbound))
        reader = connection.do_get(flight.Ticket(LARGE))
        for _ in range(client.random.randint(0, 6)):
            reader.read_chunk()
        if client.random.random() < 0.5:
            reader.cancel()
        client.asked += 1


def drivers(client: Client) -> None:
    """ADBC: prepared statements, parameters, metadata; polars through the same connection."""
    with adbc.connect(client.uri, autocommit=True) as connection:
        with connection.cursor() as cursor:

            def ask(question: Question) -> list[list[object]]:
                cursor.execute(question.text, question.values or None)
                return rows_of(cursor.fetch_arrow_table())

            for _ in range(client.random.randint(1, 15)):
                client.judged(ask)
        connection.adbc_get_objects(depth="all").read_all()
        unbound = [question for question in QUESTIONS if not question.values]
        client.judged(
            lambda question: plain(polars.read_database(question.text, connection).rows()),
            client.random.choice(unbound),
        )
        with connection.cursor() as cursor:
            client.refused(lambda: cursor.execute(REFUSED[0]))


def web(client: Client) -> None:
    """HTTP, as a browser or curl asks."""
    with httpx.Client(base_url=client.http, timeout=60) as connection:

        def ask(question: Question) -> list[list[object]]:
            language = "sql" if question.in_sql else "source"
            body = {language: question.text, "parameters": list(question.values)}
            reply = connection.post("/runtime/query", json=body)
            if reply.status_code in (502, 503):
                raise httpx.ConnectError("UNAVAILABLE")
            return list(reply.raise_for_status().json()["rows"])

        for _ in range(client.random.randint(1, 20)):
            client.judged(ask)


def enemy(client: Client) -> None:
    """Changed messages and streams that are dropped; only the server's life is judged."""
    pool = [*(text.encode() for text in TEXTS), *map(packed, COMMANDS)]
    with flight.FlightClient(client.uri) as connection:
        for _ in range(50):
            changed = mutated(client.random.choice(pool), pool, client.random)
            descriptor = flight.FlightDescriptor.for_command(changed)
            try:
                connection.get_flight_info(descriptor)
            except flight.FlightUnavailableError:
                raise
            except (pa.ArrowException, KeyError, NotImplementedError, ValueError) as error:
                if "INTERNAL" in str(error):
                    raise
            client.asked += 1
        connection.do_get(flight.Ticket(LARGE)).read_chunk()


KINDS: dict[str, Callable[[Client], None]] = {
    "flightframe": ours,
    "pyarrow.flight": bare,
    "ADBC + polars": drivers,
    "HTTP": web,
    "hostile": enemy,
}


def main(kind: str, folder: str, port: str, http: str, seed: str) -> None:
    client = Client(World(Path(folder)), int(port), int(http), int(seed))
    client.until_told(KINDS[kind])


if __name__ == "__main__":
    main(*sys.argv[1:])
