"""Is the answer right? Frame-QL beside answers that were had another way, by every route."""

import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from flightframe_server.answer import Request, Serving, answer
from flightframe_server.backends.duckdb import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FlightframeError

HERE = Path(__file__).parent
CASES = [
    pytest.param(document["collection"], case, id=f"{document['collection']}: {case['name']}")
    for path in sorted((HERE / "cases").glob("*.yaml"))
    for document in [yaml.safe_load(path.read_text())]
    for case in document["cases"]
]


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    made = {}

    def path_of(name):
        if name not in made:
            path = folder / f"{name}.duckdb"
            with duckdb.connect(str(path)) as connection:
                connection.execute((HERE / name / "tables.sql").read_text())
            made[name] = path, DuckDBBackend(path)
        return made[name]

    yield path_of
    for _, backend in made.values():
        backend.close()


def rows_of(found):
    return [tuple(row.values()) for row in found.table.to_pylist()]


def plain(value):
    """A value as the cases write it: decimals as text, so that scale counts."""
    return str(value) if isinstance(value, Decimal) else value


def same(found, expected):
    if isinstance(expected, float) and isinstance(found, float):
        return found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    return type(found) is type(expected) and found == expected


def key(row):
    return [(value is None, str(type(value)), str(value)[:8]) for value in row]


def check(found, expected, ordered):
    got = [tuple(map(plain, row)) for row in rows_of(found)]
    wanted = [tuple(map(plain, row)) for row in expected]
    if not ordered:
        got, wanted = sorted(got, key=key), sorted(wanted, key=key)
    assert len(got) == len(wanted), (got, wanted)
    for one, other in zip(got, wanted, strict=True):
        assert len(one) == len(other), (one, other)
        assert all(map(same, one, other)), (one, other)


def expected_rows(case, path):
    if "rows" in case:
        return [tuple(row) for row in case["rows"]]
    with duckdb.connect(str(path), read_only=True, config=SAME_CONFIG) as connection:
        return connection.execute(case["sql"]).fetchall()


SAME_CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
}


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name, case, databases, tmp_path):
    path, backend = databases(name)
    collection = read_collection((HERE / name / "ac.yaml").read_text())
    parameters = tuple(enumerate(case.get("parameters", ())))
    request = Request(case["query"], parameters)
    for enabled in (True, False):
        engine = MetricEngine(collection, tmp_path / str(enabled), backend, enabled=enabled)
        serving = Serving("test", {collection.name: engine})
        try:
            for query in case.get("warm", ()):
                answer(Request(query), serving)
            if "error" in case:
                with pytest.raises(FlightframeError) as caught:
                    answer(request, serving)
                assert caught.value.code == case["error"], caught.value
                continue
            expected = expected_rows(case, path)
            for turn in range(3 if enabled else 1):
                found = answer(request, serving)
                check(found, expected, case.get("ordered", False))
                if "types" in case:
                    assert [str(field.type) for field in found.schema] == case["types"]
                label = str(found.provenance.served_from)
                if not enabled:
                    assert label == "backend"
                elif turn > 0:
                    assert label == "engine_cache"
                elif "served_from" in case:
                    assert label == case["served_from"], found.provenance
        finally:
            serving.close()


def test_every_case_has_an_answer_from_elsewhere():
    assert len(CASES) >= 80
    for parameter in CASES:
        _, case = parameter.values
        assert {"rows", "sql", "error"} & set(case), case["name"]


def test_dates_in_cases_are_dates():
    assert isinstance(yaml.safe_load("2024-01-30"), datetime.date)
