"""The page of the HTTP API, from the table of its operations.

What comes in: the table, and an example of each. What goes out: the page. It must never hold an
example that the tests do not send.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from flightframe_server.web.description.examples import EXAMPLES, Example
from flightframe_server.web.description.operation import Operation
from flightframe_server.web.description.operations import SECTIONS
from page_makers.markdown import HEADER, table

WIDTH = 90

_INTRODUCTION = (
    "# The HTTP API",
    "",
    "A server describes it itself: `/docs` to be read, `/openapi.json` (OpenAPI 3.1) for programs."
    " Both are",
    "made from the table that this page is made from, and so are the routes.",
    "",
    "- **Bodies and replies** are JSON in UTF-8. An unknown key is refused, in a body as in an"
    " address.",
    '- **A failure** is `{"error": {"code": …, "message": …, "hint": …}}` with a status from'
    " [errors](errors.md).",
    "- **Every reply** has the header `x-request-id`, under which the log knows what was refused.",
    "- **Credentials**, where the installation asks for them, are Basic, Bearer or the cookie of"
    " `/runtime/login`",
    "  ([security](security.md#users-and-tokens)). A 401 brings the Basic challenge, so that a"
    " browser asks,",
    "  unless the request has the header `X-Flightframe`: the page asks itself.",
    "- **What changes something** needs the header `X-Flightframe: 1`, which no other site's page"
    " can send, and",
    "  what changes what all are served needs an operator: `server.auth.operators`, or any caller"
    " where no",
    "  credentials are asked for. `NOT_PERMITTED` says which is missing.",
    "- **Pages elsewhere** may ask where `server.cors_origins` lists their origin; they send"
    " credentials of their own.",
    "- **A client that hangs up** is worked for no longer. How many requests may be under way, and"
    " how large",
    "  each may be, the [limits](limits.md) say.",
    "",
    "In the replies below, `…` stands for a value that is not shown.",
)


def http_page() -> str:
    """Return the page of every operation, section by section."""
    rows = [
        (f"[`{one.method} {one.path}`](#{_anchor(one)})", one.summary)
        for _, operations in SECTIONS
        for one in operations
    ]
    lines = [HEADER, *_INTRODUCTION, "", *table(("operation", ""), rows)]
    for title, operations in SECTIONS:
        lines += ["", f"## {title}"]
        for operation in operations:
            lines += ["", *_section(operation)]
    return "\n".join(lines) + "\n"


def _anchor(operation: Operation) -> str:
    """Return the anchor of a section, as GitHub makes it of the heading."""
    heading = f"{operation.method} {operation.path}".lower()
    kept = "".join(letter for letter in heading if letter.isalnum() or letter in "_- ")
    return kept.replace(" ", "-")


def _section(operation: Operation) -> Iterator[str]:
    yield f"### `{operation.method} {operation.path}`"
    yield ""
    yield f"{_sentence(operation.summary)} {operation.about}".rstrip()
    notes = list(_notes(operation))
    if notes:
        yield ""
        yield from (f"- {note}" for note in notes)
    if operation.keys:
        yield ""
        yield from table(
            ("in the address", ""), [(f"`{key.name}`", key.description) for key in operation.keys]
        )
    yield from _example(operation, EXAMPLES[operation.name])


def _notes(operation: Operation) -> Iterator[str]:
    if operation.public:
        yield "Anybody may ask."
    if operation.changes:
        yield "Needs the header `X-Flightframe: 1`."
    if operation.operator:
        yield "For operators."
    for media_type, words in operation.others.items():
        yield f"With `Accept: {media_type}`: {words}."
    for status, words in operation.statuses.items():
        yield f"Status {status}: {words}."


def _example(operation: Operation, example: Example) -> Iterator[str]:
    if example.body is None and not example.keys and example.reply is None:
        return
    address = operation.path
    for name, value in example.path.items():
        address = address.replace(f"{{{name}}}", value)
    query = "&".join(f"{name}={value}" for name, value in example.keys.items())
    yield ""
    yield "```text"
    yield f"{operation.method} {address}{'?' if query else ''}{query}"
    if example.body is not None:
        yield json.dumps(example.body, ensure_ascii=False)
    yield "```"
    if example.reply is not None:
        yield "```json"
        yield _shown(example.reply)
        yield "```"


def _shown(value: object, indent: int = 0) -> str:
    """Return JSON on one line where it fits, else broken up."""
    flat = json.dumps(value, ensure_ascii=False).replace('"…": "…"', "…").replace('"…"', "…")
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list):
        return flat
    blanks, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_shown(item, indent + 2)}" for key, item in value.items()]
        return "{\n" + ",\n".join(f"{blanks}{part}" for part in parts) + f"\n{outer}}}"
    parts = [_shown(item, indent + 2) for item in value]
    return "[\n" + ",\n".join(f"{blanks}{part}" for part in parts) + f"\n{outer}]"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
