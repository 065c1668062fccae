"""Spans of the path of a query, for OpenTelemetry.

What comes in: the names of the steps of a question, and the trace that a caller's headers name.
What goes out: spans, where an installation exports them; nothing where it does not. It must never
hold a text of a query nor a value: a span has the names of steps, collections, routes and codes.

The specification of the headers: W3C Trace Context, https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACER = "flightframe"
HEADERS = ("traceparent", "tracestate")

_PROPAGATOR = TraceContextTextMapPropagator()
_NOTHING = nullcontext()
_TRACER: ContextVar[Tracer | None] = ContextVar("tracer of the call", default=None)


class Tracing:
    """Makes the spans of one installation.

    Args:
        provider: where they go; None: nowhere.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """Take a tracer of the provider."""
        self._tracer = None if provider is None else provider.get_tracer(TRACER)

    @property
    def on(self) -> bool:
        """Whether spans are made."""
        return self._tracer is not None

    def call(self, name: str, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Span one call of a surface, in the trace that its headers name, or one of its own.

        Args:
            name: of the call, such as `DoGet`.
            headers: by their names in small letters.
        """
        return _NOTHING if self._tracer is None else _call(self._tracer, name, headers)


NO_TRACING = Tracing()
"""Makes no spans."""


def step(name: str, **attributes: str | int | float | bool) -> AbstractContextManager[None]:
    """Span one step of the call that this thread answers, where its calls are traced."""
    tracer = _TRACER.get()
    return _NOTHING if tracer is None else _step(tracer, name, attributes)


def begin(name: str) -> Callable[[], None]:
    """Begin the span of what goes on after the call, such as a stream; returns what ends it."""
    tracer = _TRACER.get()
    return _do_nothing if tracer is None else tracer.start_span(name).end


def _do_nothing() -> None:
    pass


@contextmanager
def _call(tracer: Tracer, name: str, headers: Mapping[str, str]) -> Iterator[None]:
    names = {key: headers[key] for key in HEADERS if key in headers}
    token = contexts.attach(_PROPAGATOR.extract(names, context=contexts.Context()))
    current = _TRACER.set(tracer)
    try:
        with (
            tracer.start_as_current_span(
                name,
                kind=SpanKind.SERVER,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
            _code_of_failure(span),
        ):
            yield
    finally:
        _TRACER.reset(current)
        contexts.detach(token)


@contextmanager
def _step(
    tracer: Tracer, name: str, attributes: Mapping[str, str | int | float | bool]
) -> Iterator[None]:
    with (
        tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span,
        _code_of_failure(span),
    ):
        yield


@contextmanager
def _code_of_failure(span: trace.Span) -> Iterator[None]:
    """Mark a span as failed, by the code alone: the text of an error repeats what was asked."""
    try:
        yield
    except Exception as error:
        code = str(getattr(error, "code", "INTERNAL"))
        span.set_attribute("flightframe.code", code)
        span.set_status(Status(StatusCode.ERROR, code))
        raise
