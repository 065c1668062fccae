"""The evaluator of windowed metrics gives the rows that were written down by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from periods_by_hand import back, begin, following, moved, window
from time_by_hand import CALENDAR, Answer, Column, Fact

VECTORS = yaml.safe_load(Path(__file__).with_name("time_vectors.yaml").read_text(encoding="utf-8"))
REFUSED = [
    ("day", "iso_year"),
    *(("week", level) for level in ("month", "quarter", "year")),
    *((grain, "iso_year") for grain in ("month", "quarter", "year")),
    ("iso_year", "year"),
    ("iso_year", "month"),
]


def day_of(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def value_of(cell: Any) -> Any:
    return Decimal(cell) if isinstance(cell, str) else cell


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_the_rows_of_a_vector(vector):
    anchor = vector["anchor"]
    facts = [
        Fact(region, store, date.fromisoformat(day), value_of(value))
        for region, store, day, value in vector["facts"]
    ]
    columns = [Column(*told) for told in vector["columns"]]
    view = tuple(map(day_of, vector["view"]))
    rows = Answer(facts, anchor, columns, view, spine="spine" in vector).rows()
    expected = [
        (
            *(
                day_of(cell) if level in CALENDAR else cell
                for level, cell in zip(anchor, row[: len(anchor)], strict=True)
            ),
            *map(value_of, row[len(anchor) :]),
        )
        for row in vector["rows"]
    ]
    assert sorted(map(str, rows)) == sorted(map(str, expected))


@pytest.mark.parametrize(("grain", "level"), REFUSED)
def test_a_period_that_becomes_no_period_is_refused(grain, level):
    with pytest.raises(ValueError, match=f"{grain} by {level}"):
        moved(grain, begin(grain, date(2024, 5, 6)), level, 1)


def test_a_leap_day_is_read_by_two_days():
    assert back("day", date(2024, 2, 29), "year", 1) == date(2023, 2, 28)
    assert back("day", date(2024, 2, 28), "year", 1) == date(2023, 2, 28)
    assert back("day", date(2024, 2, 29), "year", 4) == date(2020, 2, 29)


def test_week_53_has_none_before_it():
    last_of_2020 = date(2020, 12, 28)
    assert back("week", last_of_2020, "iso_year", 1) is None
    assert back("week", date(2021, 1, 4), "iso_year", 1) == date(2019, 12, 30)


@pytest.mark.parametrize("grain", CALENDAR)
def test_periods_follow_each_other_without_a_gap(grain):
    day = date(2019, 12, 25)
    for _ in range(900):
        first = begin(grain, day)
        end = following(grain, first)
        assert first <= day < end
        assert begin(grain, end) == end
        assert begin(grain, end - timedelta(days=1)) == first
        day += timedelta(days=1)


def test_a_week_is_seven_days():
    for number in range(60):
        day = date(2024, 2, 1) + timedelta(days=number)
        assert window("day", day, "week", 2) == window("day", day, "day", 14)
