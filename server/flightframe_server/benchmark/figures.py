"""What the times of calls come to: medians, tails, rates, and how two sides compare.

What comes in: times. What goes out: figures. It must never read a clock.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class RoundTimes:
    """The calls of one side in one round, those of all its clients together.

    Attributes:
        nanoseconds: of each call.
        seconds: how long the round took.
        client_cpu_seconds: processor time of all clients.
        server_cpu_seconds: processor time of the server; None where there is none, or it is not
            known.
    """

    nanoseconds: tuple[int, ...]
    seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One side in one round.

    Attributes:
        p50_ms: half of the calls took no longer.
        p99_ms: 99 of 100 calls took no longer.
        per_second: calls a second, of all clients together.
        client_us: processor time of the clients for one call, in microseconds.
        server_us: that of the server.
    """

    p50_ms: float
    p99_ms: float
    per_second: float
    client_us: float
    server_us: float | None


class Measure(StrEnum):
    """What of two sides is compared."""

    TIME = "p50"
    TAIL = "p99"
    RATE = "q/s"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How two sides compare over several rounds of one run.

    Attributes:
        median: of the rounds' ratios.
        low: the least of them.
        high: the greatest of them.
    """

    median: float
    low: float
    high: float


def figures_of(times: RoundTimes) -> Figures:
    """Return the figures of one round.

    >>> figures_of(RoundTimes((1_000_000, 3_000_000, 2_000_000), 0.006, 0.003)).p50_ms
    2.0
    """
    ordered = sorted(times.nanoseconds)
    calls = len(ordered)
    server = times.server_cpu_seconds
    return Figures(
        p50_ms=statistics.median(ordered) / 1e6,
        p99_ms=ordered[min(calls - 1, calls * 99 // 100)] / 1e6,
        per_second=calls / times.seconds,
        client_us=times.client_cpu_seconds * MICROSECONDS / calls,
        server_us=None if server is None else server * MICROSECONDS / calls,
    )


def measure_of(figures: Figures, measure: Measure) -> float:
    """Return one of the figures."""
    match measure:
        case Measure.TIME:
            return figures.p50_ms
        case Measure.TAIL:
            return figures.p99_ms
        case Measure.RATE:
            return figures.per_second


def ratio(ours: Sequence[Figures], others: Sequence[Figures], measure: Measure) -> Ratio:
    """Return our figure over the other side's, round by round.

    Args:
        ours: our figures, a round each.
        others: those of the other side in the same rounds.
        measure: what is compared.
    """
    rounds = [
        measure_of(one, measure) / measure_of(other, measure)
        for one, other in zip(ours, others, strict=True)
    ]
    return Ratio(statistics.median(rounds), min(rounds), max(rounds))


def inverted(found: Ratio) -> Ratio:
    """Return the ratio of the other side to ours.

    >>> inverted(Ratio(0.5, 0.25, 1.0))
    Ratio(median=2.0, low=1.0, high=4.0)
    """
    return Ratio(1 / found.median, 1 / found.high, 1 / found.low)
