"""Reads Frame-QL: text to frozen syntax nodes.

What comes in: one query, or one expression of a collection. What goes out: a `Statement` or an
`Expression`, or one error with its place. It must never know a catalog, recurse on what it reads,
or take more than linear time: its bounds stand in `bounds`, its errors in `lexical_errors` and
`syntax_errors`.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import threading
from collections.abc import Callable
from typing import cast

from lark import Lark, Token, UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from flightframe_server.language.bounds import (
    MAX_DEPTH,
    TokenCounter,
    check_copies,
    check_depth,
    check_text,
)
from flightframe_server.language.build import TreeBuilder
from flightframe_server.language.case_words import CaseWords
from flightframe_server.language.lexical_errors import lexical_error
from flightframe_server.language.nodes import Node
from flightframe_server.language.parse_failure import ParseFailure
from flightframe_server.language.syntax import Expression, Statement
from flightframe_server.language.syntax_errors import syntax_error

_BUILDING = threading.Lock()
_END = "$END"
_REPEATING = frozenset({"BETWEEN", "CASE"})


def parse(text: str) -> Statement:
    """Return the syntax tree of one query.

    Args:
        text: the query, at most 1 MiB; a trailing `;` is fine.

    Raises:
        FrameQLSyntaxError: the text is not Frame-QL; it carries the place.
        LimitExceeded: the text is longer or nests deeper than the bounds allow.

    >>> parse("SELECT region, SUM(revenue) AS total AT region").anchor.levels[0].text
    'region'
    """
    return cast(Statement, _read(text, "start"))


def parse_expression(text: str) -> Expression:
    """Return the syntax tree of one expression: a formula or a filter of a collection.

    Raises:
        FrameQLSyntaxError: the text is not an expression; it carries the place.
        LimitExceeded: the text is longer or nests deeper than the bounds allow.

    >>> parse_expression("revenue - cost").operator
    '-'
    """
    return cast(Expression, _read(text, "expr"))


def _read(text: str, rule: str) -> Node:
    check_text(text)
    machine = _machine().parse_interactive(text, rule)
    counter = TokenCounter()
    tokens = counter.tokens
    try:
        for token in machine.iter_parse():
            counter.admit(token)
        end = Token.new_borrow_pos(_END, "", tokens[-1]) if tokens else Token(_END, "", 0, 1, 1)
        tree: Node = machine.feed_token(end)
    except UnexpectedCharacters as error:
        raise lexical_error(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        ended = error.token.type == _END
        before, unexpected = (tokens, None) if ended else (tokens[:-1], tokens[-1])
        expected = _accepted_after(before, rule)
        failure = ParseFailure.of(text, before, unexpected, expected, rule == "start")
        raise syntax_error(failure) from None
    if len(tokens) > MAX_DEPTH:  # every level of a tree takes a token at least
        check_depth(tree)
    if any(token.type in _REPEATING for token in tokens):
        check_copies(tree)
    return tree


def _accepted_after(tokens: list[Token], rule: str) -> frozenset[str]:
    """Return the terminals that may follow `tokens`.

    The parser that failed cannot tell: it has already reduced as if the token that failed it
    would fit, which closes ways that were open.
    """
    machine = _machine().parse_interactive("", rule)
    for token in tokens:
        machine.feed_token(token)
    accepts: Callable[[], set[str]] = machine.accepts
    return frozenset(accepts())


def new_parser(text: str = "") -> InteractiveParser:
    """Return a parser of a query that is fed token by token, at its start."""
    return _machine().parse_interactive(text, "start")


def _machine() -> Lark:
    """Return the one parser, made at its first use; the lock keeps a second from being made."""
    with _BUILDING:
        return _build()


@functools.cache
def _build() -> Lark:
    grammar = importlib.resources.files(__package__).joinpath("frame_ql.lark")
    return Lark(
        grammar.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        start=["start", "expr"],
        keep_all_tokens=True,
        maybe_placeholders=False,
        # Without it `\b` and case folding go by Unicode, and a Kelvin sign would read as a K.
        g_regex_flags=re.ASCII,
        transformer=TreeBuilder(),
        postlex=CaseWords(),
    )
