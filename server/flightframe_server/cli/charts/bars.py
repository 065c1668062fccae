"""Bars: one for each row, beside its label and its value.

What comes in: labels with their values as numbers and as texts. What goes out: lines that fit a
width. It must never round what it writes: the length of a bar is about right, the number beside it
is the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from flightframe_server.cli.charts.scale import Scale, scale_of
from flightframe_server.cli.layout import padded

EIGHTHS = " ▏▎▍▌▋▊▉█"
HALF_RIGHT = "▐"
ASCII_FULL, ASCII_TRACE = "#", "|"
AREA_MIN = 6
LABEL_MIN = 6
STYLE = "cyan"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: what stands before it.
        text: its value in full.
        value: how long it is; None where the value is no number.
        group: the heading that it stands under; None for none.
    """

    label: str
    text: str
    value: float | None
    group: str | None = None


def bars(series: Sequence[Bar], width: int, *, ascii_only: bool) -> Iterator[Text]:
    """Yield the lines of a bar chart.

    Args:
        series: the bars, in the order of the answer.
        width: the places of a line.
        ascii_only: whether ASCII is all there is.
    """
    scale = scale_of((bar.value for bar in series if bar.value is not None), with_zero=True)
    indent = 2 if any(bar.group is not None for bar in series) else 0
    values = max((cell_len(bar.text) for bar in series), default=0)
    longest = max((cell_len(bar.label) for bar in series), default=0)
    room = width - indent - values - 2
    labels = min(longest, max(width // 3, LABEL_MIN, 0))
    area = room - labels - 1
    if area < AREA_MIN:
        labels = max(1, min(labels, room - 1 - AREA_MIN))
        area = room - labels - 1
    group = None
    for bar in series:
        if bar.group is not None and bar.group != group:
            group = bar.group
            yield Text(clipped(group, width, ascii_only=ascii_only), "bold")
        line = Text(
            " " * indent + padded(clipped(bar.label, labels, ascii_only=ascii_only), labels) + " "
        )
        line.append(padded(bar.text, values, right=True))
        if bar.value is not None and area > 0:
            line.append(" " + _bar_text(bar.value, scale, area, ascii_only=ascii_only), STYLE)
        line.rstrip()
        yield line


def clipped(text: str, width: int, *, ascii_only: bool) -> str:
    """Return a text cut to a width, with a sign where it was cut."""
    if cell_len(text) <= width:
        return text
    sign = "." if ascii_only else "…"
    return set_cell_size(text, max(0, width - 1)).rstrip() + sign


def _bar_text(value: float, scale: Scale, area: int, *, ascii_only: bool) -> str:
    """Return a bar from zero on, to the left for what is negative."""
    # The scale of the marks is wider than the values: a bar ends where its value does.
    zero = scale.share(0.0) * area
    end = scale.share(value) * area
    origin = round(zero)
    if value < 0:
        cells = max(0.0, zero - end)
        if ascii_only:
            return _ascii(cells).rjust(origin)
        full, half = int(cells), cells - int(cells) >= 0.5 or cells < 0.5
        return ((HALF_RIGHT if half else "") + EIGHTHS[-1] * full).rjust(origin)
    cells = max(0.0, end - zero) if value else 0.0
    if ascii_only:
        return " " * origin + (_ascii(cells) if value else "")
    full, eighths = int(cells), round((cells - int(cells)) * 8)
    part = EIGHTHS[max(eighths, 1 if value and not full else 0)]
    return " " * origin + EIGHTHS[-1] * full + part.strip()


def _ascii(cells: float) -> str:
    return ASCII_FULL * round(cells) or ASCII_TRACE
