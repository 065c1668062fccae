"""The ratios as a picture: who is faster where, seen in five seconds.

What comes in: results. What goes out: SVG. A bar to the right of the middle line says that we are
faster, on a logarithmic scale; a tick says what must be reached. It must never need a script, a
font or a file of elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from flightframe_server.benchmark.measuring import Compared, PathResult

WIDTH, LEFT, RIGHT = 960, 400, 110
ROW, TOP = 24, 64
DECADES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
REACHED, MISSED, TOLD = "#1a7f5a", "#c2410c", "#64748b"


@dataclass(frozen=True, slots=True)
class Bar:
    """One comparison: how many times as fast we are, and the least that is wanted."""

    label: str
    times: float
    low: float
    high: float
    wanted: float | None
    met: bool | None


def svg(results: Iterable[PathResult]) -> str:
    """Return the picture of some results."""
    bars = list(_bars(results))
    height = TOP + ROW * len(bars) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="17" font-weight="600" fill="#0f172a">'
        "How many times as fast flightframe is</text>",
        f'<text x="16" y="46" fill="{TOLD}">logarithmic; a tick is what must be reached;'
        " ratios of one run on one machine</text>",
        *_scale(height),
        *(line for at, bar in enumerate(bars) for line in _bar(bar, TOP + ROW * at)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bars(results: Iterable[PathResult]) -> Iterator[Bar]:
    for result in results:
        for one in result.compared:
            many = f" ({result.clients} clients)" if result.clients > 1 else ""
            yield _as_bar(f"{result.path}{many} / {one.goal.against}", one)


def _as_bar(label: str, one: Compared) -> Bar:
    found = one.times_as_fast
    return Bar(label, found.median, found.low, found.high, one.wanted, one.met)


def _x(times: float) -> float:
    low, high = math.log10(DECADES[0]), math.log10(DECADES[-1])
    share = (math.log10(min(max(times, DECADES[0]), DECADES[-1])) - low) / (high - low)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _scale(height: int) -> Iterator[str]:
    for times in DECADES:
        x, weight = _x(times), 2 if times == 1.0 else 1
        colour = "#0f172a" if times == 1.0 else "#e2e8f0"
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 30}"'
            f' stroke="{colour}" stroke-width="{weight}"/>'
        )
        yield (
            f'<text x="{x:.1f}" y="{height - 12}" fill="{TOLD}"'
            f' text-anchor="middle">{times:g}x</text>'
        )


def _bar(bar: Bar, y: int) -> Iterator[str]:
    colour = {None: TOLD, True: REACHED, False: MISSED}[bar.met]
    one, end = _x(1.0), _x(bar.times)
    left, width = min(one, end), max(abs(end - one), 1.0)
    yield (
        f'<text x="{LEFT - 12}" y="{y + 13}" text-anchor="end" fill="#0f172a">'
        f"{escape(bar.label)}</text>"
    )
    yield (
        f'<rect x="{left:.1f}" y="{y + 2}" width="{width:.1f}" height="14" rx="2" fill="{colour}"/>'
    )
    yield (
        f'<line x1="{_x(bar.low):.1f}" x2="{_x(bar.high):.1f}" y1="{y + 9}" y2="{y + 9}"'
        ' stroke="#0f172a" stroke-width="1.5"/>'
    )
    if bar.wanted is not None:
        x = _x(bar.wanted)
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2}" y2="{y + 20}" stroke="#0f172a"'
            ' stroke-width="2"/>'
        )
    yield (
        f'<text x="{WIDTH - RIGHT + 12}" y="{y + 13}" fill="{colour}" font-weight="600">'
        f"{bar.times:.3g}x</text>"
    )
