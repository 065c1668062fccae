"""The names in an entry's key: which family it is of, and which levels a filter names.

What comes in: canonical texts of keys. What goes out: names that the collection declares. It must
never let a value of a filter out: what is no declared name is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

# Canonical text as `resolver.terms.text` writes it: texts and moments are quoted by ', names by ".
_TOKEN = re.compile(
    r"""(?:\w+[ ])?'(?:[^']|'')*' | "(?P<quoted>(?:[^"]|"")*)" | (?P<plain>[^\W\d]\w*)(?!\w*\()""",
    re.VERBOSE,
)
_FILTERED = " where "


def family_of(identity: str) -> str:
    r"""Return the name of the family in the identity of an entry.

    >>> family_of("revenue"), family_of('"unit price" where eq(region,\'East\')')
    ('revenue', 'unit price')
    """
    if identity.startswith('"'):
        match = _TOKEN.match(identity)
        if match is not None and match["quoted"] is not None:
            return match["quoted"].replace('""', '"')
    return identity.partition(_FILTERED)[0]


def own_filter(identity: str) -> str:
    r"""Return the text of the filter in the identity of an entry; empty: it has none.

    >>> own_filter('"a where b" where gt(day,date \'2024-01-01\')')
    "gt(day,date '2024-01-01')"
    """
    begun = 0
    if identity.startswith('"') and (match := _TOKEN.match(identity)) is not None:
        begun = match.end()
    return identity[begun:].partition(_FILTERED)[2]


def levels_in(texts: Iterable[str], levels: Collection[str]) -> tuple[str, ...]:
    """Return the levels that conditions name, sorted, each once.

    >>> levels_in(["eq(region,'day')", "in(store,'S1','S2')"], {"region", "store", "day"})
    ('region', 'store')
    """
    named = {
        match["plain"] or (match["quoted"] or "").replace('""', '"')
        for text in texts
        for match in _TOKEN.finditer(text)
    }
    return tuple(sorted(named.intersection(levels)))
