"""Everything that can go wrong, as one tree with stable codes.

    FlightframeError                     abstract: refuses to be raised itself
    ├── QueryError                       the author of the query can act
    │   ├── FrameQLSyntaxError           PARSE
    │   ├── UnknownName                  UNKNOWN_NAME
    │   ├── AmbiguousMetric              AMBIGUOUS_METRIC
    │   ├── AmbiguousReducer             AMBIGUOUS_REDUCER
    │   ├── AmbiguousSchema              AMBIGUOUS_SCHEMA
    │   ├── LevelNotInAnchor             LEVEL_NOT_IN_ANCHOR
    │   ├── LevelNotSelected             LEVEL_NOT_SELECTED
    │   ├── UnreachableAnchor            UNREACHABLE_ANCHOR
    │   ├── BlockedReduction             BLOCKED_REDUCTION
    │   ├── NotFiner                     NOT_FINER
    │   ├── AmbiguousPath                AMBIGUOUS_PATH
    │   ├── ReducerNotDeclared           REDUCER_NOT_DECLARED
    │   ├── FanOut                       FAN_OUT
    │   ├── FDViolation                  FD_VIOLATION
    │   ├── SiblingDiffers               SIBLING_DIFFERS
    │   ├── FilterUnreachable            FILTER_UNREACHABLE
    │   ├── TypeMismatch                 TYPE
    │   ├── ArithmeticOverflow           OVERFLOW
    │   ├── LimitExceeded                LIMIT_EXCEEDED
    │   ├── NotSupported                 NOT_SUPPORTED
    │   ├── NotCached                    NOT_CACHED
    │   ├── TicketRefused                TICKET
    │   ├── CallNotAnswered              UNIMPLEMENTED
    │   └── ReadOnly                     READ_ONLY
    ├── AccessError                      the caller can act: credentials
    │   ├── NotAuthenticated             UNAUTHENTICATED
    │   ├── TooManyAttempts              TOO_MANY_ATTEMPTS
    │   └── NotPermitted                 NOT_PERMITTED
    ├── CatalogError                     CATALOG: the owner of the collection or installation
    ├── SetupError                       SETUP: the operator, before anything is served
    ├── BackendError                     BACKEND: the operator, while serving
    │   ├── BackendTimeout               TIMEOUT
    │   ├── BackendCancelled             CANCELLED
    │   └── Overloaded                   OVERLOADED
    └── InternalError                    INTERNAL: ours, a broken invariant

What comes in: facts about one failure. What goes out: one short text, a stable code, a place, a
hint, and the gRPC and HTTP status that a surface answers with. It must never hold a path of the
server, a traceback, or more than 80 characters of what a client sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from flightframe_server.error_base import FlightframeError as FlightframeError
from flightframe_server.error_place import NOWHERE as NOWHERE
from flightframe_server.error_place import Place as Place
from flightframe_server.error_place import Status as Status
from flightframe_server.error_text import ECHO_LIMIT as ECHO_LIMIT
from flightframe_server.error_text import did_you_mean as did_you_mean
from flightframe_server.error_text import more_mistakes
from flightframe_server.error_text import shown as shown


class QueryError(FlightframeError):
    """The query cannot be answered as asked; its author can act. Abstract."""

    status = Status.INVALID_ARGUMENT
    http_status = 400


class FrameQLSyntaxError(QueryError):
    """The text is not Frame-QL."""

    code = "PARSE"


class UnknownName(QueryError):
    """A level, family, schema or function of that name does not exist."""

    code = "UNKNOWN_NAME"
    http_status = 404


class AmbiguousMetric(QueryError):
    """A metric name means more than one family."""

    code = "AMBIGUOUS_METRIC"


class AmbiguousReducer(QueryError):
    """A bare metric has several reducers and no default."""

    code = "AMBIGUOUS_REDUCER"


class AmbiguousSchema(QueryError):
    """The rows that a query speaks of could come from several schemas."""

    code = "AMBIGUOUS_SCHEMA"


class LevelNotInAnchor(QueryError):
    """A selected level is not part of the anchor."""

    code = "LEVEL_NOT_IN_ANCHOR"


class LevelNotSelected(QueryError):
    """Some levels of the anchor are selected and others are not."""

    code = "LEVEL_NOT_SELECTED"


class UnreachableAnchor(QueryError):
    """No declared path leads from the rows to a level of the anchor, or to the one counted."""

    code = "UNREACHABLE_ANCHOR"


class BlockedReduction(QueryError):
    """The reducer may not collapse a level that the anchor leaves out."""

    code = "BLOCKED_REDUCTION"


class NotFiner(QueryError):
    """A reducer over an anchor of its own is given no level that the answer's anchor leaves out."""

    code = "NOT_FINER"


class AmbiguousPath(QueryError):
    """Two ways lead from the rows to one level, and they disagree on the current data."""

    code = "AMBIGUOUS_PATH"
    http_status = 409


class ReducerNotDeclared(QueryError):
    """The family does not declare the reducer."""

    code = "REDUCER_NOT_DECLARED"


class FanOut(QueryError):
    """The only path to a level would count facts more than once."""

    code = "FAN_OUT"


class FDViolation(QueryError):
    """The data breaks a functional dependency that the answer needs."""

    code = "FD_VIOLATION"
    http_status = 409


class SiblingDiffers(QueryError):
    """A sibling table disagrees with the family's root on the current data."""

    code = "SIBLING_DIFFERS"
    http_status = 409


class FilterUnreachable(QueryError):
    """A metric of the query cannot reach a level that WHERE names."""

    code = "FILTER_UNREACHABLE"


class TypeMismatch(QueryError):
    """Values of these types do not go together."""

    code = "TYPE"


class ArithmeticOverflow(QueryError):
    """A value does not fit its declared type."""

    code = "OVERFLOW"
    http_status = 422


class LimitExceeded(QueryError):
    """A bound on text, depth, rows, bytes or handles was passed."""

    code = "LIMIT_EXCEEDED"
    http_status = 413


class NotSupported(QueryError):
    """The language has the construct; this version does not answer it."""

    code = "NOT_SUPPORTED"
    http_status = 501


class NotCached(QueryError):
    """`only_if_cached` was asked and some part is not in the cache."""

    code = "NOT_CACHED"
    status = Status.NOT_FOUND
    http_status = 504


class TicketRefused(QueryError):
    """A ticket or handle is forged, expired, or can no longer be served as planned."""

    code = "TICKET"
    status = Status.NOT_FOUND
    http_status = 404


class CallNotAnswered(QueryError):
    """The protocol has the call; this server does not answer it, and clients fall back."""

    code = "UNIMPLEMENTED"
    status = Status.UNIMPLEMENTED
    http_status = 501


class ReadOnly(QueryError):
    """A text or a call would change something, and this server only reads."""

    code = "READ_ONLY"
    status = Status.PERMISSION_DENIED
    http_status = 403


class AccessError(FlightframeError):
    """The caller is not let in. Abstract."""

    status = Status.UNAUTHENTICATED
    http_status = 401


class NotAuthenticated(AccessError):
    """Credentials are missing, wrong, or no longer good; the text never says which part of them."""

    code = "UNAUTHENTICATED"


class TooManyAttempts(AccessError):
    """Too many wrong passwords came from one place; a wait cures it."""

    code = "TOO_MANY_ATTEMPTS"
    http_status = 429


class NotPermitted(AccessError):
    """The call would change something, and this caller, or this page, may not."""

    code = "NOT_PERMITTED"
    status = Status.PERMISSION_DENIED
    http_status = 403


class CatalogError(FlightframeError):
    """A collection or installation file is wrong; its owner can act.

    Args:
        message: what is wrong.
        file: the file's name (never its folder).
        path: the place inside the document, such as `metric_families[2].family_root.schema`.
        line: the line in the file, from 1; 0 where unknown.
        hint: what to write instead.
        others: what else is wrong; the hint then counts them.

    Attributes:
        text: the message alone, without the place.
        advice: the hint alone, without the count.
    """

    code = "CATALOG"
    status = Status.INVALID_ARGUMENT
    http_status = 422

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        path: str = "",
        line: int = 0,
        hint: str | None = None,
        others: Sequence[CatalogError] = (),
    ) -> None:
        """Keep the facts; see the class for their meaning."""
        self.file, self.path, self.line = file, path, line
        where = ", ".join(part for part in (file, f"line {line}" if line else "", path) if part)
        more = more_mistakes(other.file == file for other in others)
        super().__init__(
            f"{where}: {message}" if where else message,
            hint=" ".join(part for part in (hint, more) if part) or None,
            details={"file": file, "path": path, "line": line},
        )
        self.others = tuple(others)
        self.text, self.advice = message, hint

    @classmethod
    def of_all(cls, mistakes: Sequence[CatalogError]) -> CatalogError:
        """Return one error that tells the first of several mistakes and carries all of them."""
        every = [single for mistake in mistakes for single in mistake.each()]
        first, *others = every
        message, hint = first.text, first.advice
        return cls(
            message, file=first.file, path=first.path, line=first.line, hint=hint, others=others
        )

    def each(self) -> tuple[CatalogError, ...]:
        """Return every mistake as an error of its own, this one first."""
        if not self.others:
            return (self,)
        alone = CatalogError(
            self.text, file=self.file, path=self.path, line=self.line, hint=self.advice
        )
        return (alone, *self.others)


class SetupError(FlightframeError):
    """The server cannot start as told: a missing file, a port in use, a store it may not write."""

    code = "SETUP"
    status = Status.UNAVAILABLE
    http_status = 503


class BackendError(FlightframeError):
    """The database did not answer as it should; the operator can act."""

    code = "BACKEND"
    status = Status.UNAVAILABLE
    http_status = 502


class BackendTimeout(BackendError):
    """The statement ran past its deadline and was stopped."""

    code = "TIMEOUT"
    status = Status.DEADLINE_EXCEEDED
    http_status = 504


class BackendCancelled(BackendError):
    """The statement was stopped because its client gave up."""

    code = "CANCELLED"
    status = Status.CANCELLED
    http_status = 499


class Overloaded(BackendError):
    """More wait than may, for the database or another thing that many want; ask again soon."""

    code = "OVERLOADED"
    status = Status.UNAVAILABLE
    http_status = 503


class InternalError(FlightframeError):
    """A broken invariant of ours. Its text tells the reader nothing but an id to quote."""

    code = "INTERNAL"


def leaves(root: type[FlightframeError] = FlightframeError) -> list[type[FlightframeError]]:
    """Return every class that can be raised, in the order of the tree."""
    classes = [root] if root.code else []
    for child in root.__subclasses__():
        classes.extend(leaves(child))
    return classes
