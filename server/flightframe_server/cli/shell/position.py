"""Where the cursor stands in a query: which clause, which word, which text.

What comes in: the text before the cursor. What goes out: what may be completed there. It must never
parse: what is being typed is no query yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CLAUSES = ("SELECT", "FROM", "WHERE", "AT", "HAVING", "ORDER", "LIMIT")

_TOKEN = re.compile(
    r"'(?:[^']|'')*'(?!')|\"(?P<quoted>(?:[^\"]|\"\")*)\"|--[^\n]*|/\*.*?\*/|(?P<word>[^\W\d]\w*)|\S",
    re.DOTALL,
)
_WORD = re.compile(r"\w*\Z")
_OPEN_TEXT = re.compile(r"'((?:[^']|'')*)\Z")
_COMPARED = re.compile(r"(?:[=<>]|\bIN\s*\((?:[^()]*,)?|\bBETWEEN)\s*\Z", re.IGNORECASE)
_CALL = re.compile(r"([^\W\d]\w*)\s*\(\s*([^\W\d]\w*)\s*\)")


def _without_text(token: re.Match[str]) -> str:
    """Return blanks for a text or a comment, and anything else as it is."""
    spent = len(token[0]) > 1 and token[0][0] in "'-/"
    return " " * len(token[0]) if spent else token[0]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the cursor stands.

    Attributes:
        clause: the keyword of the clause, in capitals; empty before the first.
        word: what of a word is typed.
        text: what of a text in quotes is typed; None outside of quotes.
        compared: whether the word is compared with what stands before it.
        names: the words and the quoted names of the query so far, folded, in order, without what is
            being typed.
        calls: names that stand in brackets behind a word, folded, with that word in capitals.
    """

    clause: str
    word: str
    text: str | None
    compared: bool
    names: tuple[str, ...]
    calls: dict[str, str]


def position_of(before: str) -> Position:
    """Return where the cursor stands behind a text.

    >>> position = position_of("SELECT SUM(revenue) AS r AT re")
    >>> position.clause, position.word, position.calls
    ('AT', 're', {'revenue': 'SUM'})
    >>> position_of("SELECT revenue AT day WHERE region = 'We").text
    'We'
    >>> position_of("SELECT revenue AT day WHERE year_no IN (2023, 20").compared
    True
    """
    spent = _TOKEN.sub(_without_text, before)
    quote = _OPEN_TEXT.search(spent)
    text = None if quote is None else before[quote.start(1) :].replace("''", "'")
    head = spent[: quote.start()] if quote is not None else spent
    word = "" if quote is not None else _WORD.search(head)[0]  # type: ignore[index]
    ahead = head[: len(head) - len(word)]
    tokens = list(_TOKEN.finditer(ahead))
    words = [token["word"].upper() for token in tokens if token["word"]]
    clauses = [each for each in words if each in CLAUSES]
    names = [token["word"] or (token["quoted"] or "").replace('""', '"') for token in tokens]
    return Position(
        clauses[-1] if clauses else "",
        word,
        text,
        text is None and _COMPARED.search(ahead) is not None,
        tuple(name.casefold() for name in names if name),
        {call[2].casefold(): call[1].upper() for call in _CALL.finditer(head)},
    )
