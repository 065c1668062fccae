"""The thirteen stores of the retail demonstration.

What comes in: nothing, this is a list. What goes out: each store's row and its share of trade. It
must never be reordered: the position of a store is part of the counters that the draws hang on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Store:
    """One store.

    Attributes:
        region: Central, East or West.
        name: the store's own name.
        city: where it stands.
        opened: its first day, always before the first day of trade here.
        square_metres: sales floor.
        trade: its weight in the number of transactions.
    """

    region: str
    name: str
    city: str
    opened: date
    square_metres: int
    trade: int


STORES = (
    Store("Central", "Lakeshore", "Chicago", date(2009, 4, 18), 4120, 1505),
    Store("Central", "Foundry", "Milwaukee", date(2013, 9, 7), 2380, 998),
    Store("Central", "Gateway", "St. Louis", date(2011, 3, 26), 2910, 1116),
    Store("Central", "Stockyards", "Kansas City", date(2016, 5, 21), 2240, 905),
    Store("East", "Harbor Point", "Boston", date(2008, 10, 11), 3480, 1187),
    Store("East", "Market East", "Philadelphia", date(2010, 6, 5), 3050, 1012),
    Store("East", "Canton Row", "Baltimore", date(2014, 8, 30), 1960, 655),
    Store("East", "Three Rivers", "Pittsburgh", date(2018, 4, 14), 1720, 531),
    Store("West", "Pike", "Seattle", date(2009, 11, 14), 3260, 1148),
    Store("West", "Burnside", "Portland", date(2012, 7, 21), 2470, 872),
    Store("West", "Capitol", "Sacramento", date(2015, 3, 7), 2050, 640),
    Store("West", "Harborview", "San Diego", date(2017, 10, 28), 2620, 803),
    Store("West", "Foothill", "Boise", date(2021, 5, 15), 1340, 397),
)


def store_id(position: int) -> str:
    """Return the id of the store at a position of `STORES`: `S01` for 0."""
    return f"S{position + 1:02d}"
