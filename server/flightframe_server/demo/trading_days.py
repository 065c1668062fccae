"""The 443 trading days of the retail demonstration, and how busy each of them is.

What comes in: nothing. What goes out: days, months and integer weights by weekday, season and
holiday. 443 days from 2023-01-01 end on 2024-03-18 and touch exactly 15 calendar months. It must
never give a day the weight 0: the daily summary is dense.
"""

from __future__ import annotations

from datetime import date, timedelta

FIRST_DAY = date(2023, 1, 1)
DAY_COUNT = 443
MONTH_COUNT = 15

WEEKDAY_TRADE = (88, 85, 90, 97, 119, 136, 94)
MONTH_TRADE = (87, 85, 92, 95, 100, 103, 101, 99, 95, 98, 112, 136)
MONTH_STOCK = (94, 96, 100, 103, 105, 103, 101, 102, 106, 114, 121, 108)
HOLIDAY_PERCENT = {
    date(2023, 1, 1): 38,
    date(2023, 4, 9): 45,
    date(2023, 5, 29): 124,
    date(2023, 7, 4): 62,
    date(2023, 9, 4): 121,
    date(2023, 11, 23): 28,
    date(2023, 11, 24): 188,
    date(2023, 11, 25): 131,
    date(2023, 12, 24): 84,
    date(2023, 12, 25): 14,
    date(2023, 12, 26): 118,
    date(2024, 1, 1): 40,
    date(2024, 2, 19): 115,
}
# Trade grows by a fifth of a per mille of the first day's with each day: about 9 % in all.
GROWTH_BASE, GROWTH_PER_DAY = 10_000, 2


def days() -> list[date]:
    """Return the trading days, first to last."""
    return [FIRST_DAY + timedelta(days=index) for index in range(DAY_COUNT)]


def months() -> list[date]:
    """Return the first of each calendar month that has a trading day."""
    return sorted({day.replace(day=1) for day in days()})


def day_trade() -> list[int]:
    """Return the weight of each trading day, before any noise."""
    return [
        WEEKDAY_TRADE[day.weekday()]
        * MONTH_TRADE[day.month - 1]
        * HOLIDAY_PERCENT.get(day, 100)
        * (GROWTH_BASE + GROWTH_PER_DAY * index)
        for index, day in enumerate(days())
    ]
