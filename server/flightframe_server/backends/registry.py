"""Back-ends by the name that an installation gives them.

What comes in: the `backend` section of an installation. What goes out: an open back-end. It must
never import a driver that is not asked for: other packages offer theirs under the entry-point
group `flightframe.backends`, as a class with `open(settings, folder)`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.protocol import Backend
from flightframe_server.backends.sqlite.backend import SQLiteBackend
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import SetupError, did_you_mean, shown

GROUP = "flightframe.backends"


class BackendType(Protocol):
    """What an entry point offers."""

    def open(self, settings: BackendSettings, folder: Path) -> Backend:
        """Open the database; `folder` is where the installation's manifest stands."""
        ...


OWN: dict[str, type[DuckDBBackend | SQLiteBackend | PolarsBackend]] = {
    "duckdb": DuckDBBackend,
    "sqlite": SQLiteBackend,
    "polars": PolarsBackend,
}


def open_backend(settings: BackendSettings, folder: Path) -> Backend:
    """Open the back-end that an installation names.

    Raises:
        SetupError: no such type of back-end, or it cannot be opened.
    """
    if settings.type in OWN:
        return OWN[settings.type].open(settings, folder)
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if settings.type not in offered:
        known = sorted({*OWN, *offered})
        raise SetupError(
            f"there is no back-end of type {shown(settings.type)}",
            hint=did_you_mean(settings.type, known) or f"there is {', '.join(known)}",
        )
    return cast(BackendType, offered[settings.type].load()).open(settings, folder)
