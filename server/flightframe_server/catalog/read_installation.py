"""The text of an installation manifest to an `Installation`.

What comes in: the text of `installation.yaml`. What goes out: settings with their defaults, or one
`CatalogError` that names file, line and path. It must never touch the disk, nor echo a value: the
manifest may hold a password.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.findings import Spot
from flightframe_server.catalog.installation import (
    BackendSettings,
    EngineSettings,
    Installation,
    ServerSettings,
)
from flightframe_server.catalog.shape_errors import validated
from flightframe_server.catalog.shape_values import Name, Shape, Text


def _option(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str | int | float):
        return value
    raise PydanticCustomError("option", "expected text, a number, or true or false")


_Port = Annotated[int, Field(ge=0, le=65535)]
_DEFAULT_ENGINE = EngineSettings()
_DEFAULT_SERVER = ServerSettings()


class _BackendShape(Shape):
    type: Name
    source: Text
    options: dict[Name, Annotated[Any, AfterValidator(_option)]] = Field(default={})


class _EngineShape(Shape):
    enabled: bool = _DEFAULT_ENGINE.enabled
    max_bytes_per_ac: int = Field(default=_DEFAULT_ENGINE.max_bytes_per_ac, gt=0)
    store: Text = _DEFAULT_ENGINE.store


class _ServerShape(Shape):
    host: Text = _DEFAULT_SERVER.host
    flight_port: _Port = _DEFAULT_SERVER.flight_port
    http_port: _Port = _DEFAULT_SERVER.http_port


class _InstallationShape(Shape):
    id: Name
    collections: list[Text] = Field(min_length=1)
    backend: _BackendShape
    metric_engine: _EngineShape = _EngineShape()
    server: _ServerShape = _ServerShape()


def read_installation(text: str, file: str = "installation.yaml") -> Installation:
    """Read one installation manifest.

    Args:
        text: the whole file, at most 4 MiB.
        file: its name without a folder, for messages.

    Returns:
        The installation; paths are text as written.

    Raises:
        CatalogError: something in it is wrong: the first mistake in the file.
    """
    document = read_document(text, file)
    shape = validated(_InstallationShape, document)
    spot = Spot(document)
    _check(shape, spot)
    spot.stop_if_any()
    backend, engine, server = shape.backend, shape.metric_engine, shape.server
    return Installation(
        id=shape.id,
        collections=tuple(shape.collections),
        backend=BackendSettings(backend.type, backend.source, MappingProxyType(backend.options)),
        metric_engine=EngineSettings(engine.enabled, engine.max_bytes_per_ac, engine.store),
        server=ServerSettings(server.host, server.flight_port, server.http_port),
        file=file,
    )


def _check(shape: _InstallationShape, spot: Spot) -> None:
    seen: set[str] = set()
    for at, collection in enumerate(shape.collections):
        if collection in seen:
            spot.at("collections", at).report("this collection is listed twice")
        seen.add(collection)
    server = shape.server
    if server.flight_port and server.flight_port == server.http_port:
        spot.at("server", "http_port").report(
            "Flight and HTTP cannot share a port", "port 0 takes any free one"
        )
