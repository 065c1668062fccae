"""Parameters that may stand in a draft: those written already, and one named after a level.

What comes in: a draft, and the level that a value stands beside. What goes out: options. It must
never offer both styles as lawful in one text: `?` and `$name` do not mix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

from flightframe_server.completion.cursor import SOMETHING, Cursor
from flightframe_server.completion.options import Option
from flightframe_server.errors import FlightframeError, FrameQLSyntaxError
from flightframe_server.language.bounds import TokenCounter
from flightframe_server.language.draft import FILLING, Draft

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parameter_options(draft: Draft, level: str | None, cursor: Cursor | None) -> Iterator[Option]:
    """Yield the parameters that the grammar accepts at the cursor.

    Args:
        draft: the text.
        level: the level that the value is compared with, or None.
        cursor: the draft as a tree; None where nothing but a number may stand.
    """
    in_anchor = cursor is not None and cursor.in_anchor
    if in_anchor or draft.state.after("DOLLAR") is None:
        return
    refused = None if cursor is None else cursor.refusal(SOMETHING)
    tokens = [*draft.before, *draft.after]
    written = [str(token) for token in tokens if token.type == "DOLLAR"]
    names = [name for name in written if name != f"${FILLING}"]
    if level is not None and _PLAIN.fullmatch(level):
        names.append(f"${level}")
    for name in dict.fromkeys(names):
        yield _option(tokens, "DOLLAR", name, "a value bound by name", refused)
    yield _option(tokens, "QUESTION", "?", "a value bound in order", refused)


def _option(
    tokens: list[Token],
    terminal: str,
    text: str,
    detail: str,
    refused: FlightframeError | None,
) -> Option:
    counter = TokenCounter()
    written = (
        Token(token.type, str(token))
        for token in tokens
        if token.type in ("QUESTION", "DOLLAR") and str(token) != f"${FILLING}"
    )
    try:
        for token in (*written, Token(terminal, text)):
            counter.admit(token)
    except FrameQLSyntaxError as error:
        refused = error
    return Option(text, "parameter", text, detail).refused(refused)
