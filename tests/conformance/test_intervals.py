"""Does what an interval moves become what it becomes in DuckDB, on every back-end and here?

Days around the ends of months, leap years, and days by chance of all years, each moved by intervals
of every unit; DuckDB is asked over the same table, with its own intervals.
"""

import datetime
import random

import duckdb
import pyarrow as pa
import pytest
from test_row_functions import NAMES, Rows

DAYS = [datetime.date(2024, month, day) for month in (1, 2, 3, 4, 12) for day in (1, 28, 29)]
DAYS += [datetime.date(year, month, 31) for year in (1899, 1999, 2023) for month in (1, 3, 8, 12)]
DAYS += [datetime.date(1900, 2, 28), datetime.date(2000, 2, 29), datetime.date(1969, 12, 31)]
MOVES = [
    (1, "month"),
    (-1, "month"),
    (13, "month"),
    (-25, "month"),
    (1, "quarter"),
    (-3, "quarter"),
]
MOVES += [(1, "year"), (-4, "year"), (100, "year"), (1, "week"), (-60, "day"), (366, "day")]


def table():
    seeded = random.Random(20)
    first, last = datetime.date(200, 1, 1).toordinal(), datetime.date(9800, 1, 1).toordinal()
    days = [*DAYS, *(datetime.date.fromordinal(seeded.randint(first, last)) for _ in range(200))]
    rows = []
    for k, day in enumerate(days):
        time = datetime.time(*(seeded.randint(0, most) for most in (23, 59, 59, 999_999)))
        rows.append({"k": k, "day": day, "moment": datetime.datetime.combine(day, time)})
    rows.append({"k": len(rows), "day": None, "moment": None})
    types = [("k", pa.int64()), ("day", pa.date32()), ("moment", pa.timestamp("us"))]
    return pa.Table.from_pylist(rows, pa.schema(types))


def written(column, count, unit):
    """As Frame-QL has it, with a sign before or within."""
    if count < 0 and unit == "month":
        return f"{column} + INTERVAL '{count} {unit}s'"
    return f"{column} {'-' if count < 0 else '+'} INTERVAL {abs(count)} {unit}"


@pytest.mark.parametrize(("column", "type_"), [("day", "date"), ("moment", "timestamp")])
def test_an_interval_moves_as_in_duckdb(column, type_, tmp_path):
    given = table()
    computed = [(written(column, *move), type_) for move in MOVES]
    columns = {"k": "integer", "day": "date", "moment": "timestamp"}
    made = Rows(tmp_path, columns, given, computed)
    try:
        with duckdb.connect() as connection:
            connection.register("given", given)
            for at, (count, unit) in enumerate(MOVES):
                moved = f"CAST({column} + INTERVAL ({count}) {unit} AS {type_})"
                rows = connection.execute(f"SELECT {moved} FROM given ORDER BY k").fetchall()
                wanted = [value for (value,) in rows]
                for name in NAMES:
                    assert made.values(at, name) == wanted, (computed[at][0], name)
    finally:
        made.close()
