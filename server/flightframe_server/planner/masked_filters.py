"""The filter of an entry as EXPLAIN and a refusal show it: without the values of other callers.

What comes in: the canonical texts of an entry's filter and of the reader's own. What goes out: the
texts with the levels and operators they hold, and with values only where the reader wrote the very
condition. It must never let through what it does not know to be no value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from flightframe_server.resolver.terms import is_computed, level_text

MASK = "…"

# Canonical text as `resolver.terms.text` writes it. These stay: quoted names, types of casts,
# functions, names. Everything else but punctuation is masked as a value.
_TOKEN = re.compile(
    r"""
      (?P<kept> "(?:[^"]|"")*" | [ ]as[ ]\w+(?:\(\d+,\d+\)|\[[^\]]*\])? | \w+(?=\() | [(),.] )
    | (?P<value> (?:\w+[ ])?'(?:[^']|'')*' | -?\d[\w.+-]* | -inf )
    | (?P<word> [^\W\d]\w* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_VALUE_WORDS = frozenset({"null", "true", "false", "inf", "nan"})
_LIST = re.compile(f"{MASK}(?:,{MASK})+")


def masked_filter(texts: Collection[str], own: Collection[str]) -> tuple[str, ...]:
    """Return the conjuncts of a filter as a reader may see them, each once.

    Args:
        texts: the canonical texts of the entry's conjuncts.
        own: those of the reader's question, which stay as they are.

    >>> masked_filter(["eq(product,'P0042')", "gt(day,date '2024-01-01')"], ["eq(product,'P0042')"])
    ("eq(product,'P0042')", 'gt(day,…)')
    """
    return tuple(dict.fromkeys(text if text in own else without_values(text) for text in texts))


def masked_anchor(anchor: Iterable[str], own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the levels of an entry's anchor as a reader may see them.

    Args:
        anchor: names of levels, and expressions that the anchor was computed by.
        own: the levels of the reader's question, which stay as they are.

    >>> masked_anchor((" eq(region,'East')", "day"))
    ('eq(region,…)', 'day')
    """
    return tuple(
        without_values(level_text(level))
        if is_computed(level) and level not in own
        else level_text(level)
        for level in anchor
    )


def without_values(text: str) -> str:
    """Return a canonical text with every value left out, and lists of them as one.

    >>> without_values("or(in(region,'East','O''Brien'),ge(round(price,1),-1.50))")
    'or(in(region,…),ge(round(price,…),…))'
    """
    return _LIST.sub(MASK, _TOKEN.sub(_masked, text))


def _masked(token: re.Match[str]) -> str:
    if token["kept"] is not None:
        return token["kept"]
    word = token["word"]
    return word if word is not None and word.lower() not in _VALUE_WORDS else MASK
