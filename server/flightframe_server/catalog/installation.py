"""The installation manifest as frozen values: which collections, which back-end, which server.

What comes in: nothing, `read_yaml` makes these. What goes out: settings with their defaults. It
must never touch the disk: paths are text as written, and the composition root resolves them
against the manifest's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_BUDGET = 1 << 30


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """Which database answers, and where it is."""

    type: str
    source: str
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Whether answers are kept, where, and how many bytes each collection may take."""

    enabled: bool = True
    max_bytes_per_ac: int = DEFAULT_BUDGET
    store: str = "./metric_engine"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens; port 0 means any free one."""

    host: str = "127.0.0.1"
    flight_port: int = 8815
    http_port: int = 8000


@dataclass(frozen=True, slots=True)
class Installation:
    """One whole installation manifest; `collections` are paths as written."""

    id: str
    collections: tuple[str, ...]
    backend: BackendSettings
    metric_engine: EngineSettings = EngineSettings()
    server: ServerSettings = ServerSettings()
    file: str = "installation.yaml"
