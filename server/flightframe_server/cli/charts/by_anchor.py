"""The chart of an answer, chosen by its anchor.

What comes in: rows, and which of their columns are levels. What goes out: a chart for each metric:
a line where the only level is one of the calendar, bars where it is another, a line for each member
where there is one of both, grouped bars where there are two others, and big numbers where there is
none. It must never draw a part as if it were all: what is left out is counted.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from rich.text import Text

from flightframe.display import printable
from flightframe_server.cli.charts.bars import Bar, bars, clipped
from flightframe_server.cli.charts.figures import figure
from flightframe_server.cli.charts.lines import HEIGHT, SMALL_HEIGHT, Point, line_chart
from flightframe_server.cli.charts.scale import number_of, scale_of
from flightframe_server.cli.console import Rows, cell_text, counted, is_number

MAX_LEVELS = 2
MAX_MEMBERS = 12


@dataclass(frozen=True, slots=True)
class Paper:
    """What a chart is drawn on.

    Attributes:
        width: the places of a line.
        ascii_only: whether ASCII is all there is.
        bars: the most bars of a chart; None for all rows.
    """

    width: int
    ascii_only: bool
    bars: int | None


class NoChart(Exception):
    """An answer has no chart; its text says why."""


def chart(rows: Rows, levels: Sequence[bool], paper: Paper) -> Iterator[Text]:
    """Yield the lines of the charts of an answer.

    Args:
        rows: the answer.
        levels: for each column, whether it is a level.
        paper: where it is drawn.

    Raises:
        NoChart: there are too many levels, or no numbers.
    """
    fields = list(rows.schema)
    anchor = [at for at, level in enumerate(levels) if level]
    metrics = [at for at in range(len(fields)) if at not in anchor and is_number(fields[at].type)]
    if not metrics:
        raise NoChart("there is no number in it to draw")
    if len(anchor) > MAX_LEVELS:
        raise NoChart(f"it has {len(anchor)} levels, and a chart has at most {MAX_LEVELS}")
    if not rows.kept:
        return
    timed = [at for at in anchor if is_moment(fields[at].type)]
    others = [at for at in anchor if at not in timed]
    for metric in metrics:
        yield Text(
            clipped(printable(fields[metric].name), paper.width, ascii_only=paper.ascii_only),
            "bold",
        )
        if not anchor:
            yield from _figures(rows, metric, paper)
        elif len(timed) == 1 and len(others) <= 1:
            yield from _over_time(rows, timed[0], others[0] if others else None, metric, paper)
        else:
            yield from _bars(rows, anchor, metric, paper)
        yield Text()


def is_moment(kind: pa.DataType) -> bool:
    """Return whether a level of the type is one of the calendar."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _figures(rows: Rows, metric: int, paper: Paper) -> Iterator[Text]:
    for row in rows.kept:
        value = row[metric]
        text = cell_text(value, short=True)
        if number_of(value) is not None and not isinstance(value, float):
            text = f"{value:,}"
        for line in figure(text, paper.width, ascii_only=paper.ascii_only):
            yield Text(line, "cyan")


def _bars(rows: Rows, anchor: Sequence[int], metric: int, paper: Paper) -> Iterator[Text]:
    first = rows.kept[: paper.bars]
    series = [
        Bar(
            cell_text(row[anchor[-1]]),
            cell_text(row[metric], short=True),
            number_of(row[metric]),
            cell_text(row[anchor[0]]) if len(anchor) > 1 else None,
        )
        for row in first
    ]
    yield from bars(series, paper.width, ascii_only=paper.ascii_only)
    yield from _left_out(rows.count - len(first), "row")


def _over_time(
    rows: Rows, time: int, other: int | None, metric: int, paper: Paper
) -> Iterator[Text]:
    timed = [row for row in rows.kept if row[time] is not None]
    members: dict[Any, list[Point]] = {}
    for row in sorted(timed, key=lambda row: _moment(row[time])):
        point = Point(_moment(row[time]), cell_text(row[time]), number_of(row[metric]))
        members.setdefault(None if other is None else row[other], []).append(point)
    names = dict.fromkeys(row[other] for row in timed) if other is not None else {None: None}
    first = list(names)[:MAX_MEMBERS] if members else []
    points = [point for name in first for point in members[name]]
    scale = scale_of(point.value for point in points if point.value is not None)
    height = HEIGHT if other is None else SMALL_HEIGHT
    for name in first:
        if other is not None:
            yield Text(clipped(cell_text(name), paper.width, ascii_only=paper.ascii_only))
        ends = (min(points, key=_by_moment), max(points, key=_by_moment))
        yield from line_chart(
            members[name], ends, scale, paper.width, height, ascii_only=paper.ascii_only
        )
    yield from _left_out(len(names) - len(first), "line")
    yield from _left_out(rows.count - len(rows.kept), "row")
    untimed = len(rows.kept) - len(timed)
    if untimed:
        yield Text(f"{counted(untimed, 'row')} without {rows.schema.field(time).name} not drawn")


def _moment(value: datetime.date) -> float:
    if isinstance(value, datetime.datetime):
        return value.timestamp() if value.tzinfo else (value - _EPOCH).total_seconds()
    return value.toordinal() * 86_400.0


def _by_moment(point: Point) -> float:
    return point.moment


_EPOCH = datetime.datetime(1970, 1, 1)


def _left_out(count: int, noun: str) -> Iterator[Text]:
    if count > 0:
        yield Text(f"… and {counted(count, f'more {noun}')}")
