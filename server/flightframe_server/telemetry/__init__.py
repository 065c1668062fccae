"""What operators measure: counters and durations for Prometheus, spans for OpenTelemetry.

Below the path of a query, which tells it what happened; it never looks anything up itself, and no
answer depends on it.
"""
