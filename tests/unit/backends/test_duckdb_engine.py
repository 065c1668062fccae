"""A file that is overwritten, as the questions of an engine over it find it."""

import pytest
from duckdb_shop import copy, replace, write

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.planner.plan import Freshness

COLLECTION = """
version: 1
name: shop
schemas:
  - {name: sales, table: sales, grain: [sale], columns: {sale: sale, shop: shop, amount: amount}}
dimension_families:
  - {name: place, levels: [shop]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount},
     ip_reducers: [{operator: SUM, a_block: []}]}
"""
NO_CACHE = Freshness(no_cache=True)
OF_ONES, OF_SEVENS = [("S0", 10), ("S1", 10)], [("S0", 70), ("S1", 70)]


class Engine:
    """An engine over a file and a store."""

    def __init__(self, folder):
        self.backend = DuckDBBackend(folder / "data.duckdb")
        engine = MetricEngine(read_collection(COLLECTION), folder / "store", self.backend)
        self.serving = Runtime("test", {"shop": engine})

    def ask(self, freshness=None):
        request = Request("SELECT amount AT shop", freshness=freshness or Freshness())
        found = answer(request, self.serving)
        return [tuple(row.values()) for row in found.table.to_pylist()]

    def close(self):
        self.serving.close()
        self.backend.close()


@pytest.mark.parametrize("move", [copy, replace], ids=["in place", "renamed"])
def test_an_overwritten_file_is_answered_from_its_new_content(move, tmp_path):
    write(tmp_path / "data.duckdb", 1)
    seven = write(tmp_path / "seven.duckdb", 7)
    engine = Engine(tmp_path)
    assert engine.ask() == engine.ask() == engine.ask(NO_CACHE) == OF_ONES
    move(seven, tmp_path / "data.duckdb")
    assert engine.ask() == engine.ask() == engine.ask(NO_CACHE) == OF_SEVENS
    engine.close()
    again = Engine(tmp_path)
    assert again.ask() == again.ask(NO_CACHE) == OF_SEVENS
    again.close()


def test_a_file_that_was_overwritten_while_nobody_served_it(tmp_path):
    write(tmp_path / "data.duckdb", 1)
    engine = Engine(tmp_path)
    assert engine.ask() == OF_ONES
    engine.close()
    copy(write(tmp_path / "seven.duckdb", 7), tmp_path / "data.duckdb")
    again = Engine(tmp_path)
    assert again.ask() == OF_SEVENS
    again.close()
