"""Spans of calls, read back from where they would be sent."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pyarrow import ArrowInvalid, flight

from flightframe_server.catalog import read_installation
from flightframe_server.catalog.installation import TraceSettings
from flightframe_server.errors import CatalogError, UnknownName
from flightframe_server.flight.server import FlightServer
from flightframe_server.telemetry import otlp
from flightframe_server.telemetry.exporter import open_provider
from flightframe_server.telemetry.tracing import NO_TRACING, Tracing, begin, step

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
MANIFEST = "id: t\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: x}\n"


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider)


def test_steps_are_children_of_their_call_and_the_call_of_its_caller(tracing, exporter):
    with tracing.call("DoGet", {"traceparent": PARENT}), step("parse"):
        pass
    inner, call = exporter.get_finished_spans()
    assert (inner.name, call.name) == ("parse", "DoGet")
    assert inner.parent.span_id == call.context.span_id
    assert format(call.context.trace_id, "032x") == TRACE
    assert format(call.parent.span_id, "016x") == "00f067aa0ba902b7"


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"traceparent": ""}])
def test_without_a_trace_of_its_caller_a_call_has_one_of_its_own(tracing, exporter, headers):
    with tracing.call("DoGet", headers):
        pass
    (call,) = exporter.get_finished_spans()
    assert call.parent is None


def test_a_failure_is_marked_by_its_code_and_tells_nothing_of_the_text(tracing, exporter):
    with pytest.raises(UnknownName), tracing.call("DoGet", {}), step("resolve"):
        raise UnknownName("there is no level 'secret-0042'")
    for span in exporter.get_finished_spans():
        assert span.attributes["flightframe.code"] == "UNKNOWN_NAME"
        assert "secret" not in span.to_json()


def test_outside_a_traced_call_nothing_is_made(tracing, exporter):
    with step("parse"):
        begin("stream")()
    with NO_TRACING.call("DoGet", {"traceparent": PARENT}), step("parse"):
        pass
    assert exporter.get_finished_spans() == ()


def test_what_goes_on_after_a_call_is_a_span_of_its_trace(tracing, exporter):
    with tracing.call("DoGet", {"traceparent": PARENT}):
        end = begin("stream")
    end()
    call, stream = exporter.get_finished_spans()
    assert (call.name, stream.name) == ("DoGet", "stream")
    assert stream.context.trace_id == call.context.trace_id


def test_a_question_over_flight_is_spanned_step_by_step(shop, tracing, exporter):
    shop.runtime.tracing = tracing
    options = flight.FlightCallOptions(headers=[(b"traceparent", PARENT.encode())])
    with FlightServer(shop.runtime) as server, flight.FlightClient(server.uri) as client:
        client.do_get(flight.Ticket(b"SELECT amount AT town"), options).read_all()
        names = [span.name for span in exporter.get_finished_spans()]
        assert names == ["parse", "resolve", "plan", "plan", "execute", "compose", "DoGet"]
        ids = {format(span.context.trace_id, "032x") for span in exporter.get_finished_spans()}
        assert ids == {TRACE}
        with pytest.raises(ArrowInvalid):
            client.do_get(flight.Ticket(b"SELECT amuont AT town"), options).read_all()
    assert exporter.get_finished_spans()[-1].attributes["flightframe.code"] == "UNKNOWN_NAME"


def test_a_manifest_says_where_spans_are_sent():
    told = "telemetry: {traces: {endpoint: 'http://127.0.0.1:4318/v1/traces', share: 0.5}}\n"
    settings = read_installation(MANIFEST + told).traces
    assert settings == TraceSettings("http://127.0.0.1:4318/v1/traces", "flightframe", 0.5)
    assert read_installation(MANIFEST).traces is None
    for wrong in ("nowhere", "ftp://host"):
        with pytest.raises(CatalogError, match="expected an address"):
            read_installation(MANIFEST + f"telemetry: {{traces: {{endpoint: '{wrong}'}}}}\n")


def test_an_unreachable_collector_stands_in_no_call_s_way(monkeypatch):
    monkeypatch.setattr(otlp, "EXPORT_SECONDS", 0.1)
    provider = open_provider(TraceSettings("http://127.0.0.1:9/v1/traces"))
    with Tracing(provider).call("DoGet", {}), step("parse"):
        pass
    provider.shutdown()
