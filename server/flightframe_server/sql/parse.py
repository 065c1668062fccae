"""SQL text to a tree, for texts that are no Frame-QL.

What comes in: a text. What goes out: a SELECT as sqlglot reads it, or nothing where it is none that
this server could know. It must never take a text for SQL that Frame-QL reads, never cost a hit more
than a look-up, and never read deeper or longer than its bounds: sqlglot recurses.

Every Frame-QL statement holds the word AT, so that a text without it is none; AT TIME ZONE is
SQL's alone. One that has it and names the catalogue (`SELECT at FROM system.last_queries`) is tried
as SQL as well, and so is one that Frame-QL has refused: it may stand in a text literal.

SHOW and DESCRIBE are short for a SELECT over the information schema, and become one here. EXPLAIN
before a SELECT asks for its plan. What the tokens of a text are rewritten to (`escapes.py`) keeps
their places, so that errors name those of the text as it was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import Dialect, Token, TokenType, exp
from sqlglot.errors import SqlglotError

from flightframe_server.errors import LimitExceeded
from flightframe_server.sql.escapes import PARAMETER, standard_tokens
from flightframe_server.sql.row_comparisons import with_parts_compared
from flightframe_server.sql.spellings import with_known_words
from flightframe_server.sql.time_idioms import with_periods
from flightframe_server.sql.written_words import with_words

MAX_SQL_BYTES = 16 * 1024
MAX_TOKENS = 2_000
MAX_NESTING = 24
MAX_DEPTH = 60
SHORT = 1_000

_AT = re.compile(r"\bAT\b(?!\s+TIME\s+ZONE\b)", re.IGNORECASE)
_SELECTS = re.compile(r"[\s(]*+(?:SELECT|WITH|EXPLAIN)\b", re.IGNORECASE)
_CATALOGUE = re.compile(r"\b(?:information_schema|system)\b", re.IGNORECASE)
_STARTS = frozenset(
    {
        TokenType.SELECT,
        TokenType.WITH,
        TokenType.L_PAREN,
        TokenType.DESCRIBE,
        TokenType.DESC,
    }
)

_TABLES = "SELECT table_schema, table_name FROM information_schema.tables"
_DATABASES = "SELECT DISTINCT catalog_name AS database_name FROM information_schema.schemata"
_SCHEMAS = "SELECT schema_name FROM information_schema.schemata"
_COLUMNS = (
    "SELECT column_name, data_type, is_nullable, column_comment AS description"
    " FROM information_schema.columns ORDER BY table_schema, ordinal_position"
)


class _Sql(Dialect):
    """Plain SQL, in which NULL comes last unless it is said, as in Frame-QL."""

    NULL_ORDERING = "nulls_are_last"


_DIALECT = _Sql()


@dataclass(frozen=True, slots=True)
class ParsedSql:
    """One text as SQL.

    Attributes:
        select: the query; parameters are placeholders named `p0`, `p1`, ... in the text's order.
        described: the table that DESCRIBE names, which has to exist; else None.
        parameters: how many it has.
        explain: whether the plan is asked for, not the answer.
        compound: the whole text, where `select` is a part of it: of a UNION, say; else None.
    """

    select: exp.Select
    described: exp.Table | None = None
    parameters: int = 0
    explain: bool = False
    compound: exp.Expr | None = None


def is_frame_ql(source: str) -> bool:
    """Whether a text is left to Frame-QL without a look at it as SQL."""
    return _short_is_frame_ql(source) if len(source) <= SHORT else _is_frame_ql(source)


def parse_sql(source: str) -> ParsedSql | None:
    """Return a text as SQL; None where it is nothing that could be known here."""
    return _short_parsed(source) if len(source) <= SHORT else _parsed(source)


def check_sql_size(source: str) -> None:
    """Refuse a text of SQL that is too large to be read; any other text passes.

    Raises:
        LimitExceeded: it passes a bound of this module.
    """
    if _is_frame_ql(source) or not _SELECTS.match(source):
        return
    try:
        _parse(source)
    except (_TooLarge, RecursionError):
        raise LimitExceeded(
            f"a text of SQL has at most {MAX_SQL_BYTES:,} characters, {MAX_TOKENS:,} words and"
            f" signs, {MAX_NESTING} parentheses inside of each other, and {MAX_DEPTH} levels",
            hint="bind a long list behind IN in Frame-QL: IN $list",
        ) from None
    except (SqlglotError, ValueError, LookupError, TypeError, AttributeError):
        return


def parameter_index(placeholder: exp.Placeholder) -> int:
    """Return which parameter of the text a placeholder is, from 0."""
    return int(placeholder.name.removeprefix(PARAMETER))


def _is_frame_ql(source: str) -> bool:
    return _AT.search(source) is not None and _CATALOGUE.search(source) is None


def _parsed(source: str) -> ParsedSql | None:
    # Whatever a parser of anybody's SQL raises, a RecursionError included, means the same here: the
    # text is none of ours, and the language says what is wrong with it.
    try:
        return _parse(source)
    except (SqlglotError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return None


# On the path of every hit: one look-up in place of two searches.
_short_is_frame_ql = lru_cache(maxsize=4096)(_is_frame_ql)
_short_parsed = lru_cache(maxsize=256)(_parsed)


class _TooLarge(ValueError):
    """A text passes a bound; a signal inside this module."""


def _parse(source: str) -> ParsedSql | None:
    if len(source) > MAX_SQL_BYTES:
        raise _TooLarge
    tokens = _DIALECT.tokenize(source)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        return None
    _check_bounds(tokens)
    if tokens[0].text.upper() == "SHOW" and len(tokens) == 2:
        # The tokenizer takes what follows SHOW for one text.
        return _show(_DIALECT.tokenize(tokens[1].text))
    explain = tokens[0].text.upper() == "EXPLAIN"
    if explain:
        tokens = _behind(source, tokens[0])
    if not tokens or tokens[0].token_type not in _STARTS:
        return None
    _check_bounds(tokens)
    parameters = sum(token.token_type is TokenType.PLACEHOLDER for token in tokens)
    standard = standard_tokens(tokens)
    (tree,) = _DIALECT.parser().parse(standard, source)
    if tree is None:
        return None
    return _read(with_words(tree, standard, source), parameters, explain=explain)


def _read(tree: exp.Expr, parameters: int, *, explain: bool) -> ParsedSql | None:
    if _depth(tree) > MAX_DEPTH:
        raise _TooLarge
    tree = with_periods(with_parts_compared(with_known_words(_without_parentheses(tree))))
    # Written out, a list of parts is a chain of them.
    if _depth(tree) > MAX_DEPTH:
        raise _TooLarge
    match tree:
        case exp.Select(selects=[_, *_]) as select:
            return ParsedSql(select, parameters=parameters, explain=explain)
        case exp.SetOperation() as union:
            return ParsedSql(_first_select(union), None, parameters, explain, compound=union)
        case exp.Describe(this=exp.Table() as table):
            return _described(table)
    return None


def _behind(source: str, explain: Token) -> list[Token]:
    """Return what stands behind EXPLAIN, of which the tokenizer makes one text."""
    # Blanks keep every place.
    start, end = explain.start, explain.end + 1
    tokens = _DIALECT.tokenize(source[:start] + " " * (end - start) + source[end:])
    return tokens[:-1] if tokens and tokens[-1].token_type is TokenType.SEMICOLON else tokens


def _without_parentheses(tree: exp.Expr) -> exp.Expr:
    """Return a text without the parentheses around the whole of it."""
    while isinstance(tree, exp.Subquery) and not any(
        value for name, value in tree.args.items() if name != "this"
    ):
        tree = tree.this
    return tree


def _first_select(tree: exp.SetOperation) -> exp.Select:
    part = tree.find(exp.Select)
    if part is None:
        raise ValueError("no SELECT")
    return part


def _check_bounds(tokens: list[Token]) -> None:
    depth = deepest = 0
    for token in tokens:
        if token.token_type is TokenType.L_PAREN:
            depth += 1
            deepest = max(deepest, depth)
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
    if len(tokens) > MAX_TOKENS or deepest > MAX_NESTING:
        raise _TooLarge


def _depth(tree: exp.Expr) -> int:
    """Return how deep a tree is, a chain of AND or of OR being one level however long."""
    deepest = 0
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        for child in node.iter_expressions():
            chained = isinstance(node, exp.And | exp.Or) and type(child) is type(node)
            waiting.append((child, depth if chained else depth + 1))
    return deepest


def _show(tokens: list[Token]) -> ParsedSql | None:
    """Return SHOW TABLES, SCHEMAS or COLUMNS, with FROM and LIKE, as a SELECT."""
    words = [token.text.upper() for token in tokens]
    what, rest = words[0], tokens[1:]
    scope: list[str] = []
    if words[1:2] in (["FROM"], ["IN"]) and len(rest) > 1:
        scope, rest = _dotted(rest[1:])
    like = None
    if len(rest) == 2 and rest[0].token_type is TokenType.LIKE:
        like, rest = rest[1].text, []
    if rest:
        return None
    if what == "TABLES" and len(scope) <= 2:
        query = _select(_TABLES).order_by("table_schema", "table_name")
        return ParsedSql(_narrowed(query, ("table_schema", "table_catalog"), scope, like))
    if what == "DATABASES" and not scope:
        return ParsedSql(_narrowed(_select(_DATABASES), (), [], like))
    if what == "SCHEMAS" and len(scope) <= 1:
        query = _select(_SCHEMAS).order_by("schema_name")
        return ParsedSql(_narrowed(query, ("catalog_name",), scope, like))
    if what == "COLUMNS" and 1 <= len(scope) <= 3 and like is None:
        names = (exp.to_identifier(part, quoted=True) for part in reversed(scope))
        return _described(exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False))))
    return None


def _dotted(tokens: list[Token]) -> tuple[list[str], list[Token]]:
    parts = [tokens[0].text]
    at = 1
    while at + 1 < len(tokens) and tokens[at].token_type is TokenType.DOT:
        parts.append(tokens[at + 1].text)
        at += 2
    return parts, tokens[at:]


def _described(table: exp.Table) -> ParsedSql:
    names = ("table_name", "table_schema", "table_catalog")
    parts = [part.name for part in reversed(table.parts)]
    return ParsedSql(_where(_select(_COLUMNS), names, parts), table)


def _narrowed(
    query: exp.Select, names: tuple[str, ...], scope: list[str], like: str | None
) -> exp.Select:
    query = _where(query, names, scope[::-1])
    if like is not None:
        listed = exp.column(query.selects[-1].unalias().name)
        query = query.where(exp.ILike(this=listed, expression=exp.Literal.string(like)))
    return query


def _where(query: exp.Select, names: tuple[str, ...], values: list[str]) -> exp.Select:
    """Return a query of the rows in which columns hold names, in any case."""
    for name, value in zip(names, values, strict=False):
        folded = exp.Lower(this=exp.Literal.string(value))
        query = query.where(exp.EQ(this=exp.Lower(this=exp.column(name)), expression=folded))
    return query


def _select(text: str) -> exp.Select:
    (tree,) = _DIALECT.parse(text)
    assert isinstance(tree, exp.Select)
    return tree
