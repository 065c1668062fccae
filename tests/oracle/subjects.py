"""The collections under test, each laid out once: its tables, a back-end, an engine for each route.

A folder holds `ac.yaml`, and `tables.sql` or, where the tables come from elsewhere, `load.py` with
a function `load(connection)`, or both.
"""

import importlib.util
from functools import cache
from pathlib import Path

import duckdb

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

HERE = Path(__file__).parent
# DuckDB shares one database of a process between connections of one configuration.
SAME_CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
}


def lay_tables(name, path):
    """Make the database of a collection."""
    folder = HERE / name
    with duckdb.connect(str(path)) as connection:
        if (folder / "load.py").exists():
            spec = importlib.util.spec_from_file_location(f"load_{name}", folder / "load.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.load(connection)
        if (folder / "tables.sql").exists():
            connection.execute((folder / "tables.sql").read_text())


class Subject:
    """One collection over its data: an engine that remembers, one that never does, one streaming.

    The data never moves, so it is surveyed once for each engine, and a case that wants an empty
    store empties the one there is.
    """

    def __init__(self, name, folder):
        self.collection = read_collection((HERE / name / "ac.yaml").read_text())
        path = folder / f"{name}.duckdb"
        lay_tables(name, path)
        self.backend = DuckDBBackend(path)
        self._raw = duckdb.connect(str(path), read_only=True, config=SAME_CONFIG)
        self.remembering = MetricEngine(self.collection, folder / name, self.backend)
        self.forgetful = MetricEngine(self.collection, folder, self.backend, enabled=False)
        self.streaming = MetricEngine(
            self.collection, folder, self.backend, enabled=False, stream_rows=-1
        )
        self._rows = cache(lambda sql: self._raw.execute(sql).fetchall())

    def expected(self, case):
        """Return a case's rows: written by hand, or had by its own SQL over the raw tables."""
        return [tuple(row) for row in case["rows"]] if "rows" in case else self._rows(case["sql"])

    def forget(self, keep=lambda record: False):
        """Drop every entry but those to keep."""
        store = self.remembering.store
        store.drop([record.entry_id for record in store.records() if not keep(record)])

    def asker(self, engine):
        """Return a function that asks an engine, with no finished answers kept from before."""
        serving = Runtime("test", {self.collection.name: engine})
        return lambda query, parameters=(): answer(
            Request(query, tuple(enumerate(parameters))), serving
        )

    def close(self):
        self._raw.close()
        self.remembering.close()
        self.backend.close()
