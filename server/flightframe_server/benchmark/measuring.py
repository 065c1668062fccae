"""Each path measured, and what came of it.

What comes in: everybody who answers, and how long to ask. What goes out: results, one for each path
and number of clients. It must never tell a figure of a side whose values it did not check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flightframe_server.benchmark.callers import asking, digests
from flightframe_server.benchmark.figures import (
    Figures,
    Measure,
    Ratio,
    figures_of,
    inverted,
    ratio,
)
from flightframe_server.benchmark.paths import DUCKDB, Goal, Path, Side
from flightframe_server.benchmark.questions import Question
from flightframe_server.benchmark.rounds import in_turns
from flightframe_server.benchmark.targets import Target, Way
from flightframe_server.benchmark.world import World
from flightframe_server.errors import SetupError

LONG_CALLS = 3
"""How many times as long a round is where one call takes long."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured.

    Attributes:
        rounds: how many.
        seconds: of each side in a round.
        most_clients: paths with more clients at once are left out.
    """

    rounds: int
    seconds: float
    most_clients: int


QUICK = Effort(rounds=3, seconds=0.5, most_clients=16)
FULL = Effort(rounds=7, seconds=2.0, most_clients=64)


@dataclass(frozen=True, slots=True)
class Compared:
    """How we compare with one side.

    Attributes:
        goal: what must be reached.
        ratio: the other side's time over ours, or our rate over theirs; with `at_most`, our time
            over theirs.
        met: whether it is reached; None: nothing must be.
    """

    goal: Goal
    ratio: Ratio
    met: bool | None

    @property
    def times_as_fast(self) -> Ratio:
        """How many times as fast we are, whichever way the goal is told."""
        is_our_time = self.goal.measure is not Measure.RATE and self.goal.at_most is not None
        return inverted(self.ratio) if is_our_time else self.ratio

    @property
    def wanted(self) -> float | None:
        """How many times as fast we must be; None: nothing must be reached here."""
        if self.met is None:
            return None
        return 1 / self.goal.at_most if self.goal.at_most is not None else self.goal.at_least


@dataclass(frozen=True, slots=True)
class PathResult:
    """What came of a path with one number of clients.

    Attributes:
        path: its name.
        clients: how many asked at once.
        figures: of each side, round by round.
        compared: how we compare.
        absent: why a side was not asked, by its name.
    """

    path: str
    clients: int
    figures: dict[str, list[Figures]]
    compared: tuple[Compared, ...]
    absent: dict[str, str]


def measured(world: World, paths: Iterable[Path], effort: Effort) -> Iterator[PathResult]:
    """Yield what comes of each path, as soon as it is known.

    Args:
        world: who answers.
        paths: what is measured.
        effort: how long.

    Raises:
        SetupError: somebody gives other values than the database, or ends.
    """
    for path in paths:
        expected = expected_of(world, path.questions)
        for clients in path.clients:
            if clients <= effort.most_clients:
                yield _result(world, path, effort, clients, expected)


def expected_of(world: World, questions: Sequence[Question]) -> list[object]:
    """Return the digests of what the database itself answers."""
    target = world.target(Side(DUCKDB, Way.IN_PROCESS), questions)
    with asking(target) as ask:
        return digests(ask, target)


def _result(
    world: World, path: Path, effort: Effort, clients: int, expected: Sequence[object]
) -> PathResult:
    absent = {
        side.name: why
        for side in (path.ours, *path.others)
        if (why := world.why_not(side)) is not None
    }
    present = [side for side in (path.ours, *path.others) if side.name not in absent]
    if path.ours.name in absent or len(present) == 1:
        return PathResult(path.name, clients, {}, (), absent)
    targets: dict[str, Target] = {side.name: world.target(side, path.questions) for side in present}
    seconds = effort.seconds * (LONG_CALLS if path.calls_long else 1)
    try:
        times = in_turns(
            targets, world.pids, expected, clients=clients, rounds=effort.rounds, seconds=seconds
        )
    except SetupError as error:
        raise SetupError(f"{path.name}: {error.message}") from error
    figures = {name: [figures_of(one) for one in rounds] for name, rounds in times.items()}
    goals = [goal for goal in path.goals if goal.against in figures]
    return PathResult(
        path.name,
        clients,
        figures,
        tuple(compared(path.ours.name, goal, figures, clients) for goal in goals),
        absent,
    )


def compared(ours: str, goal: Goal, figures: dict[str, list[Figures]], clients: int) -> Compared:
    """Return how we compare with one side, and whether that is enough."""
    found = ratio(figures[ours], figures[goal.against], goal.measure)
    if goal.measure is not Measure.RATE and goal.at_most is None:
        found = inverted(found)
    if goal.clients and clients not in goal.clients:
        return Compared(goal, found, None)
    met: bool | None = None
    if goal.at_least is not None:
        met = found.median >= goal.at_least
    if goal.at_most is not None:
        met = found.median <= goal.at_most
    return Compared(goal, found, met)
