"""Charts in a terminal: which one an anchor gets, and what it shows of odd values."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from rich.cells import cell_len

from flightframe_server.cli.charts.by_anchor import MAX_MEMBERS, NoChart, Paper, chart
from flightframe_server.cli.charts.figures import figure
from flightframe_server.cli.charts.lines import HEIGHT, SMALL_HEIGHT, Canvas
from flightframe_server.cli.charts.scale import number_of, scale_of
from flightframe_server.cli.console import first_rows

SHOP = pa.table({"shop": ["a", "bb", None], "total": [4, 2, None]})
MONTHS = [datetime.date(2024, month, 1) for month in range(1, 7)]


def drawn(
    table: pa.Table,
    levels: int,
    width: int = 40,
    *,
    ascii_only: bool = False,
    bars: int | None = None,
    limit: int | None = None,
) -> list[str]:
    """Return the lines of a chart, the first columns of the table being levels."""
    rows = first_rows(table.schema, table.to_batches(), limit)
    marks = [at < levels for at in range(len(table.schema))]
    lines = [line.plain for line in chart(rows, marks, Paper(width, ascii_only, bars))]
    assert max(map(cell_len, lines), default=0) <= width
    return lines


def test_a_level_is_drawn_as_bars_beside_its_values() -> None:
    lines = drawn(SHOP, 1)
    assert lines[0] == "total"
    assert [line.split()[:2] for line in lines[1:4]] == [["a", "4"], ["bb", "2"], ["NULL", "NULL"]]
    long, short = (line.count("█") for line in lines[1:3])
    assert (long > 20, abs(long - 2 * short) <= 1) == (True, True)
    # NULL is no number: it has no bar, nor one of no length.
    assert lines[3].strip() == "NULL NULL"


def test_ascii_is_enough() -> None:
    lines = drawn(SHOP, 1, ascii_only=True)
    assert all(line.isascii() for line in lines)
    assert lines[1].count("#") == pytest.approx(2 * lines[2].count("#"), abs=1)


def test_negatives_are_drawn_to_the_left_of_zero() -> None:
    table = pa.table(
        {"shop": ["up", "down", "none"], "delta": [Decimal(10), Decimal(-5), Decimal(0)]}
    )
    _, up, down, none, _ = drawn(table, 1, ascii_only=True)
    assert up.index("#") > down.rindex("#")
    assert up.count("#") == pytest.approx(2 * down.count("#"), abs=1)
    assert "#" not in none


def test_a_small_value_is_no_zero() -> None:
    table = pa.table({"shop": ["all", "little", "none"], "n": [1_000_000, 1, 0]})
    _, _, little, none, _ = drawn(table, 1)
    assert "▏" in little
    assert none.split() == ["none", "0"]


def test_two_levels_are_groups() -> None:
    table = pa.table({"region": ["N", "N", "S"], "shop": ["a", "b", "c"], "n": [1, 2, 3]})
    lines = drawn(table, 2)
    assert [line.split()[0] for line in lines if line] == ["n", "N", "a", "b", "S", "c"]
    assert lines[2].startswith("  a")


def test_time_is_drawn_as_a_line() -> None:
    table = pa.table({"month": MONTHS, "n": [0, 10, 20, 30, 40, 50]})
    lines = drawn(table, 1, ascii_only=True)
    canvas = [line.split("|", 1)[1] for line in lines if "|" in line]
    at = [(number, row.index("*")) for number, row in enumerate(canvas) if "*" in row]
    # It rises: the lower the row, the further to the left the line.
    assert len(at) > 6
    assert [column for _, column in at] == sorted((column for _, column in at), reverse=True)
    assert lines[-2].split() == ["2024-01-01", "2024-06-01"]


def test_time_is_in_order_whatever_the_answer_is_ordered_by() -> None:
    values = [0, 10, 20, 30, 40, 50]
    forth = pa.table({"month": MONTHS, "n": values})
    back = pa.table({"month": MONTHS[::-1], "n": values[::-1]})
    assert drawn(forth, 1) == drawn(back, 1)


def test_a_line_is_broken_where_there_is_no_value() -> None:
    table = pa.table({"month": MONTHS, "n": [1, 1, None, None, 1, 1]})
    (row,) = [line for line in drawn(table, 1, ascii_only=True) if "*" in line]
    assert row.strip("| ").replace("*", "").strip("|0123456789. ") == ""
    assert " " * 10 in row.split("*", 1)[1]


def test_time_beside_another_level_is_a_line_for_each_member() -> None:
    table = pa.table({"month": MONTHS, "shop": ["a", "b"] * 3, "n": [1, 2, 3, 4, 5, 6]})
    lines = drawn(table, 2)
    assert [line for line in lines if line in ("a", "b")] == ["a", "b"]
    # Both have the same axis of time.
    assert [line.split() for line in lines].count(["2024-01-01", "2024-06-01"]) == 2


def test_no_level_is_a_big_number() -> None:
    table = pa.table({"total": [Decimal("1234.50")]})
    lines = drawn(table, 0, 60)
    assert lines[1:6] == figure("1,234.50", 60, ascii_only=False)
    # Where there is no room, it stands there as it is.
    assert drawn(table, 0, 12)[1] == "1,234.50"


def test_a_row_without_a_period_is_counted() -> None:
    table = pa.table({"month": [*MONTHS, None], "n": [1, 2, 3, 4, 5, 6, 7]})
    assert "1 row without month not drawn" in drawn(table, 1)


def test_a_thousand_rows() -> None:
    shops = pa.table({"shop": [f"shop {n}" for n in range(1000)], "n": range(1000)})
    lines = drawn(shops, 1, bars=100)
    assert len(lines) == 1 + 100 + 1 + 1
    assert lines[-2] == "… and 900 more rows"
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(n) for n in range(1000)]
    assert len(drawn(pa.table({"day": days, "n": range(1000)}), 1)) < 20


def test_one_row_and_none() -> None:
    one = pa.table({"month": MONTHS[:1], "n": [7]})
    assert sum("*" in line for line in drawn(one, 1, ascii_only=True)) == 1
    assert drawn(one.slice(0, 0), 1) == []
    assert drawn(SHOP.slice(0, 1), 1)[1].split()[:2] == ["a", "4"]


@pytest.mark.parametrize("label", ["a label that goes on and on and on and on", "東京都" * 10])
@pytest.mark.parametrize("width", [20, 40])
def test_long_and_wide_labels_are_cut_with_a_sign(label: str, width: int) -> None:
    lines = drawn(pa.table({"shop": [label], "n": [123456]}), 1, width)
    assert "…" in lines[1]
    assert "123456" in lines[1]


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [1e308, -1e308], [float("nan"), 1.0], [5e-324, 0.0]]
)
def test_odd_doubles_are_drawn(values: list[float]) -> None:
    assert drawn(pa.table({"shop": ["a", "b"], "n": values}), 1)
    assert drawn(pa.table({"month": MONTHS[:2], "n": values}), 1)


def test_what_has_no_chart_says_why() -> None:
    three = pa.table({"a": ["x"], "b": ["y"], "c": ["z"], "n": [1]})
    with pytest.raises(NoChart, match="3 levels"):
        drawn(three, 3)
    with pytest.raises(NoChart, match="no number"):
        drawn(pa.table({"a": ["x"], "first": ["y"]}), 1)


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0.0, 10.0], (0.0, 5.0, 10.0)),
        ([3.2, 11.0], (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)),
        ([-1.0, 1.0], (-1.0, -0.5, 0.0, 0.5, 1.0)),
    ],
)
def test_marks_are_round(values: list[float], marks: tuple[float, ...]) -> None:
    assert scale_of(values).marks == marks


def canvas_of(lines: list[str]) -> list[str]:
    """Return what is drawn to the right of the axis."""
    return [line.split("|", 1)[1] for line in lines if "|" in line]


def test_the_marks_of_a_line_go_up() -> None:
    lines = drawn(pa.table({"month": MONTHS, "n": [0, 10, 20, 30, 40, 50]}), 1, ascii_only=True)
    labels = [line.split("|")[0].strip() for line in lines if "|" in line]
    assert [label for label in labels if label] == ["60", "40", "20", "0"]
    assert (labels[0], labels[-1], len(labels)) == ("60", "0", HEIGHT)


def test_values_stand_flush_right() -> None:
    lines = drawn(pa.table({"shop": ["a", "b"], "n": [4, 123]}), 1, ascii_only=True)
    assert [line[:5] for line in lines[1:3]] == ["a   4", "b 123"]


def test_a_negative_has_half_a_block_where_it_is_small() -> None:
    _, _, little, _ = drawn(pa.table({"shop": ["a", "b"], "n": [-1_000_000, -1]}), 1)
    assert "▐" in little


def test_members_share_the_scale_and_the_axis_of_time() -> None:
    low = [{"month": month, "shop": "low", "n": 1} for month in MONTHS[:2]]
    high = [{"month": month, "shop": "high", "n": 9} for month in MONTHS]
    canvas = canvas_of(drawn(pa.Table.from_pylist(low + high), 2, ascii_only=True))
    first, second = canvas[:SMALL_HEIGHT], canvas[SMALL_HEIGHT:]
    assert len(second) == SMALL_HEIGHT
    (at_low,) = [number for number, row in enumerate(first) if "*" in row]
    (at_high,) = [number for number, row in enumerate(second) if "*" in row]
    assert at_low > at_high
    # A month is a fifth of the line.
    assert first[at_low].count("*") * 3 < second[at_high].count("*")


def test_further_lines_and_rows_are_counted() -> None:
    many = MAX_MEMBERS + 2
    table = pa.table({"month": MONTHS[:1] * many, "shop": [f"s{n}" for n in range(many)]})
    lines = drawn(table.append_column("n", pa.array(range(many))), 2)
    assert sum(line.startswith("s") for line in lines) == MAX_MEMBERS
    assert "… and 2 more lines" in lines
    months = pa.table({"month": MONTHS, "n": range(6)})
    assert "… and 2 more rows" in drawn(months, 1, limit=4)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_instants_are_of_the_calendar(zone: str | None) -> None:
    moments = [datetime.datetime(2024, 1, 1, hour) for hour in range(3)]
    table = pa.table({"at": pa.array(moments, pa.timestamp("us", zone)), "n": [1, 2, 4]})
    canvas = canvas_of(drawn(table, 1, 60, ascii_only=True))
    columns = [row.index("*") for row in canvas if "*" in row]
    assert len(canvas) == HEIGHT
    assert columns == sorted(columns, reverse=True)


@pytest.mark.parametrize(
    ("x", "y", "character"), [(0, 0, "⡀"), (1, 0, "⢀"), (0, 3, "⠁"), (1, 3, "⠈"), (1, 2, "⠐")]
)
def test_a_dot_is_a_dot_of_braille(x: int, y: int, character: str) -> None:
    canvas = Canvas(1, 1, ascii_only=False)
    canvas.dot(x, y)
    assert canvas.lines() == [character]


def test_what_is_a_number_to_draw() -> None:
    assert number_of(Decimal("2.5")) == 2.5
    assert [number_of(one) for one in (True, "1", None, float("inf"))] == [None] * 4
