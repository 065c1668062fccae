"""A saved frame that a text reads whole: its question, which the ordinary path answers.

What comes in: a SELECT. What goes out: the statement of the frame, with the LIMIT of the text. It
must never take a SELECT that does more than list the frame's own columns: a column that is left out
may make points of the answer, and what is done with rows is algebra over them.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from flightframe_server.errors import QueryError
from flightframe_server.language.syntax import Limit, Literal, LiteralKind, Statement
from flightframe_server.request import Translation
from flightframe_server.sql.allowed_sql import check_question
from flightframe_server.sql.clauses import limit_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.scopes import check_qualifier
from flightframe_server.sql.unwrapping import Tables

_READ = frozenset({"expressions", "from_", "limit", "offset"})


def whole_frame(select: exp.Select, tables: Tables, reading: Reading) -> Translation | None:
    """Return what a SELECT means that lists all columns of a saved frame, in their order.

    Args:
        select: its tree.
        tables: what its tables are.
        reading: the text's.

    Returns:
        None where it is over no saved frame, or does more.

    Raises:
        QueryError: something in it is not answered, or its LIMIT is no count.
    """
    if any(value for name, value in select.args.items() if name not in _READ):
        return None
    # Without WITH, a table in FROM is a published one.
    clause = select.args.get("from_")
    if clause is None or not isinstance(clause.this, exp.Table):
        return None
    frame = tables.saved(clause.this)
    if frame is None or frame.frame is None:
        return None
    check_question(select)
    if not _lists_all(select, frame.schema.names, tables.path(clause.this)):
        return None
    statement = _limited(frame.frame, limit_of(select, reading))
    if statement is None:
        return None
    shaping = tuple(sorted(reading.shaping.items()))
    return Translation(statement, (), shaping, reading.options)


def _lists_all(select: exp.Select, names: list[str], path: tuple[str, ...]) -> bool:
    match select.expressions:
        case [exp.Star() as star] if not any(star.args.values()):
            return True
        case [exp.Column(this=exp.Star()) as column]:
            return _is_of(column, path)
    return len(names) == len(select.expressions) and all(
        isinstance(node, exp.Column)
        and node.name.casefold() == name.casefold()
        and _is_of(node, path)
        for node, name in zip(select.expressions, names, strict=True)
    )


def _is_of(column: exp.Column, path: tuple[str, ...]) -> bool:
    try:
        check_qualifier(column, path)
    except QueryError:
        return False
    return True


def _limited(statement: Statement, limit: Limit | None) -> Statement | None:
    """Return a statement with a further LIMIT; None where the two do not make one."""
    if limit is None:
        return statement
    own = statement.limit
    if own is None:
        return replace(statement, limit=limit)
    numbers = [_number(part) for part in (own.count, own.offset, limit.count, limit.offset)]
    if own.per is not None or limit.per is not None or None in numbers:
        return None
    had, skipped, count, offset = (number or 0 for number in numbers)
    left = min(count, had - offset)
    if left <= 0:
        return None
    first = Literal(skipped + offset, LiteralKind.INTEGER)
    return replace(statement, limit=Limit(Literal(left, LiteralKind.INTEGER), first))


def _number(part: object) -> int | None:
    if part is None:
        return 0
    value = part.value if isinstance(part, Literal) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
