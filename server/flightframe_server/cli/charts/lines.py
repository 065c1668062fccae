"""Lines over time: points joined in their order, gaps where there is no value.

What comes in: moments with their values. What goes out: lines of text that fit a width, drawn in
dots of Braille, eight to a character, or in asterisks. It must never join over a gap: where a value
is NULL, the line is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from flightframe_server.cli.charts.scale import Scale
from flightframe_server.cli.layout import padded

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dots of a Braille character, row by row."""

BRAILLE = 0x2800
HEIGHT, SMALL_HEIGHT = 12, 5
AREA_MIN = 8
STYLE = "cyan"


@dataclass(frozen=True, slots=True)
class Point:
    """A moment as a number, its text, and its value; None where there is none."""

    moment: float
    label: str
    value: float | None


class Canvas:
    """Characters of 2 by 4 dots, or of one."""

    def __init__(self, width: int, height: int, *, ascii_only: bool) -> None:
        """Start empty; `width` and `height` count characters."""
        self.across, self.down = (1, 1) if ascii_only else (2, 4)
        self.width, self.height = width * self.across, height * self.down
        self._rows = [[0] * width for _ in range(height)]
        self._ascii_only = ascii_only

    def dot(self, x: int, y: int) -> None:
        """Draw a dot; `y` counts from the bottom."""
        line, column = self.height - 1 - y, x
        bits = 1 if self._ascii_only else DOTS[line % 4][column % 2]
        self._rows[line // self.down][column // self.across] |= bits

    def join(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Draw the dots of a straight line."""
        (x, y), (to_x, to_y) = start, end
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(steps + 1):
            self.dot(x + round((to_x - x) * step / steps), y + round((to_y - y) * step / steps))

    def lines(self) -> list[str]:
        """Return what was drawn."""
        if self._ascii_only:
            return ["".join(" *"[bits] for bits in row) for row in self._rows]
        return ["".join(chr(BRAILLE + bits) if bits else " " for bits in row) for row in self._rows]


def line_chart(
    points: Sequence[Point],
    ends: tuple[Point, Point],
    scale: Scale,
    width: int,
    height: int,
    *,
    ascii_only: bool,
) -> Iterator[Text]:
    """Yield the lines of a chart of one line.

    Args:
        points: in the order of time.
        ends: the first and the last point of the axis of time.
        scale: of the values.
        width: the places of a line.
        height: the lines of the chart, its axis not counted.
        ascii_only: whether ASCII is all there is.
    """
    marks = {
        height - 1 - round(scale.share(mark) * (height - 1)): scale.label(mark)
        for mark in scale.marks
    }
    names = max(map(cell_len, marks.values()))
    if width - names - 2 < AREA_MIN:
        names, marks = 0, {}
    area = max(2, width - names - 2 * (names > 0) - 1)
    canvas = Canvas(area, height, ascii_only=ascii_only)
    _draw(canvas, points, ends, scale)
    upright, corner, level = ("|", "+", "-") if ascii_only else ("│", "└", "─")
    for number, dots in enumerate(canvas.lines()):
        line = Text(padded(marks.get(number, ""), names, right=True) + " " * (names > 0), "dim")
        line.append(upright, "dim")
        line.append(dots.rstrip(), STYLE)
        yield line
    indent = " " * (names + (names > 0))
    yield Text(indent + corner + level * area, "dim")
    yield Text(indent + " " + _labels(ends, area), "dim")


def _draw(canvas: Canvas, points: Sequence[Point], ends: tuple[Point, Point], scale: Scale) -> None:
    first = ends[0].moment
    span = ends[1].moment - first
    before: tuple[int, int] | None = None
    for point in points:
        if point.value is None:
            before = None
            continue
        share = (point.moment - first) / span if span else 0.5
        at = (
            round(share * (canvas.width - 1)),
            round(scale.share(point.value) * (canvas.height - 1)),
        )
        canvas.join(before or at, at)
        before = at


def _labels(ends: tuple[Point, Point], area: int) -> str:
    """Return the labels of the first and the last point, as far as they have room."""
    first, last = ends[0].label, ends[1].label
    if ends[0].moment == ends[1].moment:
        return first.center(area).rstrip() if cell_len(first) <= area else ""
    blanks = area - cell_len(first) - cell_len(last)
    if blanks > 0:
        return first + " " * blanks + last
    return first if cell_len(first) <= area else ""
