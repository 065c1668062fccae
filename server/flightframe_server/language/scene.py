"""The moment at which a text stopped being Frame-QL, as facts for `diagnose` to judge.

What comes in: the text, the tokens read so far, the one that did not fit, and what would have.
What goes out: a frozen `Scene` with what can be worked out from them. It must never judge.
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
class Scene:
    """What is known when a token does not fit.

    Attributes:
        text: the whole text.
        seen: the tokens before, all of which fitted.
        found: the token that did not fit; None where the text ended too early.
        accepts: the terminals that would have fitted.
        is_query: whether a query was being read, not an expression alone.
        opened: the parentheses and braces of `seen` that are still open, outermost first.
        clauses: the clause keywords of `seen` outside any parenthesis.
    """

    text: str
    seen: list[Token]
    found: Token | None
    accepts: frozenset[str]
    is_query: bool
    opened: tuple[Token, ...] = ()
    clauses: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        text: str,
        seen: list[Token],
        found: Token | None,
        accepts: frozenset[str],
        is_query: bool,
    ) -> Scene:
        """Return the scene with its open parentheses and clauses worked out."""
        opened: list[Token] = []
        clauses: set[str] = set()
        before = ""
        for token in seen:
            if token.type in _PAIRS:
                opened.append(token)
            elif token.type in _PAIRS.values():
                opened.pop()
            elif token.type in CLAUSES and not opened and before != "DISTINCT":
                # The FROM of IS DISTINCT FROM is no clause.
                clauses.add(token.type)
            before = token.type
        return cls(text, seen, found, accepts, is_query, tuple(opened), frozenset(clauses))

    @property
    def kind(self) -> str:
        """The terminal of what was found; empty at the end of the text."""
        return self.found.type if self.found is not None else ""

    @property
    def place(self) -> Place:
        """Where the mistake shows: at what was found, or behind the last token."""
        if self.found is not None:
            return token_place(self.found)
        end = (self.seen[-1].end_pos or 0) if self.seen else 0
        return place_at(self.text, end, end)

    def behind(self, count: int) -> str:
        """Return the terminal that stands `count` tokens before the mistake, 1 the nearest."""
        return self.seen[-count].type if len(self.seen) >= count else ""

    def closes(self) -> bool:
        """Return whether what was found closes the innermost open parenthesis or brace."""
        return bool(self.opened) and _PAIRS[self.opened[-1].type] == self.kind

    def window(self) -> str:
        """Return the words before, at and after the mistake, upper case, single-spaced."""
        words = [token for token in self.seen[-1:] if token.type not in ("STRING", "QUOTED")]
        if self.found is None:
            return " ".join(words).upper()
        start = self.found.end_pos or 0
        after = re.match(r"\s*(\w+|\S|)", self.text[start : start + _AHEAD])
        return " ".join([*words, self.found, after[1] if after else ""]).strip().upper()

    def error(
        self, message: str, hint: str | None = None, place: Place | None = None
    ) -> FrameQLSyntaxError:
        """Return the error, at the mistake unless another place is to blame."""
        return FrameQLSyntaxError(message, hint=hint, place=place or self.place)
