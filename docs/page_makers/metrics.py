"""The page of what Prometheus reads.

What comes in: the registry of an installation with nothing in it. What goes out: the page. It must
never name a metric that the server does not have.
"""

from __future__ import annotations

from flightframe_server.runtime import Runtime
from flightframe_server.telemetry.collector import RuntimeCollector
from page_makers.markdown import HEADER, table

OURS = "flightframe"

LABELS = {
    "flightframe_questions": "`collection`, `served_from`, `route`",
    "flightframe_question_seconds": "`route`",
    "flightframe_refusals": "`surface`, `code`",
    "flightframe_backend_seconds": "`kind`",
    "flightframe_shadow_answers": "`collection`, `outcome`",
    "flightframe_statements_running": "",
    "flightframe_statements_waiting": "",
    "flightframe_streams_waiting": "",
    "flightframe": "`version`, `installation_id`",
}
OF_COLLECTIONS = "`collection`"
SUFFIXES = {"counter": "_total", "info": "_info", "histogram": "", "gauge": ""}


def metrics_page() -> str:
    """Return the page of metrics, traces and the dashboard."""
    runtime = Runtime("example", {})
    runtime.metrics.registry.register(RuntimeCollector(runtime))
    rows = [
        (
            f"`{family.name}{SUFFIXES[family.type]}`",
            family.type,
            LABELS.get(family.name, OF_COLLECTIONS),
            family.documentation,
        )
        for family in sorted(runtime.metrics.registry.collect(), key=lambda one: one.name)
        if family.name.startswith(OURS)
    ]
    lines = [
        HEADER,
        "# Metrics and traces",
        "",
        "`GET /metrics` answers in the text format of Prometheus. No label holds a text of a query,"
        " a filter or a value: labels are names of the installation and codes of the server.",
        "",
        *table(("metric", "kind", "labels", "what it counts"), rows),
        "",
        "`route` is `hot` (a finished answer given again), `exact` (an entry), `rollup`, `mixed`,"
        " `backend` or `streamed`; `served_from` has the [four labels](flight-sql.md) of answers;"
        " `code` is one of the [errors](errors.md). Beside them stand the numbers of the process"
        " that every client library of Prometheus has: memory, processor time, open files.",
        "",
        "[grafana-dashboard.json](grafana-dashboard.json) is a dashboard over them, to be imported"
        " as it is: questions by route, the share answered from the cache, latency by route,"
        " refusals by code, the database's time, entries and bytes by collection.",
        "",
        "## Traces",
        "",
        "    telemetry:",
        "      traces: {endpoint: 'http://127.0.0.1:4318/v1/traces', share: 0.1}",
        "",
        "in `installation.yaml` sends a span for each call of Arrow Flight and HTTP to a collector"
        " that takes OTLP over HTTP, and one for each step in it: `parse`, `resolve`, `plan`,"
        " `execute`, `compose`, `stream`. A caller that sends `traceparent` ([W3C Trace"
        " Context](https://www.w3.org/TR/trace-context/)) finds them in its own trace; of the other"
        " calls `share` are traced. A failed span has the code of the error and not its text. It"
        ' takes `pip install "flightframe[otel]"`; without `telemetry.traces` nothing is made or'
        " sent.",
    ]
    return "\n".join(lines) + "\n"
