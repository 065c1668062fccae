"""Answers held between GetFlightInfo and DoGet, and the FlightInfo that names each.

What comes in: answers. What goes out: for each a handle, a FlightInfo and the chunks that DoGet
streams. It must never serve another answer under a handle than the one that was planned: what was
let go is refused, not asked again, because the schema that the client holds names the provenance
of the first answer, and a second one has its own.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Answer
from flightframe_server.call_context import Caller
from flightframe_server.errors import TicketRefused
from flightframe_server.flight.handles import Bounds, Handles
from flightframe_server.flight.sql.wire import wrap
from flightframe_server.flight.stream import Chunk, finished_chunks
from flightframe_server.flight.tickets import ResultTicket, encode

RESULT_BOUNDS = Bounds(count=4096, bytes=256 * 1024 * 1024, seconds=300.0)

# How often the provenance is held: in the schema, in the batches, and twice in a FlightInfo.
COPIES = 4
INFOS = 16
INFO_COMMAND_BYTES = 4096


class HeldResult:
    """One answer under its handle.

    Attributes:
        answer: the answer.
        provenance: where it came from, as it travels.
        served_from: its label, for the header.
        owner: the user who may read it.
        handle: its name, once it has one.
        chunks: what DoGet streams; None where the answer runs anew for each reader.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_infos",
        "_seconds",
        "answer",
        "chunks",
        "handle",
        "owner",
        "provenance",
        "served_from",
    )

    def __init__(
        self, answer: Answer, owner: str, seconds: float, clock: Callable[[], float]
    ) -> None:
        """Take the answer's chunks, sharing its memory."""
        self.answer, self.owner = answer, owner
        self._seconds, self._clock = seconds, clock
        self.provenance = answer.provenance.to_bytes()
        self.served_from = str(answer.provenance.served_from)
        self.handle = b""
        self.chunks: list[Chunk] | None = None
        if answer.table is not None:
            self.chunks = finished_chunks(answer, self.provenance)
        self._infos: dict[bytes, tuple[flight.FlightInfo, float]] = {}

    def expiry(self) -> datetime:
        """Return until when the answer is held if it was asked for just now."""
        return datetime.now(UTC) + timedelta(seconds=self._seconds)

    def info(
        self, descriptor: flight.FlightDescriptor, command: bytes, *, flight_sql: bool
    ) -> flight.FlightInfo:
        """Return the FlightInfo of this answer for a command.

        Args:
            descriptor: as received; clients fail on any other.
            command: its bytes, under which the FlightInfo of a hot answer is found again.
            flight_sql: whether the ticket is Flight SQL's, or our own.
        """
        cached = self._infos.get(command)
        now = self._clock()
        if cached is not None and now < cached[1]:
            return cached[0]
        info = self._new_info(descriptor, flight_sql)
        if self.answer.hot and len(command) <= INFO_COMMAND_BYTES:
            # Prepared statements make new command bytes each time; the oldest are of no more use.
            if len(self._infos) >= INFOS:
                self._infos.clear()
            # The expiry in it is fixed: it is given again while most of that time is left.
            self._infos[command] = info, now + self._seconds / 2
        return info

    def _new_info(self, descriptor: flight.FlightDescriptor, flight_sql: bool) -> flight.FlightInfo:
        ticket = (
            wrap(sql.TicketStatementQuery(statement_handle=self.handle))
            if flight_sql
            else encode(ResultTicket(self.handle))
        )
        # No location: read it where it was asked. Never more than one endpoint, nor none: clients
        # take the first for a failure and the second for an empty result.
        endpoint = flight.FlightEndpoint(
            ticket,
            [],
            expiration_time=pa.scalar(self.expiry(), pa.timestamp("ns", "UTC")),
            app_metadata=self.provenance,
        )
        return flight.FlightInfo(
            self.answer.schema,
            descriptor,
            [endpoint],
            self.answer.rows,
            self.answer.bytes,
            ordered=True,
            app_metadata=self.provenance,
        )


class ResultHandles:
    """The answers that GetFlightInfo has named and DoGet has yet to stream.

    Args:
        bounds: how many, how large, how long.
        clock: a clock that never goes back, in seconds.
    """

    def __init__(
        self, bounds: Bounds = RESULT_BOUNDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start empty."""
        self._handles: Handles[HeldResult] = Handles(bounds, clock)
        self._seconds, self._clock = bounds.seconds, clock
        # Found by identity: a hot answer is given again as the very same object while it holds.
        self._hot: weakref.WeakValueDictionary[tuple[int, str], HeldResult] = (
            weakref.WeakValueDictionary()
        )

    def change_bounds(self, bounds: Bounds) -> None:
        """Hold as much as other bounds say."""
        self._handles.change_bounds(bounds)
        self._seconds = bounds.seconds

    def __len__(self) -> int:
        """Return how many answers are held."""
        return len(self._handles)

    def hold(self, answer: Answer, caller: Caller) -> HeldResult:
        """Return the answer under a handle of the caller's: again the same for a hot one."""
        owner = caller.user
        earlier = self._again(answer, owner)
        if earlier is not None and self._handles.get(earlier.handle, owner) is earlier:
            return earlier
        result = HeldResult(answer, owner, self._seconds, self._clock)
        size = (answer.bytes or 0) + COPIES * len(result.provenance)
        result.handle = self._handles.keep(result, size, owner, caller.session, caller.key)
        if answer.hot:
            self._hot[id(answer), owner] = result
        return result

    def hot(self, answer: Answer, caller: Caller) -> HeldResult:
        """Return a hot answer held, for a call that needs no handle."""
        return self._again(answer, caller.user) or self.hold(answer, caller)

    def _again(self, answer: Answer, owner: str) -> HeldResult | None:
        result = self._hot.get((id(answer), owner))
        # The `is` guards against an id that a later object inherited.
        return result if result is not None and result.answer is answer else None

    def drop(self, handle: bytes, caller: Caller) -> None:
        """Forget an answer of the caller's; unknown handles are fine."""
        self._handles.drop(handle, caller.user)

    def drop_of(self, session: bytes) -> None:
        """Forget the answers of a session; one that other calls of its user are given stays."""
        self._handles.drop_of(session, lambda result: result.answer.hot)

    def find(self, handle: bytes, caller: Caller) -> HeldResult:
        """Return what a handle of the caller's names, and hold it as if it were new.

        Raises:
            TicketRefused: the handle is unknown, another user's, or its answer is no longer held.
        """
        result = self._handles.get(handle, caller.user)
        if result is None:
            raise TicketRefused("there is no result of that name, or no longer", hint="ask again")
        return result

    def get(self, handle: bytes, caller: Caller) -> HeldResult:
        """Return what a handle of the caller's names, to be read; raises as `find`."""
        result = self.find(handle, caller)
        if not result.answer.hot:
            self._handles.spend(handle)
        return result
