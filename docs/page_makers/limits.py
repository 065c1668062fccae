"""The page of every limit of an installation, with its default.

What comes in: the shape of the section `limits`. What goes out: the page. It must never state a
default that the shape does not have.
"""

from __future__ import annotations

from typing import Any

from flightframe_server.catalog.limits import LIVE_LIMITS, LimitsShape, SqlShape
from page_makers.markdown import HEADER, table

MOST_SHOWN = 1 << 30


_UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "bytes": 1}


def limits_page() -> str:
    """Return the page of every limit of an installation, with its default."""
    columns = ("key", "default", "at most", "changes by", "what it bounds")
    lines = [
        HEADER,
        "# Limits",
        "",
        "The section `limits` of [installation.yaml](operations.md#the-installation); every key may"
        " be left out. They hold over Flight, Flight SQL and HTTP alike. What passes one is refused"
        " with `LIMIT_EXCEEDED`, unless the table names another [error](errors.md); a stream ends"
        " with it. Nothing is ever cut to size. A changed one holds after a"
        " [reload](operations.md#reload-without-a-restart), but for those that need a restart.",
        "",
        *table(columns, _rows(LimitsShape)),
        "",
        "Bytes and seconds are plain numbers: `statement_timeout: 2.5`, `result_bytes: 1073741824`."
        " Those of the database alone are refused for other back-ends than DuckDB, which cannot"
        " keep them; `memory_limit`, `max_temp_directory_size` and `threads` under"
        " `backend.options` come before them.",
        "",
        "The section `sql` bounds what [SQL](sql.md) does with whole answers:",
        "",
        *table(columns, _rows(SqlShape)),
    ]
    return "\n".join(lines) + "\n"


def _rows(shape: type[LimitsShape] | type[SqlShape]) -> list[tuple[str, ...]]:
    return [
        (
            f"`{name}`",
            default_text(name, field.default),
            most_text(field),
            "reload" if name in LIVE_LIMITS else "restart",
            f"{field.description}",
        )
        for name, field in shape.model_fields.items()
    ]


def default_text(name: str, value: object) -> str:
    """Return a default as a reader counts it: bytes in the largest unit that fits."""
    if value is None:
        return ""
    if name.endswith("_bytes") and isinstance(value, int):
        unit = next(unit for unit, size in _UNITS.items() if value % size == 0)
        return f"{value // _UNITS[unit]} {unit}"
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}"


def most_text(field: Any) -> str:
    """Return the most that a limit may be set to, where that is worth a word."""
    most = next((item.le for item in field.metadata if hasattr(item, "le")), None)
    return "" if most is None or most > MOST_SHOWN else f"{most:,}"
