"""Does the Polars back-end give the answers of the oracle cases, which were had another way?"""

import datetime
import math
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

pytestmark = pytest.mark.slow

ORACLE = Path(__file__).parents[2] / "oracle"
CASES = [
    pytest.param(document["collection"], case, id=case["name"])
    for path in sorted((ORACLE / "cases").glob("*.yaml"))
    if not (ORACLE / path.stem / "load.py").exists()
    for document in [yaml.safe_load(path.read_text())]
    for case in document["cases"]
    if "error" not in case
]


class Fixture:
    """One collection's tables: in a DuckDB database for the expected SQL, and as Parquet files."""

    def __init__(self, name, folder):
        folder.mkdir()
        self.connection = duckdb.connect()
        self.connection.execute((ORACLE / name / "tables.sql").read_text()).fetchall()
        for (table,) in self.connection.execute("SHOW TABLES").fetchall():
            target = folder / f"{table}.parquet"
            self.connection.execute(f"COPY {table} TO '{target}'").fetchall()
        self.collection = read_collection((ORACLE / name / "ac.yaml").read_text())
        self.backend = PolarsBackend(folder)

    def expected(self, case):
        if "rows" in case:
            return [tuple(row) for row in case["rows"]]
        return self.connection.execute(case["sql"]).fetchall()


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("polars_oracle")
    made = {}

    def fixture_of(name):
        if name not in made:
            made[name] = Fixture(name, folder / name)
        return made[name]

    yield fixture_of
    for fixture in made.values():
        fixture.backend.close()
        fixture.connection.close()


def plain(value):
    """Decimals as text, so that scale counts; doubles cut to nine digits; NaN equal to itself."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else float(f"{value:.9g}")
    return str(value) if isinstance(value, Decimal) else value


def key(row):
    return [(value is None, str(type(value)), str(value)) for value in row]


@pytest.mark.parametrize("stream_rows", [1_000_000, -1], ids=["collected", "streamed"])
@pytest.mark.parametrize(("name", "case"), CASES)
def test_case_over_parquet(name, case, stream_rows, fixtures, tmp_path):
    fixture = fixtures(name)
    engine = MetricEngine(
        fixture.collection, tmp_path, fixture.backend, enabled=False, stream_rows=stream_rows
    )
    # A list of YAML is one that is bound behind IN.
    values = (tuple(x) if isinstance(x, list) else x for x in case.get("parameters", ()))
    request = Request(case["query"], tuple(enumerate(values)))
    found = answer(request, Runtime("test", {fixture.collection.name: engine}))
    rows = [row for batch in found.open() for row in batch.to_pylist()]
    got = [tuple(map(plain, row.values())) for row in rows]
    wanted = [tuple(map(plain, row)) for row in fixture.expected(case)]
    if not case.get("ordered", False):
        got, wanted = sorted(got, key=key), sorted(wanted, key=key)
    assert got == wanted
    assert [list(map(type, row)) for row in got] == [list(map(type, row)) for row in wanted]
    if "types" in case:
        assert [str(field.type) for field in found.schema] == case["types"]


def test_the_cases_are_there():
    assert len(CASES) >= 70
    assert isinstance(yaml.safe_load("2024-01-30"), datetime.date)
