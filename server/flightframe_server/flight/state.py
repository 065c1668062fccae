"""What one Flight server holds beside the installation it serves.

What comes in: an installation and bounds. What goes out: the things that its calls share. It must
never hold anything of one caller's that another can reach without a handle of random bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flightframe_server.answer import Runtime
from flightframe_server.catalog.limits import Limits, half
from flightframe_server.flight.handles import Bounds
from flightframe_server.flight.result_handles import RESULT_BOUNDS, ResultHandles
from flightframe_server.flight.sessions import Sessions
from flightframe_server.flight.sql.prepared import PREPARED_BOUNDS, PreparedStatements
from flightframe_server.sql.tables import PublishedTables


@dataclass(frozen=True, slots=True)
class FlightBounds:
    """How much a Flight server holds for its clients: answers and prepared statements."""

    results: Bounds = RESULT_BOUNDS
    prepared: Bounds = PREPARED_BOUNDS

    @classmethod
    def within(cls, limits: Limits) -> FlightBounds:
        """Return what an installation's limits allow."""
        count, of_one = limits.handles, limits.handles_per_session
        of_caller = limits.handles_per_caller or half(count)
        return cls(
            Bounds(
                count,
                limits.handle_bytes,
                limits.result_seconds,
                of_one,
                of_caller=of_caller,
                bytes_of_caller=half(limits.handle_bytes),
            ),
            Bounds(
                count,
                limits.prepared_bytes,
                limits.prepared_seconds,
                of_one,
                refuses=True,
                of_caller=of_caller,
                bytes_of_caller=half(limits.prepared_bytes),
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FlightState:
    """What the calls of one server share.

    Attributes:
        runtime: the installation.
        results: answers between GetFlightInfo and DoGet.
        prepared: prepared statements.
        tables: what tools see as tables.
        sessions: the options that clients have set.
        secure: whether clients speak TLS with this server.
    """

    runtime: Runtime
    results: ResultHandles
    prepared: PreparedStatements
    tables: PublishedTables
    sessions: Sessions
    secure: bool = False

    def change_bounds(self, bounds: FlightBounds) -> None:
        """Hold as much for clients as other bounds say."""
        self.results.change_bounds(bounds.results)
        self.prepared.change_bounds(bounds.prepared)

    @contextmanager
    def pinned(self) -> Iterator[FlightState]:
        """Yield the state as one call sees it: with one set of engines to its end."""
        with self.runtime.pinned() as pinned:
            yield replace(self, runtime=pinned, tables=self.tables.on(pinned))

    def forget(self, session: bytes) -> None:
        """Let go what a session that has ended had under handles."""
        self.results.drop_of(session)
        self.prepared.drop_of(session)

    @classmethod
    def of(
        cls,
        runtime: Runtime,
        bounds: FlightBounds | None,
        *,
        cookies: bool = True,
        secure: bool = False,
    ) -> FlightState:
        """Return the state of a server that begins.

        Args:
            runtime: the installation.
            bounds: how much is held; None: what the limits allow, also when those change.
            cookies: see `Sessions`.
            secure: whether clients speak TLS with this server.
        """
        tables, statements = PublishedTables(runtime), runtime.statements
        first_bounds = bounds or FlightBounds.within(statements.limits)
        state = cls(
            runtime,
            ResultHandles(first_bounds.results),
            PreparedStatements(runtime, tables, first_bounds.prepared),
            tables,
            Sessions(runtime, cookies=cookies),
            secure,
        )
        if bounds is None:
            statements.follow_limits(
                lambda limits: state.change_bounds(FlightBounds.within(limits))
            )
        return state
