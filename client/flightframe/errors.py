"""Everything that can go wrong for a caller of the client, as one tree.

    FlightframeError                     also exported as `Error`
    ├── QueryError                       the author of the query can act
    ├── CatalogError                     the owner of the collection can act
    ├── BackendError                     the operator can act; also: it took too long, was cancelled
    ├── InternalError                    a broken invariant of the server
    ├── ConnectionFailed                 no server answers, or the connection is closed
    ├── AuthenticationFailed             the credentials are missing, wrong or not enough
    ├── ProtocolError                    what answered does not speak as a flightframe server does
    ├── ArgumentError                    (ValueError) a call was made wrongly; nothing was sent
    ├── ResultConsumed                   the rows of a result have been streamed, or it was closed
    └── MissingPackage                   (ImportError) an optional package is not installed

What comes in: the code and text of one failure. What goes out: exceptions with the same fields. It
must never import pyarrow: callers tell failures apart without knowing what carries the data.
"""

from __future__ import annotations


class FlightframeError(Exception):
    """Base of every error of the client; itself raised only for codes that it does not know.

    Attributes:
        code: stable, such as `UNKNOWN_NAME`; the server's codes and a few of the client's own.
        message: one sentence that says what is wrong.
        hint: what can be done about it; None where there is nothing to say.
        line: line of the query text, from 1; None where no place is known.
        column: column of the query text, from 1; None where no place is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        """Keep the facts; see the class for their meaning."""
        super().__init__(code, message, hint, line, column)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """Return code, message, place and hint in one line."""
        where = "" if self.line is None else f" (line {self.line}, column {self.column})"
        hint = f" Hint: {self.hint}" if self.hint else ""
        return f"{self.code}: {self.message}{where}.{hint}"


class QueryError(FlightframeError):
    """The query cannot be answered as asked; its author can act."""


class CatalogError(FlightframeError):
    """A collection or installation is declared wrongly; its owner can act."""


class BackendError(FlightframeError):
    """The database did not answer, took too long, or was stopped; the operator can act."""


class InternalError(FlightframeError):
    """A broken invariant of the server; quote its text when reporting it."""


class ConnectionFailed(FlightframeError):
    """No server answers at the address, the connection broke, or it has been closed."""


class AuthenticationFailed(FlightframeError):
    """The server refused the credentials, or they do not allow what was asked."""


class ProtocolError(FlightframeError):
    """What answered does not speak as a flightframe server does."""


class ArgumentError(FlightframeError, ValueError):
    """A call was made with arguments that cannot be right; nothing was sent."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep what is wrong with the arguments, under the code ARGUMENT."""
        super().__init__("ARGUMENT", message, hint)

    def __reduce__(self) -> tuple[type[ArgumentError], tuple[str, str | None]]:
        """Pickle by this class's own two arguments."""
        return type(self), (self.message, self.hint)


class ResultConsumed(FlightframeError):
    """The rows of a result are gone: they have been streamed, or the result was closed."""


class MissingPackage(FlightframeError, ImportError):
    """An optional package is not installed; the hint is the line that installs it."""
