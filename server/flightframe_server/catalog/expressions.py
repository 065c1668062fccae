"""The expressions of a collection: formulas, filters and computed columns.

What comes in: their text, or their tree. What goes out: the tree, and which names and anchors stand
in it. It must never give a name a meaning: whether it is a column, a level or a metric depends on
where the expression stands, and that is the caller's.
"""

from __future__ import annotations

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.catalog.findings import Cursor
from flightframe_server.errors import FrameQLSyntaxError, QueryError
from flightframe_server.language import parse_expression
from flightframe_server.language.nodes import walk
from flightframe_server.language.syntax import (
    Anchor,
    Ascribed,
    Call,
    Expression,
    Literal,
    LiteralKind,
    Name,
    Parameter,
    Star,
)

_PLACEHOLDER = Literal(None, LiteralKind.NULL)


def read_expression(cursor: Cursor, text: str) -> Expression:
    """Return the tree of the expression that stands at a cursor.

    Where it does not parse, the mistake is noted with a caret in its hint, and NULL stands for it.
    """
    try:
        return parse_expression(text)
    except QueryError as error:
        cursor.report(*mistake_in(text, error, "expression"))
        return _PLACEHOLDER


def mistake_in(text: str, error: QueryError, kind: str) -> tuple[str, str | None]:
    """Return what is wrong with a text of a collection, and a hint with a caret under the place.

    Args:
        text: the text.
        error: its error.
        kind: what it was read as: an expression, a query.
    """
    caret = error.caret(text)
    parts = [error.hint] if error.hint else []
    if error.place is not None and caret is not None:
        parts.append(f"line {error.place.line}, column {error.place.column} of it:\n{caret}")
    article = "an" if kind[0] in "aeiou" else "a"
    what = f"not {article} {kind}" if isinstance(error, FrameQLSyntaxError) else "refused"
    return f"{what}: {error.message}", "; ".join(parts) or None


def names_in(expression: Expression) -> tuple[Name, ...]:
    """Return the names in an expression that are not part of an anchor, as often as they stand."""
    nodes = walk(expression)
    anchors = [node for node in nodes if isinstance(node, Anchor)]
    in_anchors = {id(node) for anchor in anchors for node in walk(anchor)}
    return tuple(node for node in nodes if isinstance(node, Name) and id(node) not in in_anchors)


def anchors_in(expression: Expression) -> tuple[Anchor, ...]:
    """Return the anchors in an expression."""
    return tuple(node for node in walk(expression) if isinstance(node, Anchor))


def bare_names_in(expression: Expression) -> tuple[Name, ...]:
    """Return the names that stand for a metric's default reducer: not the argument of another."""
    reduced = {
        id(argument)
        for node in walk(expression)
        if isinstance(node, Call) and node.function in REDUCER_NAMES
        for argument in node.arguments
        if isinstance(argument, Name)
    }
    return tuple(name for name in names_in(expression) if id(name) not in reduced)


def misplaced_in_row(expression: Expression) -> str | None:
    """Return what an expression over one row may not hold and this one does, or None."""
    for node in walk(expression):
        if isinstance(node, Call) and node.function in REDUCER_NAMES:
            return f"the reducer {node.function}"
        if isinstance(node, Ascribed):
            return "an anchor after @"
        if isinstance(node, Parameter):
            return "a parameter"
        if isinstance(node, Star):
            return "a *"
    return None
