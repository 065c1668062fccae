"""The same question over two protocols: Arrow Flight SQL with ADBC, and JSON over HTTP.

make demo                                in one terminal
.venv/bin/python examples/compare.py     in another
"""

from __future__ import annotations

import json
import os
import urllib.request
from decimal import Decimal

import adbc_driver_flightsql.dbapi

URI = os.environ.get("FLIGHTFRAME_URI", "grpc://127.0.0.1:8815")
HTTP_PORT = os.environ.get("FLIGHTFRAME_HTTP_PORT", "8000")
SOURCE = "SELECT region, SUM(revenue) AS total_revenue AT region"


def over_flight_sql() -> list[tuple[str, Decimal]]:
    """Return the rows as any ADBC program would read them."""
    with (
        adbc_driver_flightsql.dbapi.connect(URI, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(SOURCE)
        return [(region, total) for region, total in cursor.fetchall()]


def over_http() -> list[tuple[str, Decimal]]:
    """Return the rows as any program that speaks JSON would read them, decimals kept exact."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{HTTP_PORT}/runtime/query",
        json.dumps({"source": SOURCE}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        body = json.load(answer, parse_float=Decimal)
    return [(region, total) for region, total in body["rows"]]


def main() -> None:
    """Ask twice and compare."""
    one, other = over_flight_sql(), over_http()
    for region, total in one:
        print(f"{region:8} {total:>12}")
    print("the same over HTTP" if one == other else f"HTTP says {other}")


if __name__ == "__main__":
    main()
