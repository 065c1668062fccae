"""What the server counts, over HTTP, and the trace that a request names."""

from __future__ import annotations

import re

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from web_shop import TOTAL, shop

from flightframe_server.telemetry.tracing import Tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"


def number(text: str, name: str, **labels: str) -> float:
    """Return a metric's value in a text of Prometheus; 0 where it is not there."""
    for line in text.splitlines():
        match = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
        if match and labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', match[1] or "")).items():
            return float(match[2])
    return 0.0


def test_questions_and_refusals_are_counted(tmp_path):
    with shop(tmp_path) as running, running.client() as client:
        for source in (TOTAL, TOTAL, "SELECT", "SELECT"):
            client.post("/runtime/query", json={"source": source})
        client.get("/nowhere")
        client.delete("/runtime/statements/x")
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        text = answer.text
    questions = "flightframe_questions_total"
    assert number(text, questions, collection="shop", served_from="engine_backend") == 1
    assert number(text, questions, collection="shop", served_from="engine_cache") == 1
    refusals = "flightframe_refusals_total"
    assert number(text, refusals, surface="http", code="PARSE") == 2
    assert number(text, refusals, surface="http", code="UNKNOWN_NAME") == 1
    assert number(text, refusals, surface="http", code="NOT_PERMITTED") == 1
    assert number(text, "flightframe_entries", collection="shop") == 1


def test_openmetrics_is_given_to_who_would_rather_have_it(client):
    openmetrics = "application/openmetrics-text; version=1.0.0"
    answer = client.get("/metrics", headers={"accept": openmetrics})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_request_is_a_span_of_the_trace_that_it_names(tmp_path):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with shop(tmp_path) as running, running.client() as client:
        running.opened.runtime.tracing = Tracing(provider)
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        client.post("/runtime/query", json={"source": TOTAL}, headers=headers)
    spans = exporter.get_finished_spans()
    assert {"http query", "parse", "resolve"} <= {span.name for span in spans}
    assert {format(span.context.trace_id, "032x") for span in spans} == {TRACE}
    assert all(TOTAL not in str(span.attributes) for span in spans)
