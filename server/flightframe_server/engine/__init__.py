"""The metric engine: carries out plans, remembers what it fetched, warms up."""

from flightframe_server.algebra.reducers import Domain
from flightframe_server.engine.engine import MetricEngine

__all__ = ["Domain", "MetricEngine"]
