"""What a construct is called in the text that it stands in.

What comes in: a tree, and the tokens that it was read from. What goes out: the tree with the word
of each function noted, and the name of any construct for an error. It must never show a name that
only the parser has: STRING_AGG and GROUP_CONCAT are one node, and each writer knows one word.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import Token, TokenType, exp

from flightframe_server.errors import shown
from flightframe_server.sql.places import place_of

_WORD = "word"
_BETWEEN = frozenset({TokenType.L_PAREN, TokenType.DISTINCT, TokenType.ALL})
_SIGNS: Mapping[type[exp.Expr], str] = {
    exp.Bracket: "[...]",
    exp.Tuple: "(..., ...)",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "^",
    exp.BitwiseNot: "~",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseRightShift: ">>",
    exp.DPipe: "||",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.IntDiv: "DIV",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.Order: "ORDER BY",
    exp.RegexpLike: "RLIKE",
    exp.SimilarTo: "SIMILAR TO",
    exp.IgnoreNulls: "IGNORE NULLS",
    exp.RespectNulls: "RESPECT NULLS",
    exp.WithinGroup: "WITHIN GROUP",
    exp.AtTimeZone: "AT TIME ZONE",
    exp.GroupingSets: "GROUPING SETS",
    exp.CurrentTime: "CURRENT_TIME",
}
"""How a construct is written that is no call, where that is not the name of its node."""


def with_words(tree: exp.Expr, tokens: list[Token], source: str) -> exp.Expr:
    """Return a tree whose functions know the words that they are written with."""
    places: dict[int, int] | None = None
    for node in tree.find_all(exp.Func):
        meta = node.meta
        if "start" in meta:
            node.meta[_WORD] = source[meta["start"] : meta["end"] + 1]
            continue
        places = places or {token.start: at for at, token in enumerate(tokens)}
        at = _before(tokens, places.get(place_of(node).start))
        if at is not None:
            node.meta[_WORD] = tokens[at].text
    return tree


def _before(tokens: list[Token], at: int | None) -> int | None:
    """Return the token that stands before the parenthesis of what is called with a token."""
    if at is None:
        return None
    behind = at
    while at > 0 and tokens[at - 1].token_type in _BETWEEN:
        at -= 1
    opened = at < behind and tokens[at].token_type is TokenType.L_PAREN
    called = at > 0 and tokens[at - 1].text.replace("_", "a").isalnum()
    return at - 1 if opened and called else None


def word_of(node: exp.Expr) -> str:
    """Return what a construct is called, in capitals: by its writer, else by the dialects."""
    word = node.meta.get(_WORD)
    if isinstance(node, exp.Anonymous):
        word = node.name
    elif word is None and type(node) in _SIGNS:
        word = _SIGNS[type(node)]
    elif word is None and isinstance(node, exp.Func):
        word = node.sql_names()[0]
    return shown(str(word or node.key)).strip("_").upper()
