"""The rules of a time zone, and an instant as that zone writes it.

What comes in: the name of a zone, and instants. What goes out: its rules, and texts with an offset.
It must never take another copy of the rules than that of the package `tzdata`, whatever the machine
or a database has: the same question must not have two answers because one copy is older.
"""

from __future__ import annotations

import datetime
import zoneinfo
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=128)
def rules(zone: str) -> zoneinfo.ZoneInfo:
    """Return a zone of `catalog.zones.zone_names` with its rules."""
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=zone)


def zoned_text(instant: datetime.datetime, zone: str) -> str:
    """Return an instant as a zone writes it: `2024-10-27T02:30:00+01:00`."""
    return instant.astimezone(rules(zone)).isoformat()
