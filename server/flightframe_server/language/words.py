"""The words of Frame-QL: which of them are kept from being names, and in which order clauses stand.

What comes in: nothing, these are tables; a test holds them to the grammar. What goes out: what
`format` needs to know when a name wants quotes, and `syntax_errors` to name a misspelled keyword.
It must never know what a name means.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# A name written without quotes must match; anything else takes quotes.
UNQUOTED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# ORDER and BY are names each; only the pair is a keyword, and a name is never such a pair.
HARD_KEYWORDS = words(
    "select from where at having limit as and or not in is like between distinct true false null"
)

CLAUSES = {
    "SELECT": "SELECT",
    "FROM": "FROM",
    "WHERE": "WHERE",
    "AT": "AT",
    "HAVING": "HAVING",
    "ORDER_BY": "ORDER BY",
    "LIMIT": "LIMIT",
}
CLAUSE_ORDER = "SELECT, FROM, WHERE, AT, HAVING, ORDER BY, LIMIT"

# Terminals of the grammar whose text is fixed, as a reader writes them.
SPELLINGS = CLAUSES | {
    "EXPLAIN": "EXPLAIN",
    "PER": "PER",
    "OFFSET": "OFFSET",
    "NULLS": "NULLS",
    "FIRST": "FIRST",
    "LAST": "LAST",
    "ASC": "ASC",
    "DESC": "DESC",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "FILTER": "FILTER",
    "CAST": "CAST",
    "EXTRACT": "EXTRACT",
    "POSITION": "POSITION",
    "INTERVAL": "INTERVAL",
    "ROLLUP": "ROLLUP",
    "CUBE": "CUBE",
    "GROUPING_SETS": "GROUPING SETS",
    "CASE": "CASE",
    "WHEN": "WHEN",
    "THEN": "THEN",
    "ELSE": "ELSE",
    "END": "END",
    "AS": "AS",
    "AND": "AND",
    "OR": "OR",
    "NOT": "NOT",
    "IN": "IN",
    "IS": "IS",
    "LIKE": "LIKE",
    "BETWEEN": "BETWEEN",
    "DISTINCT": "DISTINCT",
    "TRUE": "TRUE",
    "FALSE": "FALSE",
    "NULL": "NULL",
    "KNOWN": "KNOWN",
    "ASCRIBE": "@",
    "COMMA": ",",
    "CONCAT": "||",
    "DOT": ".",
    "LBRACE": "{",
    "LPAR": "(",
    "MINUS": "-",
    "PERCENT": "%",
    "PLUS": "+",
    "QUESTION": "?",
    "RBRACE": "}",
    "RPAR": ")",
    "SEMICOLON": ";",
    "SLASH": "/",
    "STAR": "*",
}

# What a name may be spelled with besides WORD and QUOTED.
SOFT_KEYWORDS = words("EXPLAIN PER OFFSET NULLS FIRST LAST ASC DESC DATE TIMESTAMP KNOWN")

# Names that are keywords inside a CASE alone, and functions that are keywords as such.
CASE_NAMES = words("case when then else end")
CLAUSE_FUNCTIONS = words("FILTER CAST EXTRACT POSITION ROLLUP CUBE")


def needs_quotes(name: str) -> bool:
    """Return whether `name` must stand in double quotes to be read back as a name."""
    return name.lower() in HARD_KEYWORDS or UNQUOTED_NAME.fullmatch(name) is None


# The phrase for a set of acceptable terminals, in the order of a message: where all of the first
# set are acceptable, the message has the phrase, which covers the second set.
_OPERATORS = words(
    "CMP PLUS MINUS CONCAT STAR SLASH PERCENT ASCRIBE AND OR NOT IN IS LIKE BETWEEN DOT FILTER"
)
_NAMES = SOFT_KEYWORDS | {"WORD", "QUOTED"}
_PARAMETERS = frozenset({"QUESTION", "DOLLAR"})
_LITERALS = words("INT NUMBER STRING DATE TIMESTAMP TRUE FALSE NULL PLUS MINUS")
_GROUPS: tuple[tuple[frozenset[str], str, frozenset[str]], ...] = (
    (
        frozenset({"WORD", "INT", "LPAR"}),
        "an expression",
        _NAMES
        | _LITERALS
        | _PARAMETERS
        | {"LPAR", "NOT", "CASE", "CAST", "EXTRACT", "POSITION", "INTERVAL"},
    ),
    (frozenset({"CMP", "PLUS"}), "an operator", _OPERATORS | {"LPAR"}),
    (frozenset({"CMP"}), "a comparison", frozenset({"CMP", "IN", "LIKE", "BETWEEN", "IS", "NOT"})),
    (frozenset({"PLUS", "STAR"}), "an operator", _OPERATORS | {"LPAR"}),
    (frozenset({"AND", "OR"}), "AND or OR", frozenset({"AND", "OR"})),
    (frozenset({"WORD", "AS"}), "an alias", _NAMES | {"AS"}),
    (frozenset({"WORD"}), "a name", _NAMES | {"LBRACE"}),
    (frozenset({"INT", "STRING"}), "a literal", _LITERALS),
    (frozenset({"INT", "NUMBER"}), "a number", frozenset({"INT", "NUMBER"})),
    (frozenset({"INT"}), "a whole number", frozenset({"INT"})),
    (frozenset({"STRING"}), "a text in single quotes", frozenset({"STRING"})),
    (_PARAMETERS, "a parameter", _PARAMETERS),
)


def expected_words(expected: frozenset[str], end: str) -> str:
    """Return a few human words for the terminals that would have fitted.

    Args:
        expected: names of terminals of the grammar, `$END` for the end of the text.
        end: what the end of the text is called.
    """
    phrases = []
    rest = set(expected) - {"SEMICOLON", "DOT"}
    for terminals, phrase, covered in _GROUPS:
        if terminals <= rest:
            phrases.append(phrase)
            rest -= covered
    phrases.extend(
        word if word[0].isalpha() else f"`{word}`"
        for kind, word in SPELLINGS.items()
        if kind in rest
    )
    if "$END" in rest:
        phrases.append(end)
    *others, last = phrases or ["nothing more"]
    return f"{', '.join(others)} or {last}" if others else last
