"""What the shop holds, added up by hand from shop/tables.sql; nothing here comes from an answer.

What comes in: nothing. What goes out: rows and listings as JSON has them. It must never be made
from what the server says.
"""

from __future__ import annotations

NORTH = ["North", "0.30"]
SOUTH = ["South", "12345678.90"]
BY_REGION = [NORTH, SOUTH, [None, None]]
"""0.10 + 0.20; one sale; one whose store has no region and whose amount is unknown."""

ROWS = 1_200_000
TICKS = {"rows": ROWS, "sum": ROWS * (ROWS - 1) // 2}
"""0 + 1 + ... + 1,199,999."""

SALES = [
    {
        "sale": 1,
        "moment": "2024-02-28 09:30:00",
        "day": "2024-02-28",
        "gift": True,
        "amount": "0.10",
        "weight": 1.5,
        "pieces": 1,
    },
    {
        "sale": 2,
        "moment": "2024-02-29 23:59:59.000001",
        "day": "2024-02-29",
        "gift": False,
        "amount": "0.20",
        "weight": 0.25,
        "pieces": 2,
    },
    {
        "sale": 3,
        "moment": "2024-03-01 00:00:00",
        "day": "2024-03-01",
        "gift": None,
        "amount": "12345678.90",
        "weight": None,
        "pieces": 3,
    },
    {
        "sale": 4,
        "moment": None,
        "day": "2024-03-01",
        "gift": True,
        "amount": None,
        "weight": 2.5,
        "pieces": None,
    },
]
ARROW_TYPES = {
    "sale": "int64",
    "moment": "timestamp[us]",
    "day": "date32[day]",
    "gift": "bool",
    # SUM of decimal(12,2).
    "amount": "decimal128(38, 2)",
    "weight": "double",
    "pieces": "int64",
}

CATALOG, SCHEMA = "corner-shop", "shop"
TABLES = ["metrics", "sales", "stores", "ticks"]
SALES_COLUMNS = ["sale", "store", "day", "moment", "gift", "amount", "weight", "pieces"]
STORES_COLUMNS = ["store", "region"]

UNKNOWN_NAME = (
    "UNKNOWN_NAME: there is no metric or level regio (line 1, column 8). Hint: did you mean region?"
)
READS_ONLY = "READ_ONLY: this server only reads"
ENGINE_CACHE = "engine_cache"

WRONG_PASSWORD = "UNAUTHENTICATED: the user name or the password is wrong"
NO_CREDENTIALS = "UNAUTHENTICATED: this server asks for credentials"
