"""Meters that report around the days on which clocks jump, and what their reports add up to.

What comes in: a zone. What goes out: instants about its jumps, the tables that hold them, and the
sums by local hour, day, week, month, quarter and year, from `zoneinfo` and plain loops alone.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.protocol import Backend

UTC = datetime.UTC
QUARTER = datetime.timedelta(minutes=15)
MINUTE = datetime.timedelta(minutes=1)
LEVELS = ("hour", "day", "week", "month", "quarter", "year")

# Days in UTC about which reports are made, from noon to noon.
DAYS = {
    # Spring, autumn, a month of summer that begins at 22:00 UTC, and a year.
    "Europe/Berlin": ("2024-03-31", "2024-10-27", "2024-06-30", "2023-12-31"),
    # 45 minutes past the half hour; until 1986 it was the half hour.
    "Asia/Kathmandu": ("2024-03-31", "1985-12-31"),
    "Asia/Kolkata": ("2023-12-31",),
    # Half an hour forth and back.
    "Australia/Lord_Howe": ("2024-04-06", "2024-10-05"),
    # 30 December 2011 never was.
    "Pacific/Apia": ("2011-12-30",),
    # 4 November 2018 began at one; in February the day before was 25 hours long.
    "America/Sao_Paulo": ("2018-11-04", "2018-02-18"),
    "Africa/Cairo": ("2024-04-26", "2024-11-01"),
    # Midnight comes twice.
    "America/Havana": ("2024-11-03", "2024-03-10"),
    # One minute past midnight the clock goes back to the day before.
    "America/St_Johns": ("2010-11-07",),
    "Africa/Casablanca": ("2024-03-10", "2024-04-14"),
    "UTC": ("2024-02-29",),
}

COLLECTION = """\
version: 1
name: power
{timezone}
schemas:
  - {{name: readings, grain: [id], columns: {{id: id, moment: moment, kwh: kwh}}}}
dimension_families:
  - name: calendar
    levels: [moment, hour, day, week, month, quarter, year]
    edges:
{edges}
metric_families:
  - {{name: kwh, family_root: {{schema: readings, column: kwh}},
     ip_reducers: [{{operator: SUM, a_block: []}}]}}
"""
CHAIN = {
    "hour": "moment",
    "day": "hour",
    "week": "day",
    "month": "day",
    "quarter": "month",
    "year": "quarter",
}
STAR = dict.fromkeys(LEVELS, "moment")


def collection(zone: str | None, sources: dict[str, str]) -> str:
    """Return a collection in which each level is derived from the one named."""
    edges = "\n".join(
        f"      - {{from: {source}, to: {level}, derived_by: {level.upper()}_OF}}"
        for level, source in sources.items()
    )
    timezone = "" if zone is None else f"timezone: {zone}"
    return COLLECTION.format(timezone=timezone, edges=edges)


def instants(zone: str) -> list[datetime.datetime]:
    """Return a report for every quarter of an hour, and some off it."""
    found = []
    for day in DAYS[zone]:
        noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
        found += [noon + count * QUARTER for count in range(-96, 97)]
        found += [noon + count * 7 * QUARTER + MINUTE / 7 for count in range(-13, 13)]
    return found


def sums(zone: str, level: str, moments: list[datetime.datetime]) -> list[tuple[object, int]]:
    """Return what reports of 1, 2, 3, ... add up to by a period of the zone's clock, sorted."""
    found: dict[object, int] = defaultdict(int)
    for at, moment in enumerate(moments, start=1):
        found[period(zone, level, moment)] += at
    return sorted(found.items())


def period(zone: str, level: str, moment: datetime.datetime) -> object:
    """Return the period of a moment: its first day, or the instant at which its hour began."""
    known = zoneinfo.ZoneInfo(zone)
    local = moment.astimezone(known)
    day = local.date()
    match level:
        case "hour":
            return hour_began(known, moment)
        case "day":
            return day
        case "week":
            return day - datetime.timedelta(days=day.weekday())
        case "month":
            return datetime.date(day.year, day.month, 1)
        case "quarter":
            return datetime.date(day.year, {1: 1, 2: 4, 3: 7, 4: 10}[(day.month + 2) // 3], 1)
    return datetime.date(day.year, 1, 1)


def hour_began(known: zoneinfo.ZoneInfo, moment: datetime.datetime) -> datetime.datetime:
    """Walk back minute by minute for as long as the clock shows this hour without a jump."""

    def shows(at: datetime.datetime) -> tuple[object, ...]:
        local = at.astimezone(known)
        return local.date(), local.hour, local.utcoffset()

    began = moment.replace(second=0, microsecond=0)
    while shows(began - MINUTE) == shows(moment):
        began -= MINUTE
    return began.astimezone(UTC)


def write(folder: Path, moments: list[datetime.datetime], stored: str = "Asia/Tokyo") -> None:
    """Write reports of 1, 2, 3, ... as a DuckDB file and as Parquet in some zone."""
    number = pa.array(range(1, len(moments) + 1), pa.int64())
    at = pa.array(moments, pa.timestamp("us", stored))
    table = pa.table({"id": number, "moment": at, "kwh": number})
    (folder / "parquet").mkdir(parents=True)
    pq.write_table(table, folder / "parquet" / "readings.parquet")
    with duckdb.connect(str(folder / "power.duckdb")) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE readings AS SELECT * FROM given")


def opened(folder: Path, name: str) -> Backend:
    """Open what `write` wrote."""
    if name == "duckdb":
        return DuckDBBackend(folder / "power.duckdb")
    return PolarsBackend(folder / "parquet")
