"""The text that a refused query's author most likely meant, where the hint of the refusal names it.

What comes in: a query, its refusal, and a check of other texts. What goes out: one whole text that
passes the check, or fails it elsewhere, or nothing. It must never offer a text that it has not
checked: a hint is read for a proposal, and the check alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from flightframe_server.errors import FlightframeError, QueryError
from flightframe_server.language.format import format_expression, format_statement
from flightframe_server.language.parse import parse
from flightframe_server.language.syntax import Anchor, Item, Name, Statement

MOST_CHECKED = 6

_SIMILAR = re.compile(r"did you mean (.+)\?")
_INSTEAD = re.compile(r"^write ([A-Z]+\([\w\".]+\)(?: or [A-Z]+\([\w\".]+\))*)$")
_CALLED = re.compile(r"[A-Za-z_]\w*(?=\s*\()")
_LEVEL = re.compile(r"^add ([^\s,:]+(?:, [^\s,:]+)*(?: and [^\s,:]+)?) to AT\b")
_FROM = re.compile(r"^add FROM (\S+)")

Check = Callable[[str], None]
"""Raises a `QueryError` where the text is refused."""


def fix_of(source: str, error: FlightframeError, check: Check) -> str | None:
    """Return the text to put in place of a refused one; None where none is known to be better.

    Args:
        source: the refused text.
        error: why it was refused.
        check: the check that refused it.
    """
    for number, text in enumerate(_proposals(source, error)):
        if number >= MOST_CHECKED:
            break
        if text != source and _is_better(text, error, check):
            return text
    return None


def _is_better(text: str, error: FlightframeError, check: Check) -> bool:
    try:
        check(text)
    except QueryError as other:
        # A second mistake elsewhere is the next to be mended.
        before, after = error.place, other.place
        return before is not None and after is not None and after.start != before.start
    return True


def _proposals(source: str, error: FlightframeError) -> Iterator[str]:
    hint = error.hint or ""
    if error.place is not None and error.place.end > error.place.start:
        start, end = error.place.start, error.place.end
        # A call is shown as a whole where the name of its function is what is wrong.
        called = _CALLED.match(source, start, end)
        for words, last in (
            (_SIMILAR.search(hint), called.end() if called else end),
            (_INSTEAD.match(hint), end),
        ):
            for choice in words[1].split(" or ") if words else ():
                yield f"{source[:start]}{choice}{source[last:]}"
    level, schema = _LEVEL.match(hint), _FROM.match(hint)
    if not level and not schema:
        return
    try:
        statement = parse(source)
    except FlightframeError:
        return
    if level and statement.anchor.sets is None:
        names = re.split(r", | and ", level[1])
        yield format_statement(_with_levels(statement, tuple(Name((name,)) for name in names)))
    if schema:
        yield format_statement(replace(statement, source=Name(tuple(schema[1].split(".")))))


def _with_levels(statement: Statement, levels: tuple[Name, ...]) -> Statement:
    """Return a statement with more levels in its anchor, selected where the others are."""
    anchor = statement.anchor.levels
    texts = {format_expression(Name(level.parts)).casefold() for level in anchor}
    selected = [
        place
        for place, item in enumerate(statement.items)
        if format_expression(item.expression).casefold() in texts
    ]
    items = statement.items
    if selected:
        after = selected[-1] + 1
        items = (*items[:after], *(Item(level) for level in levels), *items[after:])
    return replace(statement, items=items, anchor=Anchor((*anchor, *levels)))
