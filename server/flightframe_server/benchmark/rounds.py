"""Several sides asked in turns, each by the same number of clients, each client a process.

What comes in: targets by name. What goes out: for each of them its times, round by round. It must
never time two sides at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from flightframe_server.benchmark.figures import RoundTimes
from flightframe_server.benchmark.processes import cpu_seconds
from flightframe_server.benchmark.targets import Target
from flightframe_server.errors import SetupError

Expected = tuple[str, object]
"""A question, and the digest that its answer must have."""
WORKER = "flightframe_server.benchmark.load_worker"


class Client:
    """One client as a process.

    Args:
        target: who is asked, and what.
        expected: questions that it asks first, each with the digest of its answer.
        begins: with which of its questions it begins.
    """

    def __init__(self, target: Target, expected: Sequence[Expected], begins: int = 0) -> None:
        """Start it; `ready` waits for it."""
        self._target = target
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._tell(target.to_json())
        self._tell(json.dumps(expected))
        self._tell(json.dumps(begins))

    def ready(self) -> None:
        """Wait until its answers are checked.

        Raises:
            SetupError: it could not be asked, or its values are not those expected.
        """
        self._heard()

    def begin(self, seconds: float) -> None:
        """Let it ask for so many seconds."""
        self._tell(json.dumps(seconds))

    def end(self) -> dict[str, Any]:
        """Wait for the times of what `begin` began; raises as `ready`."""
        return self._heard()

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._process.kill()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("it has ended") from None

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            told = self._process.stderr.read().strip().splitlines()
            raise self._failure(told[-1] if told else "it has ended")
        facts: dict[str, Any] = json.loads(line)
        if "failure" in facts:
            raise self._failure(str(facts["failure"]))
        return facts

    def _failure(self, why: str) -> SetupError:
        return SetupError(f"{self._target.way} at {self._target.address}: {why}")


@contextmanager
def clients_of(target: Target, count: int, digests: Sequence[object]) -> Iterator[list[Client]]:
    """Start so many clients of one target, each of which has had an answer.

    Args:
        target: who is asked.
        count: how many.
        digests: what the answers to its questions must have, each question once.

    Raises:
        SetupError: one of them has not.
    """
    known = dict(zip(dict.fromkeys(target.questions), digests, strict=True))
    with ExitStack() as stack:
        clients = []
        for nth in range(count):
            # The first asks every question once; each begins elsewhere, as people do.
            begins = nth * len(target.questions) // count
            asked = [target.questions[begins]] if nth else list(known)
            client = Client(target, [(text, known[text]) for text in asked], begins)
            stack.callback(client.close)
            clients.append(client)
        for client in clients:
            client.ready()
        yield clients


def run_round(clients: Sequence[Client], seconds: float, server: int | None) -> RoundTimes:
    """Let some clients ask at once for so many seconds.

    Args:
        clients: those of one target.
        seconds: how long.
        server: the process that answers them; None: they answer themselves.
    """
    cpu, began = cpu_seconds(server), time.perf_counter()
    for client in clients:
        client.begin(seconds)
    heard = [client.end() for client in clients]
    took, after = time.perf_counter() - began, cpu_seconds(server)
    return RoundTimes(
        tuple(one for facts in heard for one in facts["nanoseconds"]),
        max([took, *(facts["seconds"] for facts in heard)])
        if len(clients) > 1
        else heard[0]["seconds"],
        sum(facts["cpu_seconds"] for facts in heard),
        None if cpu is None or after is None else after - cpu,
    )


def in_turns(
    targets: Mapping[str, Target],
    servers: Mapping[str, int],
    digests: Sequence[object],
    *,
    clients: int,
    rounds: int,
    seconds: float,
) -> dict[str, list[RoundTimes]]:
    """Ask each target in each round, one after the other.

    Args:
        targets: who is asked, by name.
        servers: the processes that answer, by the same names.
        digests: what the answers to their questions must have, the same for all, in their order.
        clients: how many ask each of them at once.
        rounds: how many rounds.
        seconds: how long each is asked in a round.

    Raises:
        SetupError: one of them cannot be asked, or answers other values.
    """
    times: dict[str, list[RoundTimes]] = {name: [] for name in targets}
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(clients_of(target, clients, digests))
            for name, target in targets.items()
        }
        for turn in range(rounds):
            # Who is asked first changes, so that nobody always follows the same one.
            names = list(started)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                times[name].append(run_round(started[name], seconds, servers.get(name)))
    return times
