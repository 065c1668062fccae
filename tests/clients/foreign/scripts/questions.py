"""What every client asks, word for word the same."""

BY_REGION = "SELECT region, SUM(amount) AS total AT region"
BY_REGION_IN = f"{BY_REGION} WHERE region = ?"
EVERY_TYPE = (
    "SELECT sale, moment, day, gift, amount, weight, pieces AT (sale, moment, day, gift)"
    " ORDER BY sale"
)
TICKS = "SELECT tick, reading AT tick"
LAST = "SELECT * FROM system.last_queries"
