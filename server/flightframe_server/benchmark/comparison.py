"""Two kept measurements beside each other: which ratios got worse.

What comes in: what `report.facts` made, twice. What goes out: each ratio before and after. It must
never compare times: they were of two moments, and perhaps of two machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NOISE = 0.2
"""How much worse a ratio may be without being told as worse."""


@dataclass(frozen=True, slots=True)
class Change:
    """One ratio in two measurements.

    Attributes:
        name: the path, the number of clients, and whom we are compared with.
        before: how many times as fast we were.
        after: how many times as fast we are.
    """

    name: str
    before: float
    after: float

    @property
    def share(self) -> float:
        """By which share it grew."""
        return self.after / self.before - 1

    def is_worse(self, noise: float = NOISE) -> bool:
        """Whether it shrank by more than noise."""
        return self.share < -noise


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Yield each ratio that both measurements have, in the order of the later one.

    Args:
        before: the facts of the earlier measurement.
        after: those of the later one.
    """
    known = dict(_ratios(before))
    for name, times in _ratios(after):
        if name in known:
            yield Change(name, known[name], times)


def _ratios(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for path in facts["paths"]:
        for one in path["compared"]:
            goal = one["goal"]
            name = f"{path['path']}, {path['clients']}, {goal['against']} ({goal['measure']})"
            yield name, one["times_as_fast"]["median"]
