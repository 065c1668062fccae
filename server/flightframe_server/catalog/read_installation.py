"""The text of an installation manifest to an `Installation`.

What comes in: the text of `installation.yaml`. What goes out: settings with their defaults, or one
`CatalogError` that names file, line and path. It must never touch the disk, nor echo a value: the
manifest may hold a password.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.installation import (
    AuditSettings,
    AuthSettings,
    BackendSettings,
    EngineSettings,
    Installation,
    ServerSettings,
    SqlSettings,
    TlsSettings,
    TraceSettings,
)
from flightframe_server.catalog.limits import LimitsShape, SqlShape
from flightframe_server.catalog.shape_errors import validate
from flightframe_server.catalog.shape_values import Name, Shape, Text


def _option(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str | int | float):
        return value
    raise PydanticCustomError("option", "expected text, a number, or true or false")


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("rate", "expected a number")
    if not 0 < value <= 1:
        raise PydanticCustomError("rate", "expected more than 0 and at most 1")
    return float(value)


_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[1-9]\d{0,4})?")
"""As a browser writes it: in lower case, without a path or a slash behind it."""

_Port = Annotated[int, Field(ge=0, le=65535)]
_DEFAULT_ENGINE = EngineSettings()
_DEFAULT_SERVER = ServerSettings()
_DEFAULT_AUTH = AuthSettings()
_DEFAULT_AUDIT = AuditSettings()


class _BackendShape(Shape):
    type: Name
    source: Text
    options: dict[Name, Annotated[Any, AfterValidator(_option)]] = Field(default={})


class _EngineShape(Shape):
    enabled: bool = _DEFAULT_ENGINE.enabled
    max_bytes_per_ac: int = Field(default=_DEFAULT_ENGINE.max_bytes_per_ac, gt=0)
    store: Text = _DEFAULT_ENGINE.store


class _TlsShape(Shape):
    certificate: Text
    key: Text
    client_ca: Text | None = None
    require_client_certificate: bool | None = None


class _AuthShape(Shape):
    users: Text | None = _DEFAULT_AUTH.users
    tokens: Text | None = _DEFAULT_AUTH.tokens
    signing_key: Text | None = _DEFAULT_AUTH.signing_key
    session_seconds: int = Field(default=_DEFAULT_AUTH.session_seconds, gt=0, le=366 * 86_400)
    anonymous: bool = _DEFAULT_AUTH.anonymous
    operators: list[Text] = Field(default=[])


class _ServerShape(Shape):
    host: Text = _DEFAULT_SERVER.host
    flight_port: _Port = _DEFAULT_SERVER.flight_port
    http_port: _Port = _DEFAULT_SERVER.http_port
    tls: _TlsShape | None = None
    auth: _AuthShape | None = None
    cors_origins: list[Text] = Field(default=[])


class _AuditShape(Shape):
    mode: Literal["off", "sampled", "full"] = "off"
    rate: Annotated[Any, AfterValidator(_rate)] = Field(default=_DEFAULT_AUDIT.rate)
    values: bool = _DEFAULT_AUDIT.values


def _endpoint(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise PydanticCustomError("endpoint", "expected an address: http://host:4318/v1/traces")
    return value


class _TracesShape(Shape):
    endpoint: Annotated[Text, AfterValidator(_endpoint)]
    service: Name = "flightframe"
    share: Annotated[Any, AfterValidator(_rate)] = Field(default=1.0)


class _TelemetryShape(Shape):
    traces: _TracesShape | None = None


def _share(value: Any) -> Any:
    return 0.0 if value == 0 and not isinstance(value, bool) else _rate(value)


class _SqlShape(SqlShape):
    shadow: Annotated[Any, AfterValidator(_share)] = Field(default=SqlSettings().shadow)


class _InstallationShape(Shape):
    id: Name
    collections: list[Text] = Field(min_length=1)
    backend: _BackendShape
    metric_engine: _EngineShape = _EngineShape()
    server: _ServerShape = _ServerShape()
    limits: LimitsShape = LimitsShape()
    sql: _SqlShape = _SqlShape()
    audit: _AuditShape = _AuditShape()
    telemetry: _TelemetryShape = _TelemetryShape()


def read_installation(text: str, file: str = "installation.yaml") -> Installation:
    """Read one installation manifest.

    Args:
        text: the whole file, at most 4 MiB.
        file: its name without a folder, for messages.

    Returns:
        The installation; paths are text as written.

    Raises:
        CatalogError: something in it is wrong: the first mistake in the file; it carries the
            others.
    """
    document = read_document(text, file)
    shape = validate(_InstallationShape, document)
    cursor = Cursor(document)
    _check(shape, cursor)
    cursor.raise_if_any()
    backend, engine = shape.backend, shape.metric_engine
    limits = shape.limits.limits(shape.sql)
    return Installation(
        id=shape.id,
        collections=tuple(shape.collections),
        backend=BackendSettings(
            backend.type,
            backend.source,
            MappingProxyType(backend.options),
            limits.memory_bytes,
            limits.spill_bytes,
            limits.threads,
        ),
        metric_engine=EngineSettings(engine.enabled, engine.max_bytes_per_ac, engine.store),
        server=_server(shape.server),
        limits=limits,
        audit=AuditSettings(**shape.audit.model_dump()),
        traces=_traces(shape.telemetry.traces),
        sql=SqlSettings(shape.sql.shadow),
        file=file,
    )


def _traces(shape: _TracesShape | None) -> TraceSettings | None:
    return None if shape is None else TraceSettings(**shape.model_dump())


def _server(shape: _ServerShape) -> ServerSettings:
    tls, auth = shape.tls, shape.auth
    return ServerSettings(
        shape.host,
        shape.flight_port,
        shape.http_port,
        None if tls is None else TlsSettings(tls.certificate, tls.key, tls.client_ca),
        None if auth is None else AuthSettings(**{**auth.model_dump(), **_operators(auth)}),
        tuple(shape.cors_origins),
    )


def _operators(auth: _AuthShape) -> dict[str, tuple[str, ...]]:
    return {"operators": tuple(auth.operators)}


def _check(shape: _InstallationShape, cursor: Cursor) -> None:
    seen: set[str] = set()
    for at, collection in enumerate(shape.collections):
        if collection in seen:
            cursor.at("collections", at).report("this collection is listed twice")
        seen.add(collection)
    server = shape.server
    if server.flight_port and server.flight_port == server.http_port:
        cursor.at("server", "http_port").report(
            "Flight and HTTP cannot share a port", "port 0 takes any free one"
        )
    _check_tls(server.tls, cursor.at("server", "tls"))
    _check_origins(server.cors_origins, cursor.at("server"))
    auth = server.auth
    if auth is not None and auth.users is None and auth.tokens is None:
        cursor.at("server", "auth").report(
            "neither users nor tokens are named, so that no caller could be let in",
            "name a file: flightframe user add and flightframe token new write it",
        )


def _check_origins(origins: list[str], cursor: Cursor) -> None:
    """Refuse what is no origin, and `*`, which would let every page on the web ask."""
    for at, origin in enumerate(origins):
        if not _ORIGIN.fullmatch(origin):
            cursor.at("cors_origins", at).report(
                "this is not the origin of a page",
                "write its scheme, host and port: https://dashboards.example:3000",
            )


def _check_tls(tls: _TlsShape | None, cursor: Cursor) -> None:
    """Refuse what Flight cannot do: to ask for a client's certificate and not require it."""
    if tls is None:
        return
    required = tls.require_client_certificate
    if required and tls.client_ca is None:
        cursor.at("require_client_certificate").report(
            "a client's certificate cannot be checked without client_ca",
            "name the certificate of who signs them",
        )
    if required is False and tls.client_ca is not None:
        cursor.at("require_client_certificate").report(
            "a client's certificate is either required or not asked for",
            "leave client_ca out, or this key",
        )
