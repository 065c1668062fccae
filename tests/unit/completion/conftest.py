"""The shop and the large collection, each behind an engine of its own, made once."""

import large_collection
import pytest
from engine_shop import collection, opened

from flightframe_server.answer import Runtime
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine.engine import MetricEngine


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A runtime over the shop."""
    folder = tmp_path_factory.mktemp("shop")
    engine = MetricEngine(collection(), folder / "store", opened(folder))
    yield Runtime("shop", {"shop": engine})
    engine.close()


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A runtime over the large collection."""
    folder = tmp_path_factory.mktemp("large")
    large_collection.write(folder / "large.duckdb")
    backend = DuckDBBackend(folder / "large.duckdb")
    declared = read_collection(large_collection.text())
    engine = MetricEngine(declared, folder / "store", backend)
    yield Runtime("large", {"large": engine})
    engine.close()
