"""What Prometheus is told over HTTP, and the spans of HTTP calls."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from flightframe_server.telemetry.tracing import NO_TRACING, Tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WRONG = {"source": "SELECT no_such_metric AT ()"}


def value(text: str, name: str, **labels: str) -> float:
    """Return the value of a sample; 0 where it was never counted."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def test_prometheus_reads_what_was_refused_over_http(client):
    labels = {"surface": "http", "code": "UNKNOWN_NAME"}
    before = value(client.get("/metrics").text, "flightframe_refusals_total", **labels)
    assert client.post("/runtime/query", json=WRONG).status_code == 404
    assert client.get("/nowhere").status_code == 404
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert value(reply.text, "flightframe_refusals_total", **labels) == before + 2


def test_where_credentials_are_asked_for_prometheus_brings_some(secured):
    with secured.client() as http:
        assert http.get("/metrics").status_code == 401
        labels = {"surface": "http", "code": "UNAUTHENTICATED"}
        reply = http.get("/metrics", auth=("alice", "correct horse"))
        assert reply.status_code == 200
        assert value(reply.text, "flightframe_refusals_total", **labels) >= 1


def test_a_call_over_http_is_spanned_in_the_trace_of_its_caller(open_shop, client):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    open_shop.opened.runtime.tracing = Tracing(provider)
    try:
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        client.post("/runtime/query", json=WRONG, headers=headers)
    finally:
        open_shop.opened.runtime.tracing = NO_TRACING
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["parse", "resolve", "http query"]
    assert {format(span.context.trace_id, "032x") for span in spans} == {TRACE}
    assert spans[-1].attributes["flightframe.code"] == "UNKNOWN_NAME"
