"""The scale of a chart: round marks, and where a value lies between them.

What comes in: the least and the greatest value. What goes out: a scale. It must never fail for a
number: values that are equal, of either sign, or further apart than a double can say, have one too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

STEPS = (1.0, 2.0, 5.0, 10.0)
LEAST_SPAN = 1e-300
MARKS = 4
"""About how many marks a scale has."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of numbers with marks; `marks` go from its low end to its high end."""

    marks: tuple[float, ...]
    decimals: int

    @property
    def low(self) -> float:
        """The low end."""
        return self.marks[0]

    @property
    def high(self) -> float:
        """The high end."""
        return self.marks[-1]

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the low end, 1 at the high end."""
        half = self.high / 2 - self.low / 2
        return (value / 2 - self.low / 2) / half if half else 0.5

    def label(self, mark: float) -> str:
        """Return the text of a mark."""
        if mark and not 1e-6 <= abs(mark) < 1e15:
            return f"{mark:g}"
        return f"{mark:,.{self.decimals}f}"


def scale_of(values: Iterable[float], *, with_zero: bool = False) -> Scale:
    """Return a scale that holds all values.

    >>> scale_of([3.2, 11.0]).marks
    (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    >>> scale_of([0.1, 0.3], with_zero=True).label(0.1)
    '0.1'
    """
    known = [*values, *([0.0] if with_zero else [])]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if low == high:
        margin = abs(low) / 2 or 1.0
        low, high = low - margin, high + margin
    span = high - low
    if not LEAST_SPAN < span < math.inf:
        return Scale((low, high), 0)
    step = _step(span / MARKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    marks = tuple(number * step for number in range(first, last + 1))
    # Too close to each other for a double to tell marks between them.
    if len(set(marks)) < 2 or marks[0] > low or marks[-1] < high:
        marks = (low, high)
    return Scale(marks, max(0, -math.floor(math.log10(step) + 1e-9)))


def number_of(value: object) -> float | None:
    """Return a value as the number that is drawn; None where there is nothing to draw."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _step(least: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(least))
    return next((step * magnitude for step in STEPS if step * magnitude >= least), least)
