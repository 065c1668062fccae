"""The bounds of a text, so that no query can cost more than its size.

What comes in: the text before it is read, its tokens while it is read, the tree after. What goes
out: nothing, or `LimitExceeded` at the place where the bound was passed. It must never cut a text
down to size: it reads all of a query or refuses it.

Reading needs no recursion, so parentheses may nest 1,000 deep. Walking a tree does: comparing two
trees (`==` of nested dataclasses) takes up to 4 frames of Python's 1,000 for each level, a walker
of the resolver 2 to 4. `MAX_DEPTH` = 150 levels is at most 600 frames, which leaves 400 for
the server below and the walker's own helpers; it fits a thread stack of 512 KiB. Chains of AND and
OR are one level however long they are.

BETWEEN, and CASE with an operand, are short for tests that each compare the operand anew, so that
one inside another grows like a power. What a tree means written out is bounded as well.
"""

from __future__ import annotations

import re

from lark import Token

from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded, Place, shown
from flightframe_server.language.nodes import Node, children
from flightframe_server.language.syntax import Between, Case, Expression, When

MAX_BYTES = 1024 * 1024
MAX_TOKENS = 50_000
MAX_NESTING = 1_000
MAX_DEPTH = 150
MAX_DIGITS = 1_000
MAX_COPIES = 100_000

_SURROGATE = re.compile("[\ud800-\udfff]")
_OPENING = ("LPAR", "LBRACE")
_CLOSING = ("RPAR", "RBRACE")


def place_at(text: str, offset: int, end: int | None = None) -> Place:
    """Return the place of `text[offset:end]`, of one character where `end` is not given."""
    start_of_line = text.rfind("\n", 0, offset) + 1
    line = text.count("\n", 0, offset) + 1
    return Place(line, offset - start_of_line + 1, offset, offset + 1 if end is None else end)


def token_place(token: Token) -> Place:
    """Return where a token stands."""
    return Place(token.line or 0, token.column or 0, token.start_pos or 0, token.end_pos or 0)


def echo(text: str) -> str:
    """Return a piece of the text as an error may show it: short, one line, nothing invisible."""
    return "".join(char if char.isprintable() else "·" for char in shown(text))


def check_text(text: str) -> None:
    """Refuse a text that is too long or is not Unicode.

    Raises:
        LimitExceeded: it has more than 1 MiB in UTF-8.
        FrameQLSyntaxError: it holds half of a surrogate pair, which no UTF-8 text can.
    """
    if len(text) > MAX_BYTES:
        raise LimitExceeded("the query is longer than 1 MiB")
    if text.isascii():
        return
    lone = _SURROGATE.search(text)
    if lone:
        raise FrameQLSyntaxError(
            "the query holds half of a surrogate pair, which is not a character",
            place=place_at(text, lone.start()),
        )
    if len(text.encode()) > MAX_BYTES:
        raise LimitExceeded("the query is longer than 1 MiB")


class TokenCounter:
    """Counts the tokens of one text as they are read, and numbers its parameters.

    Attributes:
        tokens: those admitted so far.
    """

    def __init__(self) -> None:
        """Start before the first token."""
        self.tokens: list[Token] = []
        self._nesting = 0
        self._parameters = 0
        self._style = ""

    def admit(self, token: Token) -> None:
        """Count one token; a `?` gets its number, from 0, as its `value`.

        Raises:
            LimitExceeded: it is the 50,001st token, or opens the 1,001st parenthesis.
            FrameQLSyntaxError: it is a `?` in a text with `$name`, or the reverse.
        """
        if len(self.tokens) >= MAX_TOKENS:
            raise LimitExceeded(
                f"the query has more than {MAX_TOKENS:,} words and signs", place=token_place(token)
            )
        if token.type in _OPENING:
            self._nesting += 1
            if self._nesting > MAX_NESTING:
                raise LimitExceeded(
                    f"parentheses nest more than {MAX_NESTING:,} deep", place=token_place(token)
                )
        elif token.type in _CLOSING:
            self._nesting -= 1
        elif token.type in ("QUESTION", "DOLLAR"):
            self._number(token)
        self.tokens.append(token)

    def _number(self, token: Token) -> None:
        if self._style and self._style != token.type:
            raise FrameQLSyntaxError(
                "`?` and `$name` do not mix in one query",
                hint="name every parameter, or none",
                place=token_place(token),
            )
        self._style = token.type
        if token.type == "QUESTION":
            token.value = self._parameters
            self._parameters += 1


def check_depth(root: Node, max_depth: int = MAX_DEPTH) -> None:
    """Refuse a tree that a recursive walker could not walk.

    Args:
        root: the tree.
        max_depth: the most levels; never more than `MAX_DEPTH`.

    Raises:
        LimitExceeded: some path through it holds more expressions.
    """
    pending = [(root, 0)]
    while pending:
        node, above = pending.pop()
        depth = above + isinstance(node, Expression | When)
        if depth > max_depth:
            raise LimitExceeded(
                f"the expression is more than {max_depth} levels deep",
                hint="every sign, NOT, call, CASE, WHEN and operand of a chain of + - * / % is one"
                " level; a chain of AND or of OR is one level however long",
                place=node.place,
            )
        pending.extend((child, depth) for child in children(node))


def check_copies(root: Node) -> None:
    """Refuse a tree that is short only because it does not repeat itself.

    Raises:
        LimitExceeded: written out, it would hold more than `MAX_COPIES` nodes.
    """
    pending = [(root, 1)]
    total = 0
    while pending:
        node, copies = pending.pop()
        total += copies
        if total > MAX_COPIES:
            raise LimitExceeded(
                f"the expression stands for more than {MAX_COPIES:,} operations",
                hint="BETWEEN, and each WHEN of a CASE with an operand, repeat the operand",
                place=node.place,
            )
        for child in children(node):
            pending.append((child, copies * _repeats(node, child)))


def count_nodes(root: Node, most: int) -> int:
    """Return how many nodes a tree has, those that stand in several places each time.

    Counting ends soon after `most`: a tree that shares its nodes may stand for any number.
    """
    pending, total = [root], 0
    while pending and total <= most:
        total += 1
        pending.extend(children(pending.pop()))
    return total


def _repeats(node: Node, child: Node) -> int:
    match node:
        case Between(operand=operand) if child is operand:
            return 2
        case Case(operand=operand, whens=whens) if child is operand:
            return len(whens)
    return 1
