"""Where spans are sent, as `telemetry.traces` of a manifest says.

What comes in: settings. What goes out: a provider of spans. It must never let a server start
without the traces that its manifest asks for, and not say so.
"""

from __future__ import annotations

from opentelemetry.trace import TracerProvider

from flightframe_server.catalog.installation import TraceSettings
from flightframe_server.errors import SetupError


def open_provider(settings: TraceSettings) -> TracerProvider:
    """Return what sends the spans of an installation.

    Raises:
        SetupError: the packages for it are not installed.
    """
    try:
        from flightframe_server.telemetry.otlp import provider_of  # noqa: PLC0415
    except ImportError as error:
        raise SetupError(
            "telemetry.traces needs the packages of OpenTelemetry",
            hint='pip install "flightframe[otel]"',
        ) from error
    return provider_of(settings)
