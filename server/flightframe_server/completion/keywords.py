"""Keywords that the grammar accepts at the cursor, and which of them the resolver would refuse.

What comes in: a draft. What goes out: options, in upper case or as the text writes its keywords. It
must never list a keyword by itself: which there are is what the parser's table says of the place.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace

from flightframe_server.algebra.functions import CALLED
from flightframe_server.completion.cursor import SOMETHING, Cursor
from flightframe_server.completion.options import Option
from flightframe_server.completion.trees import MARK, is_mark, path_to, put
from flightframe_server.completion.trial import Trial, tidied
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse
from flightframe_server.language.draft import Draft
from flightframe_server.language.syntax import (
    Call,
    Case,
    Cast,
    Expression,
    Interval,
    Literal,
    LiteralKind,
    Name,
    Not,
    Parameter,
    Statement,
    When,
)
from flightframe_server.language.words import CLAUSE_FUNCTIONS, CLAUSES, SPELLINGS

_CONSTANTS: dict[str, Expression] = {
    "TRUE": Literal(True, LiteralKind.BOOLEAN),
    "FALSE": Literal(False, LiteralKind.BOOLEAN),
    "NULL": Literal(None, LiteralKind.NULL),
    "DATE": Literal(datetime.date(2000, 1, 1), LiteralKind.DATE),
    "TIMESTAMP": Literal(datetime.datetime(2000, 1, 1), LiteralKind.TIMESTAMP),
    "INTERVAL": Interval(1, "day"),
}
# They begin an operand, and take anything in it.
_OPENING: dict[str, Expression] = {
    "CASE": Case(None, (When(SOMETHING, SOMETHING),)),
    "CAST": Cast(SOMETHING, "text"),
    "EXTRACT": Cast(SOMETHING, "integer"),
    "POSITION": Call("POSITION", (SOMETHING, SOMETHING)),
    "NOT": Not(SOMETHING),
}
_WITHOUT_OPERAND = frozenset({"IS", "AS", "ASC", "DESC", "NULLS", "WHEN", "THEN", "ELSE", "END"})


def keyword_options(draft: Draft, trial: Trial, cursor: Cursor | None) -> Iterator[Option]:
    """Yield the keywords that may stand at the cursor.

    Args:
        draft: the text.
        trial: asks the resolver.
        cursor: the draft as a tree, where a name may stand at the cursor; else None.
    """
    lower = _writes_lower(draft)
    for terminal in draft.state.keywords():
        word = SPELLINGS[terminal]
        if not draft.fits(word):
            continue
        text = word.lower() if lower else word
        insert = f"{text}(" if terminal in CLAUSE_FUNCTIONS - {"FILTER"} else text
        if terminal == "FILTER":
            insert = f"{text} ("
        detail = CALLED[word].form if word in CALLED else ""
        option = Option(word, "keyword", insert, detail)
        yield option.refused(_refusal(draft, trial, cursor, terminal))


def _writes_lower(draft: Draft) -> bool:
    """Whether the text writes its keywords, or the piece at the cursor, in lower case."""
    words = [str(token) for token in draft.before if token.type in SPELLINGS and token.isalpha()]
    word = draft.typed if draft.typed.isalpha() else (words[0] if words else "")
    return word.islower()


def _refusal(
    draft: Draft, trial: Trial, cursor: Cursor | None, terminal: str
) -> FlightframeError | None:
    if cursor is not None:
        return _as_operand(cursor, terminal)
    before, after = draft.written
    try:
        if terminal in CLAUSES:
            # Only a second one of a clause that is written is refused.
            if terminal in before + after and not draft.in_brackets:
                operand = "1" if terminal == "LIMIT" else "x"
                parse(draft.with_text(f" {SPELLINGS[terminal]} {operand} "))
            return None
        statement = draft.with_tokens(*_operator(draft, terminal))
    except FlightframeError as error:
        return error
    if statement is None or path_to(statement, is_mark) is None:
        return None
    return _beyond(trial, draft, _with_something(statement), "AT" in before + after)


def _operator(draft: Draft, terminal: str) -> tuple[tuple[str, str], ...]:
    """Return the tokens of a keyword, and of an operand of it where it joins two."""
    word = terminal, SPELLINGS[terminal]
    if terminal == "AND" and draft.state.after("OR") is not None:
        # They take the same, and only of AND the draft can do without the other side.
        word = "OR", "OR"
    if draft.state.after("CMP") is None or terminal in _WITHOUT_OPERAND:
        return (word,)
    tested = (("IN", "IN"),) if terminal == "NOT" else ()
    return (word, *tested, ("DOLLAR", f"${MARK}"))


def _with_something(statement: Statement) -> Statement:
    path = path_to(statement, is_mark)
    assert path is not None
    return put(statement, path, Parameter(MARK))


def _beyond(
    trial: Trial, draft: Draft, statement: Statement, anchor_written: bool
) -> FlightframeError | None:
    """Return the refusal of a statement, unless the draft is refused for the same reason."""
    fitted = replace(trial, open_anchor=not anchor_written)
    error = fitted.refusal(tidied(fitted, statement, anchor_written=anchor_written))
    if error is None:
        return None
    unextended = draft.with_tokens()
    if unextended is not None:
        alone = fitted.refusal(tidied(fitted, unextended, anchor_written=anchor_written))
        if alone is not None and (alone.code, alone.message) == (error.code, error.message):
            return None
    return error


def _as_operand(cursor: Cursor, terminal: str) -> FlightframeError | None:
    """Return why a keyword may not begin what stands at the mark."""
    call = cursor.reduced_by
    if terminal == "DISTINCT" and call is not None:
        families = cursor.trial.typed.collection.metric_families
        path = cursor.path[:-1]
        above = replace(cursor, path=path)
        calls = (
            Call(call.function, (Name((family,)), *call.arguments[1:]), distinct=True)
            for family in families
        )
        return above.first_refusal(calls)
    if terminal in _CONSTANTS:
        return cursor.refusal(_CONSTANTS[terminal])
    if call is not None and terminal in _OPENING:
        return cursor.refusal(_OPENING[terminal])
    return None
