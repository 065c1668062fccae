"""The installation manifest as frozen values: which collections, which back-end, which server.

What comes in: nothing, `read_yaml` makes these. What goes out: settings with their defaults. It
must never touch the disk: paths are text as written, and the composition root resolves them
against the manifest's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flightframe_server.catalog.limits import DEFAULT_LIMITS, Limits

DEFAULT_BUDGET = 1 << 30


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """Which database answers, where it is, and what it may take; None: what it likes."""

    type: str
    source: str
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    memory_bytes: int | None = None
    spill_bytes: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Whether answers are kept, where, and how many bytes each collection may take."""

    enabled: bool = True
    max_bytes_per_ac: int = DEFAULT_BUDGET
    store: str = "./metric_engine"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The files of TLS: the server's certificate and key, and who signs those of its clients."""

    certificate: str
    key: str
    client_ca: str | None = None


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may ask.

    Attributes:
        users: the file of users and the hashes of their passwords.
        tokens: the file of lasting tokens' hashes.
        signing_key: the file of the secret that signs sessions; None: a new one in each process.
        session_seconds: how long the token of a Handshake is good.
        anonymous: whether a call without credentials is answered.
        operators: the users who may change what is served.
    """

    users: str | None = None
    tokens: str | None = None
    signing_key: str | None = None
    session_seconds: int = 12 * 3600
    anonymous: bool = False
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens, and how it is protected; port 0 means any free one.

    `cors_origins` are the addresses of pages elsewhere that a browser lets ask.
    """

    host: str = "127.0.0.1"
    flight_port: int = 8815
    http_port: int = 8000
    tls: TlsSettings | None = None
    auth: AuthSettings | None = None
    cors_origins: tuple[str, ...] = ()

    @property
    def certified(self) -> bool:
        """Whether a client must show a certificate."""
        return self.tls is not None and self.tls.client_ca is not None


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Which calls the log tells of.

    Attributes:
        mode: `off`; `sampled`: those that are refused, and of the others a share; `full`: all.
        rate: that share.
        values: whether with the values of their queries.
    """

    mode: str = "off"
    rate: float = 0.01
    values: bool = False


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """What is done beside answering SQL: `shadow` is the share that is checked; 0: none."""

    shadow: float = 0.0


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where the spans of calls are sent.

    Attributes:
        endpoint: the address of a collector that takes OTLP over HTTP.
        service: the name that the spans are told under.
        share: of the calls that no caller's trace decides about; 1: all.
    """

    endpoint: str
    service: str = "flightframe"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Installation:
    """One whole installation manifest; `collections` are paths as written."""

    id: str
    collections: tuple[str, ...]
    backend: BackendSettings
    metric_engine: EngineSettings = EngineSettings()
    server: ServerSettings = ServerSettings()
    limits: Limits = DEFAULT_LIMITS
    audit: AuditSettings = AuditSettings()
    traces: TraceSettings | None = None
    sql: SqlSettings = SqlSettings()
    file: str = "installation.yaml"
