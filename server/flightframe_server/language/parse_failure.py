"""The state of the parser at the token that does not fit: what `syntax_errors` judges by.

What comes in: the text, the tokens read so far, the one that did not fit, and what would have.
What goes out: a frozen `ParseFailure` with what can be worked out from them. It must never judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lark import Token

from flightframe_server.errors import FrameQLSyntaxError, Place
from flightframe_server.language.bounds import place_at, token_place
from flightframe_server.language.words import CLAUSES

_PAIRS = {"LPAR": "RPAR", "LBRACE": "RBRACE"}
_AHEAD = 200


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """What is known when a token does not fit.

    Attributes:
        text: the whole text.
        tokens: the tokens before, all of which fitted.
        unexpected: the token that did not fit; None where the text ended too early.
        expected: the terminals that would have fitted.
        is_query: whether a query was being read, not an expression alone.
        open_brackets: the parentheses and braces of `tokens` that are still open, outermost first.
        clauses: the clause keywords of `tokens` outside any parenthesis.
    """

    text: str
    tokens: list[Token]
    unexpected: Token | None
    expected: frozenset[str]
    is_query: bool
    open_brackets: tuple[Token, ...] = ()
    clauses: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        text: str,
        tokens: list[Token],
        unexpected: Token | None,
        expected: frozenset[str],
        is_query: bool,
    ) -> ParseFailure:
        """Return the failure with its open parentheses and clauses worked out."""
        open_brackets: list[Token] = []
        clauses: set[str] = set()
        before = ""
        for token in tokens:
            if token.type in _PAIRS:
                open_brackets.append(token)
            elif token.type in _PAIRS.values():
                open_brackets.pop()
            elif token.type in CLAUSES and not open_brackets and before != "DISTINCT":
                # The FROM of IS DISTINCT FROM is no clause.
                clauses.add(token.type)
            before = token.type
        return cls(
            text,
            tokens,
            unexpected,
            expected,
            is_query,
            tuple(open_brackets),
            frozenset(clauses),
        )

    @property
    def terminal(self) -> str:
        """The terminal of the unexpected token; empty at the end of the text."""
        return self.unexpected.type if self.unexpected is not None else ""

    @property
    def place(self) -> Place:
        """Where the mistake shows: at the unexpected token, or behind the last one."""
        if self.unexpected is not None:
            return token_place(self.unexpected)
        end = (self.tokens[-1].end_pos or 0) if self.tokens else 0
        return place_at(self.text, end, end)

    def previous(self, count: int) -> str:
        """Return the terminal that stands `count` tokens before the mistake, 1 the nearest."""
        return self.tokens[-count].type if len(self.tokens) >= count else ""

    @property
    def opened_by(self) -> str:
        """The terminal before the innermost open parenthesis or brace; empty where there is none.

        Tokens of one text are equal, so that the very one is looked for.
        """
        if not self.open_brackets:
            return ""
        before = ""
        for token in self.tokens:
            if token is self.open_brackets[-1]:
                return before
            before = token.type
        return ""

    def closes(self) -> bool:
        """Return whether the unexpected token closes the innermost open parenthesis or brace."""
        return bool(self.open_brackets) and _PAIRS[self.open_brackets[-1].type] == self.terminal

    def window(self) -> str:
        """Return the words before, at and after the mistake, upper case, single-spaced."""
        words = [token for token in self.tokens[-1:] if token.type not in ("STRING", "QUOTED")]
        if self.unexpected is None:
            return " ".join(words).upper()
        start = self.unexpected.end_pos or 0
        after = re.match(r"\s*(\w+|\S|)", self.text[start : start + _AHEAD])
        return " ".join([*words, self.unexpected, after[1] if after else ""]).strip().upper()

    def error(
        self, message: str, hint: str | None = None, place: Place | None = None
    ) -> FrameQLSyntaxError:
        """Return the error, at the mistake unless another place is to blame."""
        return FrameQLSyntaxError(message, hint=hint, place=place or self.place)
