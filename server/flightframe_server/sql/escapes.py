"""The tokens of a text with what JDBC and ODBC write in braces put as SQL has it.

What comes in: the tokens of a text. What goes out: tokens of SQL alone, each at the place of the
one it stands for. It must never touch what stands in quotes: a text is one token.

`{d '2024-01-31'}` and `{ts '2024-01-31 12:00:00'}` are a date and a timestamp, `{fn NOW()}` is
`NOW()`. A `?` becomes a placeholder with its number, since a tree does not keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Token, TokenType

PARAMETER = "p"
"""What the name of a numbered placeholder starts with."""

_COUNTED_OTHERWISE = frozenset({"DAYOFWEEK", "LENGTH", "WEEK"})
"""Functions that count otherwise in braces: ODBC's Sunday is 1, and DuckDB's is 0; ODBC's LENGTH
counts no blanks at the end."""

_LITERALS = {"D": (TokenType.DATE, "DATE"), "TS": (TokenType.TIMESTAMP, "TIMESTAMP")}


def standard_tokens(tokens: list[Token]) -> list[Token]:
    """Return tokens without escapes in braces and with numbered placeholders.

    Raises:
        ValueError: a brace that opens or closes no escape that is known, or a function that means
            something else there.
    """
    return list(_numbered(_without_braces(tokens)))


def _without_braces(tokens: list[Token]) -> Iterator[Token]:
    closing: list[int] = []
    for at, token in enumerate(tokens):
        if token.token_type is TokenType.R_BRACE:
            if not closing or closing.pop() not in (at, -1):
                raise ValueError("a brace closes nothing")
        elif token.token_type is TokenType.L_BRACE:
            word = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
            if word != "FN" and word not in _LITERALS:
                raise ValueError("a brace opens no escape that is known")
            if word == "FN" and at + 2 < len(tokens):
                _check_function(tokens[at + 2])
            # A literal ends after its text, a function where its brace does.
            closing.append(at + 3 if word in _LITERALS else -1)
        elif at and tokens[at - 1].token_type is TokenType.L_BRACE:
            kind = _LITERALS.get(token.text.upper())
            if kind is not None:
                yield _in_place(token, *kind)
        else:
            yield token
    if closing:
        raise ValueError("a brace is left open")


def _check_function(token: Token) -> None:
    if token.text.upper() in _COUNTED_OTHERWISE:
        raise ValueError("a function that counts otherwise in braces")


def _numbered(tokens: Iterator[Token]) -> Iterator[Token]:
    index = 0
    for token in tokens:
        if token.token_type is TokenType.PLACEHOLDER:
            yield _in_place(token, TokenType.COLON, ":")
            yield _in_place(token, TokenType.VAR, f"{PARAMETER}{index}")
            index += 1
        else:
            yield token


def _in_place(token: Token, type_: TokenType, text: str) -> Token:
    return Token(type_, text, token.line, token.col, token.start, token.end)
