"""A plan of any kind as one statement.

What comes in: the planner's logical queries. What goes out: a statement, or a refusal of one too
deep to be written. It must never let a client's nesting end in an error of ours: both the tree of
an expression and the text of it are made by functions that call themselves.
"""

from __future__ import annotations

from flightframe_server.backends.sql.dialect import SqlDialect
from flightframe_server.backends.sql.frame import frame_statement
from flightframe_server.backends.sql.names import Statement
from flightframe_server.backends.sql.source import source_statement
from flightframe_server.errors import LimitExceeded
from flightframe_server.planner.source import FrameQuery, SourceQuery


def statement_of(query: SourceQuery | FrameQuery, dialect: SqlDialect) -> Statement:
    """Return a query as a statement.

    Raises:
        LimitExceeded: its expressions nest deeper than a statement can be written.
    """
    try:
        if isinstance(query, FrameQuery):
            return frame_statement(query, dialect)
        return source_statement(query, dialect)
    except RecursionError:
        raise LimitExceeded(
            "the expression nests too deep for a statement of the database",
            hint="name its inner part, as a computed column or a derived family",
        ) from None


STATEMENTS_BYTES = 32 * 1024 * 1024
_CHARACTER_BYTES = 64


def statement_bytes(query: object, statement: Statement) -> int:
    """Return about the bytes of a query and its statement: a long list of values is long in both.

    A value takes some 300 bytes in the query, and five characters or more in the text.
    """
    return _CHARACTER_BYTES * len(statement.sql)
