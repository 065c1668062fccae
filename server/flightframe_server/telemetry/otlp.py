"""Spans sent over OTLP, in batches, by a thread of their own; needs the extra `otel`.

What comes in: settings. What goes out: a provider of spans. It must never be imported where no
traces are sent: its packages need not be installed there.
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from flightframe_server.catalog.installation import TraceSettings

EXPORT_SECONDS = 5.0
"""How long one batch is tried to be sent; the end of a server waits for its last."""


def provider_of(settings: TraceSettings) -> TracerProvider:
    """Return what sends the spans; an unreachable collector costs spans alone."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": settings.service}),
        sampler=ParentBased(TraceIdRatioBased(settings.share)),
    )
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
