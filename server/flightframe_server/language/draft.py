"""A text that is still being written: its tokens around a cursor, and what may follow them.

What comes in: a text and an offset. What goes out: the tokens before and after the cursor, the
piece of a word or text that the cursor stands in, which terminals the grammar accepts there, and
the statement that it becomes with something put in and the rest filled up. It must never know a
grammar of its own: what may follow is read from the parser's own table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from lark import Token, UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_analysis import Shift

from flightframe_server.language.literals import unquoted
from flightframe_server.language.parse import new_parser
from flightframe_server.language.syntax import Statement
from flightframe_server.language.words import SOFT_KEYWORDS, SPELLINGS

FILLING = "filling_of_a_draft"
"""The name of the parameter, or of what is named, that stands where something is still to come."""

END = "$END"
NAMES = SOFT_KEYWORDS | {"WORD", "QUOTED"}

_REST_OF_WORD = re.compile(r"[A-Za-z0-9_]*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"--[^\r\n]*\Z")
_DATED = {"DATE": "'2000-01-01'", "TIMESTAMP": "'2000-01-01 00:00:00'", "INTERVAL": "'1 day'"}

# What a draft is filled up with, the first that the grammar accepts: what closes comes before what
# opens, and a parameter stands for every expression, since it fits any type.
_FILLINGS: tuple[tuple[str, str], ...] = (
    ("RPAR", ")"),
    ("RBRACE", "}"),
    ("END", "END"),
    ("THEN", "THEN"),
    ("AT", "AT"),
    ("SELECT", "SELECT"),
    ("DOLLAR", f"${FILLING}"),
    ("NULL", "NULL"),
    ("WORD", FILLING),
    ("WHEN", "WHEN"),
    ("LPAR", "("),
    ("AS", "AS"),
    ("AND", "AND"),
    ("LIKE", "LIKE"),
    ("IN", "IN"),
    ("WHERE", "WHERE"),
    ("FROM", "FROM"),
    ("STRING", "''"),
    ("INT", "1"),
    ("COMMA", ","),
    ("FIRST", "FIRST"),
)
_MOST_FILLINGS = 16


@dataclass(frozen=True, slots=True)
class ParseState:
    """Where the parser stands after some tokens, without the trees that it built."""

    stack: tuple[int, ...]

    @classmethod
    def start(cls) -> ParseState:
        """Return where the parser of a query begins."""
        return cls((_table().start,))

    def after(self, terminal: str) -> ParseState | None:
        """Return where it stands after one more token; None where that does not fit."""
        table, stack = _table(), list(self.stack)
        while True:
            action, target = table.states[stack[-1]].get(terminal, (None, None))
            if action is None:
                return None
            if action is Shift:
                return ParseState((*stack, target))
            if target.expansion:
                del stack[-len(target.expansion) :]
            stack.append(table.states[stack[-1]][target.origin.name][1])
            if terminal == END and stack[-1] == table.end:
                return ParseState(tuple(stack))

    def expected(self) -> frozenset[str]:
        """Return the terminals that may come next."""
        choices = _table().states[self.stack[-1]]
        return frozenset(
            name for name in choices if name.isupper() and self.after(name) is not None
        )

    def keywords(self) -> Iterator[str]:
        """Yield the terminals of words that may come next as keywords, and not just as names."""
        expected = self.expected()
        named = self.after("WORD")
        as_name = named.expected() if named is not None else frozenset()
        for terminal in SPELLINGS:
            if terminal not in expected or not SPELLINGS[terminal][0].isalpha():
                continue
            if terminal in SOFT_KEYWORDS and named is not None:
                following = self.after(terminal)
                if following is None or following.expected() <= as_name:
                    continue
            yield terminal


@dataclass(frozen=True, slots=True)
class _Table:
    states: Any
    start: int
    end: int


def _table() -> _Table:
    table = _KNOWN.get("table")
    if table is None:
        configuration = new_parser().parser_state.parse_conf
        table = _Table(
            configuration.parse_table.states, configuration.start_state, configuration.end_state
        )
        _KNOWN["table"] = table
    return table


_KNOWN: dict[str, _Table] = {}


@dataclass(frozen=True, slots=True)
class Draft:
    """A text around a cursor.

    Attributes:
        before: the tokens before the piece at the cursor, as far as they fit, filled up.
        after: the tokens behind it.
        start: the offset where the piece at the cursor begins.
        end: the offset behind it.
        typed: the piece as far as the cursor, without a quote.
        quote: the quote that opens the piece; empty where none does.
        written: the types of the tokens that stand in the text, before the cursor and behind it.
        state: where the parser stands at the piece.
        text: all of it.
    """

    before: tuple[Token, ...]
    after: tuple[Token, ...]
    start: int
    end: int
    typed: str
    quote: str
    written: tuple[tuple[str, ...], tuple[str, ...]]
    state: ParseState
    text: str

    def fits(self, name: str) -> bool:
        """Whether a name has the letters in it that are typed at the cursor."""
        return self.typed.casefold() in name.casefold()

    @property
    def in_brackets(self) -> bool:
        """Whether the cursor stands in parentheses or braces that are open before it."""
        opened = sum(token.type in ("LPAR", "LBRACE") for token in self.before)
        return opened > sum(token.type in ("RPAR", "RBRACE") for token in self.before)

    def with_text(self, put: str) -> str:
        """Return the text with another piece at the cursor."""
        return f"{self.text[: self.start]}{put}{self.text[self.end :]}"

    def with_tokens(self, *terminals: tuple[str, str]) -> Statement | None:
        """Return the statement with tokens at the cursor, filled up; None where they do not fit.

        Raises:
            FrameQLSyntaxError: the grammar accepts them, and the language does not.
            LimitExceeded: a literal is too long.
        """
        put = [_token(terminal, text, self.start) for terminal, text in terminals]
        return _statement([*self.before, *_filled([*put, *self.after], self.state, bool(put))])


def read_draft(text: str, offset: int) -> Draft | None:
    """Return a text around a cursor; None where nothing can be written there.

    That is within a comment, a number, or behind a sign that begins nothing.
    """
    offset = max(0, min(offset, len(text)))
    piece = _piece(text, offset)
    if piece is None:
        return None
    start, end, typed, quote = piece
    # The mark makes the words around it read as they will once something stands there.
    mark = " mark_of_cursor " if quote != "'" else " '' "
    tokens, _ = _lexed(text[:start] + mark + text[end:])
    before = [token for token in tokens if (token.end_pos or 0) <= start]
    after = [token for token in tokens if (token.start_pos or 0) >= start + len(mark)]
    before = _with_case(before)
    fitted, state = _fitted(before)
    written = tuple(token.type for token in before), tuple(token.type for token in after)
    return Draft(tuple(fitted), tuple(after), start, end, typed, quote, written, state, text)


def _piece(text: str, offset: int) -> tuple[int, int, str, str] | None:
    """Return where the piece at the cursor begins and ends, what is typed of it, and its quote."""
    prefix = text[:offset]
    tokens, stop = _lexed(prefix)
    if stop < offset:
        opening = prefix[stop]
        if opening in "'\"" and not (opening == '"' and "\n" in prefix[stop:]):
            typed = prefix[stop + 1 :].replace(opening * 2, opening)
            return stop, _closing(text, offset, opening), typed, opening
        return (stop, offset, "$", "") if prefix[stop:] == "$" else None
    last = tokens[-1] if tokens else None
    gap = prefix[(last.end_pos or 0) if last is not None else 0 :]
    if _LINE_COMMENT.search(_COMMENT.sub(" ", gap)):
        return None
    if last is not None and str(last).casefold() == "order" and not gap.strip():
        return last.start_pos or 0, offset, str(last), ""
    if last is None or gap:
        return offset, offset, "", ""
    if last.type in ("INT", "NUMBER"):
        return None
    begin = last.start_pos or 0
    if last.type == "QUOTED":
        return begin, offset, unquoted(str(last)), '"'
    if last.type == "DOLLAR" or str(last)[0].isalpha() or str(last)[0] == "_":
        rest = _REST_OF_WORD.match(text, offset)
        return begin, rest.end() if rest else offset, prefix[begin:], ""
    return offset, offset, "", ""


def _closing(text: str, offset: int, quote: str) -> int:
    """Return the offset behind the quote that closes the piece at the cursor, if one does."""
    line = text[offset:].split("\n", 1)[0]
    closed = line.count(quote) % 2 == 1
    return offset + line.index(quote) + 1 if closed else offset


def _lexed(text: str) -> tuple[list[Token], int]:
    """Return the tokens of a text up to the first sign that begins none, and where that stands."""
    try:
        return list(_lexer(text)), len(text)
    except UnexpectedCharacters as error:
        stop = error.pos_in_stream or 0
    return _lexed(text[:stop])[0], stop


def _lexer(text: str) -> Iterator[Token]:
    thread: Any = new_parser(text).lexer_thread
    tokens: Iterator[Token] = thread.lex(None)
    return tokens


def _with_case(tokens: list[Token]) -> list[Token]:
    """Return the tokens with a last CASE as a keyword: no WHEN could stand behind it yet."""
    if not tokens or tokens[-1].type != "WORD" or tokens[-1].upper() != "CASE":
        return tokens
    _, state = _fitted(tokens[:-1])
    last = tokens[-1]
    case = _token("CASE", str(last), last.start_pos or 0)
    operand_due = state.after("CASE") is not None and state.after("DOLLAR") is not None
    return [*tokens[:-1], case] if operand_due else tokens


def _token(terminal: str, text: str, start: int = 0) -> Token:
    return Token(terminal, text, start, 1, 1, 1, 1, start + len(text))


def _fitted(tokens: Iterable[Token]) -> tuple[list[Token], ParseState]:
    """Return the tokens filled up where something is missing between them, without what fits not.

    Of two names in a row in a list the first lacks its comma.
    """
    state, fitted = ParseState.start(), []
    for token in tokens:
        filled = _towards(state, token.type)
        if filled is not None:
            between, state = filled
            fitted += [*between, token]
    return fitted, state


def _filled(tokens: Sequence[Token], state: ParseState, put: bool) -> list[Token]:
    """Return tokens that follow a state filled up, and all that is missing at the end."""
    completed: list[Token] = []
    for at, token in enumerate(tokens):
        comma = state.after("COMMA")
        if put and at == 1 and comma is not None and token.type in NAMES:
            completed.append(_token("COMMA", ","))
            state = comma
        filled = _towards(state, token.type)
        if filled is not None:
            between, state = filled
            completed += [*between, token]
    filled = _towards(state, END)
    return completed if filled is None else [*completed, *filled[0]]


def _towards(state: ParseState, terminal: str) -> tuple[list[Token], ParseState] | None:
    """Return what has to be filled in before a terminal fits, and the state behind it."""
    between: list[Token] = []
    for _ in range(_MOST_FILLINGS):
        reached = state.after(terminal)
        if reached is not None:
            return between, reached
        filling = _next_filling(state, between[-1] if between else None)
        if filling is None:
            return None
        token, state = filling
        between.append(token)
    return None


def _next_filling(state: ParseState, before: Token | None) -> tuple[Token, ParseState] | None:
    for terminal, text in _FILLINGS:
        reached = state.after(terminal)
        if reached is not None:
            if terminal == "STRING" and before is not None:
                text = _DATED.get(before.type, text)
            return _token(terminal, text), reached
    return None


def _statement(tokens: Iterable[Token]) -> Statement | None:
    parser = new_parser()
    count = 0
    last = _token(END, "")
    try:
        for token in tokens:
            if token.type == "QUESTION":
                token = Token.new_borrow_pos("QUESTION", "?", token)
                token.value, count = cast(Any, count), count + 1
            parser.feed_token(token)
        statement = parser.feed_token(last)
    except UnexpectedToken:
        return None
    return replace(statement, explain=False) if isinstance(statement, Statement) else None
