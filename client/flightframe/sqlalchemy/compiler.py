"""Core statements as the server's SQL: DuckDB's dialect, identifiers in double quotes.

What comes in: SQLAlchemy's trees. What goes out: texts. It must never render what the server would
read as another thing: words of Frame-QL are quoted where they are names.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import compiler

_WORDS = """
    all and any as asc at between both by case cast collate constraint cross current_date
    current_timestamp current_user desc distinct else end except exists extract false filter
    following for from full group having in inner intersect interval into is join left like limit
    natural not null offset on or order outer over partition preceding qualify range right rows
    select session_user some table then to true unbounded union unique user using values when where
    window with
"""
RESERVED = set(_WORDS.split())
"""Names that are quoted: the words of SQL that DuckDB reserves, and those of Frame-QL."""


class FlightframeIdentifiers(compiler.IdentifierPreparer):
    """Quotes identifiers: in double quotes, where they are reserved or not lower-case words."""

    reserved_words = RESERVED


class FlightframeTypes(compiler.GenericTypeCompiler):
    """Writes types as DuckDB spells them."""

    def visit_FLOAT(self, type_: Any, **options: Any) -> str:
        """Write DOUBLE: there is no narrower one."""
        return "DOUBLE"

    def visit_DOUBLE(self, type_: Any, **options: Any) -> str:
        """Write DOUBLE."""
        return "DOUBLE"

    def visit_DOUBLE_PRECISION(self, type_: Any, **options: Any) -> str:
        """Write DOUBLE."""
        return "DOUBLE"

    def visit_NUMERIC(self, type_: Any, **options: Any) -> str:
        """Write DECIMAL, with its digits where they are known."""
        if type_.precision is None:
            return "DECIMAL"
        return f"DECIMAL({type_.precision}, {type_.scale or 0})"

    visit_DECIMAL = visit_NUMERIC

    def visit_TEXT(self, type_: Any, **options: Any) -> str:
        """Write VARCHAR."""
        return "VARCHAR"

    visit_string = visit_TEXT
    visit_unicode = visit_TEXT
    visit_VARCHAR = visit_TEXT
    visit_NVARCHAR = visit_TEXT
    visit_CHAR = visit_TEXT

    def visit_DATETIME(self, type_: Any, **options: Any) -> str:
        """Write TIMESTAMP, with its zone where it has one."""
        return "TIMESTAMP WITH TIME ZONE" if type_.timezone else "TIMESTAMP"

    visit_TIMESTAMP = visit_DATETIME
