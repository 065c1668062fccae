"""The stanza of a hint as text: to be pasted by a person, or put into ac.yaml.

What comes in: families, anchors, how often they were asked. What goes out: YAML that says the same
when it is read. It must never write a name that YAML would read as something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flightframe_server.catalog.scalars import scalar_value

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Line breaks and marks that YAML sees inside a quoted text, and JSON leaves as they are.
_ESCAPED = {"\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\uFEFF", "\xa0": "\\_"}


@dataclass(frozen=True, slots=True)
class Promotion:
    """One anchor of a family to be hinted.

    Attributes:
        family: the metric family.
        anchor: its levels, in the order in which they are to be written.
        remark: what is said beside it, without the sign of a comment; empty: nothing.
    """

    family: str
    anchor: tuple[str, ...]
    remark: str = ""

    def __str__(self) -> str:
        """Return `revenue @ (day, region)`."""
        return f"{self.family} @ ({', '.join(self.anchor)})"


def stanza(family: str, file: str, promotions: Iterable[Promotion]) -> str:
    """Return what a person adds to a family, with a first line that says where.

    >>> print(stanza("revenue", "ac.yaml", [Promotion("revenue", ("day",), "asked often")]))
    # Add to metric_family 'revenue' in ac.yaml:
    cache_hint:
      materialize_at:
        - [day]   # asked often
    """
    lines = [f"# Add to metric_family '{family}' in {file}:", *hint_lines(promotions)]
    return "\n".join(lines)


def hint_lines(promotions: Iterable[Promotion]) -> Sequence[str]:
    """Return the lines of a whole `cache_hint`, from its first column."""
    return ["cache_hint:", "  materialize_at:", *(f"    {item_line(one)}" for one in promotions)]


def item_line(promotion: Promotion) -> str:
    """Return one item of a list in block style, with its remark."""
    return f"- {anchor_text(promotion.anchor)}{remark_text(promotion)}"


def remark_text(promotion: Promotion) -> str:
    """Return a promotion's remark as a comment that ends a line; empty where it has none."""
    return f"   # {promotion.remark}" if promotion.remark else ""


def anchor_text(anchor: Iterable[str]) -> str:
    """Return an anchor as a list in flow style.

    >>> anchor_text(["day", "unit price", "no", "null"])
    '[day, "unit price", no, "null"]'
    """
    return f"[{', '.join(map(name_text, anchor))}]"


def name_text(name: str) -> str:
    """Return a name as YAML, quoted unless it is a plain word that means itself."""
    if _PLAIN.fullmatch(name) and scalar_value(name) == name:
        return name
    quoted = json.dumps(name, ensure_ascii=False)
    return "".join(_ESCAPED.get(letter, letter) for letter in quoted)


def remark_of(hits: int, days: float) -> str:
    """Return how often something was asked, as the stanza says it.

    >>> remark_of(142, 9.0), remark_of(1, 1.0)
    ('Engine-recommended: 142 hits / 9 days = 15.8 hits/day', \
'Engine-recommended: 1 hit / 1 day = 1.0 hits/day')
    """
    day_count = f"{days:.1f}".removesuffix(".0")
    counted = f"{hits} hit{'' if hits == 1 else 's'}"
    counted_days = f"{day_count} day{'' if day_count == '1' else 's'}"
    return (
        f"Engine-recommended: {counted} / {counted_days} = {hits / float(day_count):.1f} hits/day"
    )
