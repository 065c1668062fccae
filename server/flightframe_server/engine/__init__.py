"""The metric engine: carries out plans, remembers what it fetched, warms up."""

from flightframe_server.engine.engine import MetricEngine
from flightframe_server.planner.identity import Domain

__all__ = ["Domain", "MetricEngine"]
