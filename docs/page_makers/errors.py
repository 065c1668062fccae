"""The page of every error, from the tree of errors.

What comes in: the classes of the product. What goes out: the page. It must never hold a text of its
own for an error: a docstring says what the error means.
"""

from __future__ import annotations

from flightframe_server.errors import (
    AccessError,
    BackendError,
    CatalogError,
    FlightframeError,
    QueryError,
    SetupError,
    leaves,
)
from page_makers.markdown import HEADER, table

_MOVES: tuple[tuple[type[FlightframeError], str], ...] = (
    (QueryError, "the author of the query"),
    (AccessError, "the caller: credentials"),
    (CatalogError, "the owner of the collection or installation"),
    (SetupError, "the operator, before anything is served"),
    (BackendError, "the operator, while serving"),
    (FlightframeError, "ours: report it with the id it quotes"),
)


def errors_page() -> str:
    """Return the page of every error that a client can meet, in the order of the tree."""
    lines = [
        HEADER,
        "# Errors",
        "",
        "Every failure has a stable code, says whose move it is, and reaches each surface as the"
        " same text:",
        "`CODE: what is wrong (line, column). Hint: what to do`. Over Flight it travels under the"
        " gRPC status, over HTTP under the HTTP status with the body",
        "",
        "```json",
        '{"error": {"code": "UNKNOWN_NAME", "message": "there is no metric or level regoin",',
        '           "hint": "did you mean region or margin?", "line": 1, "column": 8}}',
        "```",
        "",
        "A text never holds a path of the server, a traceback, or more than 80 characters of what"
        " was sent. Codes stay; texts may get better.",
        "",
        *table(
            ("code", "whose move", "gRPC status", "HTTP"),
            (
                (
                    f"[`{error.code}`](#{error.code.lower()})",
                    move(error),
                    str(error.status),
                    str(error.http_status),
                )
                for error in leaves()
            ),
        ),
    ]
    for error in leaves():
        lines += ["", f"## {error.code}", "", f"`{error.__name__}`: {summary(error)}"]
    return "\n".join(lines) + "\n"


def move(error: type[FlightframeError]) -> str:
    """Return whose move it is after an error."""
    return next(words for base, words in _MOVES if issubclass(error, base))


def summary(error: type[FlightframeError]) -> str:
    """Return an error's docstring up to its arguments, as one paragraph."""
    text = (error.__doc__ or "").split("\n\n")[0]
    return " ".join(text.split())
