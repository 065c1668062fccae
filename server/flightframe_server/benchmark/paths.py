"""What is measured: each path to an answer, who else takes it, and what must be reached.

What comes in: nothing. What goes out: the table of paths. It must never hold an address: who
answers is known once everybody is started.
"""

from __future__ import annotations

from dataclasses import dataclass

from flightframe_server.benchmark.dashboard import sessions
from flightframe_server.benchmark.figures import Measure
from flightframe_server.benchmark.questions import Question
from flightframe_server.benchmark.targets import Way

OURS = "flightframe"
BARE = "bare Flight server"
HOOKED = "bare, same hooks"
DUCKDB = "DuckDB in process"
ROAPI = "ROAPI"


@dataclass(frozen=True, slots=True)
class Side:
    """Who is asked, and in which way."""

    name: str
    way: Way
    bypasses_cache: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """What a path must reach against one side.

    Attributes:
        against: the side's name.
        measure: what is compared.
        at_least: the least that the other side's time over ours, or our rate over theirs, may be;
            None: told alone.
        at_most: the most that our time over theirs may be.
        clients: where it counts; empty: for every number of clients.
    """

    against: str
    measure: Measure
    at_least: float | None = None
    at_most: float | None = None
    clients: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """One path to an answer.

    Attributes:
        name: as it is told.
        questions: what everybody is asked, in turns.
        ours: how we are asked.
        others: the other sides.
        goals: what must be reached.
        clients: the numbers of clients at once.
        calls_long: whether one call takes so long that rounds are counted by calls.
    """

    name: str
    questions: tuple[Question, ...]
    ours: Side
    others: tuple[Side, ...]
    goals: tuple[Goal, ...]
    clients: tuple[int, ...] = (1,)
    calls_long: bool = False


REVENUE = Question(
    "SELECT region, SUM(revenue) AS total_revenue AT region",
    "SELECT s.region, SUM(t.revenue) AS total_revenue FROM transactions t"
    " JOIN stores s ON t.store_id = s.store_id GROUP BY s.region ORDER BY s.region",
)
RECEIPTS = Question(
    "SELECT transaction, store, product, day, SUM(revenue) AS revenue, SUM(cost) AS cost,"
    " SUM(units) AS units AT (transaction, store, product, day)",
    "SELECT transaction_id, store_id, sku, day, revenue, cost, quantity FROM transactions",
)


def _hit(way: Way) -> Side:
    return Side(OURS, way)


PATHS = (
    Path(
        "hit in two calls",
        (REVENUE,),
        _hit(Way.TWO_CALLS),
        (Side(HOOKED, Way.TWO_CALLS), Side(BARE, Way.TWO_CALLS)),
        (
            Goal(HOOKED, Measure.RATE, at_least=0.90, clients=(1, 16)),
            Goal(BARE, Measure.RATE, at_least=0.70, clients=(1, 16)),
        ),
        (1, 4, 16, 64),
    ),
    Path(
        "hit in one call",
        (REVENUE,),
        _hit(Way.CLIENT),
        (Side(DUCKDB, Way.IN_PROCESS), Side(HOOKED, Way.ONE_CALL), Side(BARE, Way.ONE_CALL)),
        (
            Goal(DUCKDB, Measure.TIME, at_least=12, clients=(1,)),
            Goal(HOOKED, Measure.RATE),
            Goal(BARE, Measure.RATE),
        ),
        (1, 16),
    ),
    Path(
        "hit, ADBC, new cursor",
        (REVENUE,),
        _hit(Way.ADBC),
        (Side(ROAPI, Way.ADBC),),
        (Goal(ROAPI, Measure.TIME, at_least=25),),
    ),
    Path(
        "hit, ADBC, one cursor",
        (REVENUE,),
        _hit(Way.ADBC_REUSED),
        (Side(ROAPI, Way.ADBC_REUSED),),
        (Goal(ROAPI, Measure.TIME, at_least=30),),
    ),
    Path(
        "hit, many clients",
        (REVENUE,),
        _hit(Way.CLIENT),
        (Side(ROAPI, Way.ADBC_REUSED),),
        (Goal(ROAPI, Measure.RATE, at_least=100),),
        (16,),
    ),
    Path(
        "hit over HTTP, JSON",
        (REVENUE,),
        _hit(Way.HTTP_JSON),
        (Side(DUCKDB, Way.IN_PROCESS),),
        (Goal(DUCKDB, Measure.TIME),),
    ),
    Path(
        "hit over HTTP, Arrow",
        (REVENUE,),
        _hit(Way.HTTP_ARROW),
        (Side(DUCKDB, Way.IN_PROCESS),),
        (Goal(DUCKDB, Measure.TIME),),
    ),
    Path(
        "miss",
        (REVENUE,),
        Side(OURS, Way.CLIENT, bypasses_cache=True),
        (Side(DUCKDB, Way.IN_PROCESS),),
        (Goal(DUCKDB, Measure.TIME, at_most=1.3),),
    ),
    Path(
        "miss, many clients",
        (REVENUE,),
        Side(OURS, Way.CLIENT, bypasses_cache=True),
        (Side(ROAPI, Way.ADBC_REUSED),),
        (Goal(ROAPI, Measure.RATE, at_least=9),),
        (16,),
    ),
    Path(
        "dashboard, 1,000 sessions",
        sessions(),
        _hit(Way.CLIENT),
        (Side(DUCKDB, Way.IN_PROCESS), Side(ROAPI, Way.ADBC_REUSED)),
        (Goal(DUCKDB, Measure.RATE), Goal(ROAPI, Measure.RATE)),
        (1, 16),
    ),
    Path(
        "bulk from memory, ADBC",
        (RECEIPTS,),
        _hit(Way.ADBC),
        (Side(ROAPI, Way.ADBC),),
        (Goal(ROAPI, Measure.TIME, at_most=0.40),),
        calls_long=True,
    ),
    Path(
        "bulk from memory",
        (RECEIPTS,),
        _hit(Way.CLIENT),
        (Side(DUCKDB, Way.IN_PROCESS),),
        (Goal(DUCKDB, Measure.TIME, at_most=2),),
        calls_long=True,
    ),
    Path(
        "bulk past the cache",
        (RECEIPTS,),
        Side(OURS, Way.CLIENT, bypasses_cache=True),
        (Side(DUCKDB, Way.IN_PROCESS),),
        (Goal(DUCKDB, Measure.TIME, at_most=1.6),),
        calls_long=True,
    ),
)
"""Every path, in the order in which it is told."""
