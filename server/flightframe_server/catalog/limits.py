"""The bounds of an installation: how much one request, one caller and all together may take.

What comes in: nothing, `read_installation` makes these. What goes out: numbers with their defaults,
and the shape of the section `limits` of a manifest. It must never hold a bound that nothing keeps:
each stands in the page of limits, which is written from the shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flightframe_server.catalog.shape_values import Shape
from flightframe_server.language.bounds import MAX_BYTES, MAX_DEPTH

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MAX_REQUEST_BYTES = 4 * MIB
"""What the readers of tickets are made for; an installation may only ask for less."""

MAX_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one installation; what each means stands in `LimitsShape`."""

    query_bytes: int = MAX_BYTES
    request_bytes: int = MAX_REQUEST_BYTES
    message_bytes: int | None = None
    incoming_bytes: int = 128 * MIB
    flight_connections: int = 512
    parse_depth: int = MAX_DEPTH
    concurrent_statements: int = 8
    statements_per_caller: int | None = None
    concurrent_streams: int = 32
    streams_per_caller: int | None = None
    stream_idle_timeout: float = 60.0
    queued_statements: int = 64
    queued_per_caller: int | None = None
    queue_seconds: float = 10.0
    statement_timeout: float = 300.0
    statement_bytes: int = 2 * GIB
    result_rows: int = 100_000_000
    result_bytes: int = 16 * GIB
    json_rows: int = 1_000_000
    json_bytes: int = 256 * MIB
    http_connections: int = 512
    http_requests: int = 256
    requests_per_caller: int | None = None
    event_streams: int = 128
    event_streams_per_caller: int | None = None
    http_head_seconds: float = 10.0
    http_body_seconds: float = 30.0
    handles: int = 4096
    handles_per_caller: int | None = None
    handles_per_session: int = 1024
    handle_bytes: int = 256 * MIB
    prepared_bytes: int = 64 * MIB
    bound_bytes: int = 16 * MIB
    result_seconds: float = 300.0
    prepared_seconds: float = 3600.0
    sessions: int = 10_000
    sessions_per_caller: int | None = None
    session_seconds: float = 3600.0
    memory_bytes: int | None = None
    spill_bytes: int | None = None
    threads: int | None = None
    member_limit: int = 1_000
    outer_rows: int = 1_000_000


def three_quarters(total: int) -> int:
    """Return three quarters of what all callers may do at once, rounded up: the share of one.

    >>> three_quarters(8), three_quarters(1)
    (6, 1)
    """
    return -(-3 * total // 4)


def half(total: int) -> int:
    """Return half of what all callers may hold, rounded up: what one may hold, unless told.

    >>> half(8), half(1)
    (4, 1)
    """
    return -(-total // 2)


def tenth(total: int) -> int:
    """Return a tenth, rounded up: what one caller may have of what is held for long.

    >>> tenth(10_000), tenth(3)
    (1000, 1)
    """
    return -(-total // 10)


DEFAULT_LIMITS = _D = Limits()

LIVE_LIMITS = frozenset(
    {
        *("query_bytes", "request_bytes", "message_bytes", "incoming_bytes", "flight_connections"),
        *("parse_depth", "concurrent_statements", "statements_per_caller", "concurrent_streams"),
        *("streams_per_caller", "queued_statements", "queued_per_caller", "queue_seconds"),
        *("statement_timeout", "statement_bytes", "result_rows", "result_bytes", "handles"),
        *("handles_per_caller", "handles_per_session", "handle_bytes", "prepared_bytes"),
        *("bound_bytes", "result_seconds", "prepared_seconds", "sessions", "sessions_per_caller"),
        *("session_seconds", "stream_idle_timeout", "json_rows", "json_bytes"),
        *("http_connections", "http_requests", "requests_per_caller", "event_streams"),
        *("event_streams_per_caller", "http_body_seconds", "member_limit", "outer_rows"),
    }
)
"""The limits that a reload puts to use; the others are of what is made once: the listening socket
with its handshakes, and the database."""


def checked_seconds(value: Any) -> float:
    """Return a number of seconds above 0 and up to a week; for use inside shapes."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("seconds", "expected a number of seconds")
    if not 0 < value <= MAX_SECONDS:
        raise PydanticCustomError("seconds", "expected more than 0 seconds and at most a week")
    return float(value)


_Seconds = Annotated[Any, AfterValidator(checked_seconds)]


def _count(default: int, meaning: str, maximum: int = 1 << 40) -> int:
    field: int = Field(default=default, ge=1, le=maximum, description=meaning)
    return field


def _seconds(default: float, meaning: str) -> float:
    field: float = Field(default=default, description=meaning)
    return field


def _share(of: str, fraction: str, meaning: str, maximum: int = 1 << 20) -> int | None:
    field: int | None = Field(
        default=None,
        ge=1,
        le=maximum,
        description=f"{meaning}, of one caller; the default is {fraction} of `{of}`",
    )
    return field


class LimitsShape(Shape):
    """The section `limits` of a manifest; the page of limits is written from this."""

    query_bytes: int = _count(_D.query_bytes, "bytes of a query's text", MAX_BYTES)
    request_bytes: int = _count(
        _D.request_bytes,
        "bytes of a ticket, a command, the body of an action or of an HTTP request",
        MAX_REQUEST_BYTES,
    )
    message_bytes: int | None = Field(
        default=None,
        ge=64 * KIB,
        le=1 << 40,
        description="bytes that may have come over one connection of Flight and that no call has"
        " taken: a message is counted as it comes, before anybody is asked for credentials; past"
        " it the connection is ended. The default is twice the larger of `request_bytes` and"
        " `bound_bytes` (Linux only)",
    )
    incoming_bytes: int = _count(
        _D.incoming_bytes,
        "the same, over all connections of Flight together; past it the largest of the address"
        " that has most is ended (Linux only)",
    )
    flight_connections: int = _count(
        _D.flight_connections,
        "connections of Flight; for one more, of the address that has most the one over which"
        " nothing has passed for longest is ended (Linux only)",
        1 << 16,
    )
    parse_depth: int = _count(_D.parse_depth, "levels of an expression", MAX_DEPTH)
    concurrent_statements: int = _count(
        _D.concurrent_statements, "statements that the database works on at once", 1024
    )
    statements_per_caller: int | None = _share(
        "concurrent_statements", "three quarters", "statements at once", 1024
    )
    concurrent_streams: int = _count(
        _D.concurrent_streams,
        "large answers under way at once, those of more than 1 MiB, each at its reader's pace",
        1024,
    )
    streams_per_caller: int | None = _share(
        "concurrent_streams", "three quarters", "large answers at once", 1024
    )
    stream_idle_timeout: _Seconds = _seconds(
        _D.stream_idle_timeout,
        "seconds in which the reader of an answer takes none of it: a large one over Flight then"
        " ends with `TIMEOUT`, over HTTP the connection does",
    )
    queued_statements: int = Field(
        default=_D.queued_statements,
        ge=0,
        le=10_000,
        description="statements that wait for a place, and large answers that do; one more is"
        " refused with `OVERLOADED`",
    )
    queued_per_caller: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="those that wait, of one caller; the default is three quarters of"
        " `queued_statements`",
    )
    queue_seconds: _Seconds = _seconds(_D.queue_seconds, "seconds in the queue, then `OVERLOADED`")
    statement_timeout: _Seconds = _seconds(
        _D.statement_timeout,
        "seconds for all statements of one query, the reading of a large answer included; then"
        " `TIMEOUT`",
    )
    statement_bytes: int = _count(
        _D.statement_bytes, "bytes that one statement may bring into the server's memory"
    )
    result_rows: int = _count(_D.result_rows, "rows of an answer")
    result_bytes: int = _count(_D.result_bytes, "bytes of an answer's columns")
    json_rows: int = _count(_D.json_rows, "rows of an answer as JSON over HTTP")
    json_bytes: int = _count(_D.json_bytes, "bytes of an answer over HTTP, as JSON or as Arrow")
    http_connections: int = _count(
        _D.http_connections,
        "connections over HTTP; for one more, that which waits longest for a request is closed",
        1 << 16,
    )
    http_requests: int = _count(
        _D.http_requests,
        "requests over HTTP under way at once, those for health not counted; one more is refused"
        " with `OVERLOADED`",
        1 << 16,
    )
    requests_per_caller: int | None = _share(
        "http_requests", "three quarters", "requests over HTTP at once", 1 << 16
    )
    event_streams: int = _count(
        _D.event_streams,
        "listeners to the events of the engine at once; one more is refused with `OVERLOADED`",
        1 << 16,
    )
    event_streams_per_caller: int | None = _share(
        "event_streams", "a tenth", "listeners to those events", 1 << 16
    )
    http_head_seconds: _Seconds = _seconds(
        _D.http_head_seconds,
        "seconds for the TLS handshake of a connection over HTTP, and for the head of each of its"
        " requests; then it is closed",
    )
    http_body_seconds: _Seconds = _seconds(
        _D.http_body_seconds,
        "seconds for the body of a request over HTTP; then it is refused, with status 408",
    )
    handles: int = _count(_D.handles, "answers held for DoGet, and prepared statements", 1 << 20)
    handles_per_caller: int | None = _share(
        "handles", "half", "answers held for DoGet, and prepared statements"
    )
    handles_per_session: int = _count(
        _D.handles_per_session,
        "those of one session, or of one user's calls outside of any",
        1 << 20,
    )
    handle_bytes: int = _count(
        _D.handle_bytes, "bytes of the answers held for DoGet; half of them for one caller"
    )
    prepared_bytes: int = _count(
        _D.prepared_bytes,
        "bytes of the prepared statements with the rows bound to them, 128 for each value"
        " included; half of them for one caller",
    )
    bound_bytes: int = _count(
        _D.bound_bytes,
        "bytes of the rows bound to one prepared statement, 128 for each value included",
    )
    result_seconds: _Seconds = _seconds(
        _D.result_seconds, "seconds that an answer is held after its last use"
    )
    prepared_seconds: _Seconds = _seconds(
        _D.prepared_seconds, "seconds that a prepared statement is held after its last use"
    )
    sessions: int = _count(_D.sessions, "sessions with options set", 1 << 20)
    sessions_per_caller: int | None = _share("sessions", "a tenth", "sessions with options set")
    session_seconds: _Seconds = _seconds(
        _D.session_seconds, "seconds that a session's options are held after its last use"
    )
    memory_bytes: int | None = Field(
        default=None,
        ge=16 * MIB,
        description="memory of the database (DuckDB); the default is half of the machine's",
    )
    spill_bytes: int | None = Field(
        default=None,
        ge=0,
        description="disk beside the database's file for what does not fit into its memory"
        " (DuckDB); the default is 10 GiB",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="threads of the database (DuckDB); the default is one for each core",
    )

    def limits(self, sql: SqlShape) -> Limits:
        """Return the bounds as the product carries them, those of the section `sql` included."""
        return Limits(**self.model_dump(), **sql.model_dump(include=set(SqlShape.model_fields)))


class SqlShape(Shape):
    """The section `sql` of a manifest; the page of limits is written from this."""

    member_limit: int = _count(
        _D.member_limit,
        "members that a question inside a condition may give: `IN (SELECT ...)`, a joined top n,"
        " `WHERE x @ level > 2`",
        100_000,
    )
    outer_rows: int = _count(
        _D.outer_rows,
        "rows of an answer that a further step of SQL reads, a join or a window, say; and of what"
        " such a step gives",
        100_000_000,
    )
