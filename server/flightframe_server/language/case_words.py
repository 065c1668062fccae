"""Tells the words of a CASE from names that are spelled like them.

What comes in: the tokens of one text, in order. What goes out: the same tokens, in which CASE,
WHEN, THEN, ELSE and END that make up an expression have a type of their own; any other stays a
name, so that a level may be called `case` or `end`. It must never look at more than the tokens,
change one that is no such word, or take more than linear time.

A word of these is a keyword only where it can be nothing else. CASE opens an expression where an
operand is due and a WHEN of the same parentheses follows before a comma or the next clause. WHEN,
THEN, ELSE and END belong to it where an operand has just ended; where one is due, they are names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lark import Token

from flightframe_server.language.bounds import MAX_TOKENS
from flightframe_server.language.words import words

CASE_WORDS = words("CASE WHEN THEN ELSE END")

_OPENING = words("LPAR LBRACE")
_CLOSING = words("RPAR RBRACE")
_STOPS = _CLOSING | words("COMMA SEMICOLON AS SELECT FROM WHERE AT HAVING ORDER_BY LIMIT")
# After these an operand is due; after anything else one has ended.
_OPERATORS = words(
    "CMP PLUS MINUS STAR SLASH PERCENT CONCAT AND OR NOT IN IS LIKE BETWEEN DISTINCT LPAR LBRACE"
    " COMMA DOT ASCRIBE SELECT FROM WHERE AT HAVING ORDER_BY LIMIT AS"
)


class CaseWords:
    """What the parser runs between its lexer and its grammar; one serves every thread."""

    always_accept = ()

    def process(self, stream: Iterable[Token]) -> Iterator[Token]:
        """Yield the tokens, each with its type settled."""
        lookahead = _Lookahead()
        for token in stream:
            lookahead.push(token)
            if not lookahead.undecided or len(lookahead.pending) > MAX_TOKENS:
                yield from lookahead.release()
        yield from lookahead.release()


class _Lookahead:
    """The tokens held back while a CASE may still be a name."""

    def __init__(self) -> None:
        self.pending: list[Token] = []
        self.undecided = 0
        # For each open parenthesis the CASEs within it, innermost last: a token whose kind is not
        # known yet, or None for one that is known to be an expression.
        self._open: list[list[Token | None]] = [[]]
        self._before = "SELECT"
        self._when: Token | None = None

    def push(self, token: Token) -> None:
        """Settle the type of one token, or hold it back."""
        self._settle_when(token)
        self.pending.append(token)
        if token.type == "WORD" and token.upper() in CASE_WORDS:
            self._word(token, token.upper())
        elif token.type in _OPENING:
            self._open.append([])
        elif token.type in _STOPS and not (token.type == "FROM" and self._before == "DISTINCT"):
            self._reject_all()
            if token.type in _CLOSING and len(self._open) > 1:
                self._open.pop()
        self._before = token.type

    def release(self) -> list[Token]:
        """Return the tokens held back; a CASE that is still undecided is a name."""
        for index in range(len(self._open)):
            self._open[index] = [case for case in self._open[index] if case is None]
        released, self.pending, self.undecided, self._when = self.pending, [], 0, None
        return released

    def _word(self, token: Token, word: str) -> None:
        cases = self._open[-1]
        after_case = bool(cases) and cases[-1] is not None and self.pending[-2] is cases[-1]
        due = self._before in _OPERATORS or self._before in CASE_WORDS - {"END"} or after_case
        if word == "CASE":
            if due:
                cases.append(token)
                self.undecided += 1
        elif word == "WHEN" and after_case:
            # Only what follows tells `CASE WHEN x` from a name `case` with the alias `when`.
            self._when = token
        elif not due or (after_case and word != "WHEN" and None in cases):
            self._attach(token, word)

    def _attach(self, token: Token, word: str) -> None:
        """Make a word part of the CASE around it, if there is one."""
        cases = self._open[-1]
        if word == "WHEN" and cases and cases[-1] is not None:
            self._confirm(token)
            return
        if None not in cases:
            return
        while cases[-1] is not None:
            cases.pop()
            self.undecided -= 1
        token.type = word
        if word == "END":
            cases.pop()

    def _settle_when(self, following: Token) -> None:
        when, self._when = self._when, None
        if when is not None and following.type not in _STOPS:
            self._confirm(when)
            self._before = "WHEN"

    def _confirm(self, when: Token) -> None:
        """Make the innermost undecided CASE, and its WHEN, an expression."""
        case = self._open[-1][-1]
        assert case is not None
        case.type, when.type = "CASE", "WHEN"
        self._open[-1][-1] = None
        self.undecided -= 1

    def _reject_all(self) -> None:
        cases = self._open[-1]
        self.undecided -= sum(case is not None for case in cases)
        self._open[-1] = [case for case in cases if case is None]
