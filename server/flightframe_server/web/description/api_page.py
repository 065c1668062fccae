"""The HTTP API as one page that needs no script and no network.

What comes in: the table of operations. What goes out: HTML, and its style. It must never hold a
text that was not escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape

from flightframe_server import __version__
from flightframe_server.web.description.engine_schemas import SCHEMAS
from flightframe_server.web.description.openapi import ABOUT
from flightframe_server.web.description.operation import Operation

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9rem; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8888; border-radius: 0.25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
section { border-top: 1px solid #8888; margin-top: 1.5rem; }
h2 { font-size: 1.1rem; }
.method { font-weight: 700; }
"""


def api_page(operations: Iterable[Operation]) -> str:
    """Return the page."""
    rows = list(operations)
    body = "\n".join(
        (
            f"<h1>flightframe {escape(__version__)}: the HTTP API</h1>",
            f"<p>{_prose(ABOUT)}</p>",
            '<p>The same for programs: <a href="/openapi.json">openapi.json</a>. Every failure is'
            " <code>{&quot;error&quot;: {&quot;code&quot;: …, &quot;message&quot;: …}}</code>, and"
            " every reply has the header <code>x-request-id</code>.</p>",
            "<nav><ul>",
            *(
                f'<li><a href="#{escape(row.name)}"><code>{escape(row.method)}'
                f" {escape(row.path)}</code></a>: {_prose(row.summary)}</li>"
                for row in rows
            ),
            "</ul></nav>",
            *(line for row in rows for line in _section(row)),
            *_shapes(),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>flightframe: the HTTP API</title>\n"
        '<link rel="stylesheet" href="/docs/style.css">\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _section(row: Operation) -> Iterator[str]:
    yield f'<section id="{escape(row.name)}">'
    yield f'<h2><code><span class="method">{row.method}</span> {escape(row.path)}</code></h2>'
    yield f"<p>{_prose(row.summary)}. {_prose(row.about)}</p>"
    notes = list(_notes(row))
    if notes:
        yield f"<ul>{''.join(f'<li>{note}</li>' for note in notes)}</ul>"
    if row.keys:
        cells = "".join(
            f"<tr><td><code>{escape(key.name)}</code></td><td>{_prose(key.description)}</td></tr>"
            for key in row.keys
        )
        yield f"<table><tr><th>in the address</th><th></th></tr>{cells}</table>"
    if row.body is not None:
        optional = ", which may be left out" if row.body_optional else ""
        yield f"<p>Body{optional}: {_shape_link(row.body)}</p>"
    reply = _shape_link(row.reply) if row.reply is not None else escape(row.media_type)
    others = "".join(
        f" With <code>Accept: {escape(media)}</code>: {_prose(words)}."
        for media, words in row.others.items()
    )
    yield f"<p>Reply {row.status}: {reply}.{others}</p>"
    statuses = ", ".join(str(status) for status in row.every_error)
    yield f"<p>Refusals: {statuses}.</p></section>"


def _notes(row: Operation) -> Iterator[str]:
    if row.public:
        yield "answered without credentials"
    if row.changes:
        yield "needs the header <code>X-Flightframe: 1</code>"
    if row.operator:
        yield "for operators: <code>server.auth.operators</code>"


def _shapes() -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f'<section id="shape-{escape(name)}"><h2>{escape(name)}</h2>'
        yield f"<details><summary>JSON Schema</summary><pre>{text}</pre></details></section>"


def _shape_link(name: str) -> str:
    return f'<a href="#shape-{escape(name)}">{escape(name)}</a>'


def _prose(text: str) -> str:
    """Return a text as HTML, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)
    )
