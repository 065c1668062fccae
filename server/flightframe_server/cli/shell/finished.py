"""Whether Enter asks, or begins another line.

What comes in: what has been typed. What goes out: whether that is all of it. It must never hold a
query back for good: a semicolon or an empty line sends anything.
"""

from __future__ import annotations

import re

from flightframe_server.cli.shell.commands import read_line
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\")|(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<open>['\"]|/\*)|(?P<bracket>[(){}])|(?P<word>\w+)|(?P<other>\S)",
    re.DOTALL,
)


def is_finished(text: str) -> bool:
    """Return whether a text is to be asked as it stands.

    >>> [is_finished(text) for text in ("SELECT revenue", "SELECT revenue AT region", "x y z ;")]
    [False, True, True]
    >>> [is_finished(text) for text in ("describe margin", "explain SELECT revenue", "chart")]
    [True, False, True]
    """
    line = read_line(text)
    if line.command is not None and not (line.command.takes_query and line.text):
        return True
    query = line.text
    if not query.strip() or query.rstrip().endswith(";") or text.endswith("\n"):
        return True
    if is_open(query):
        return False
    try:
        parse(query)
    except FlightframeError as error:
        place = error.place
        return place is None or _index(query, place.line, place.column) < _last_token(query)
    return True


def is_open(text: str) -> bool:
    """Return whether a quote, a comment or a bracket of a text is not closed."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            return True
        if token["bracket"]:
            depth += 1 if token["bracket"] in "({" else -1
    return depth > 0


def _index(text: str, line: int, column: int) -> int:
    """Return where a place lies in a text, from 0."""
    before = text.split("\n")[: line - 1]
    return sum(len(each) + 1 for each in before) + column - 1


def _last_token(text: str) -> int:
    """Return where the last token of a text begins."""
    tokens = [token.start() for token in _TOKEN.finditer(text) if not token["comment"]]
    return max(tokens, default=0)
