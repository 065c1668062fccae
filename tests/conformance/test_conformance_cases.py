"""Does every back-end agree? Every oracle case on each of them, frame against frame.

What a case's answer should be is the oracle's business; here only the back-ends are compared. Each
question is asked three times of each: of the back-end, of the entries that made, and as one
streamed query.
"""

from functools import cache
from itertools import combinations

import pyarrow as pa
import pytest
import yaml
from conformance_tables import ORACLE, assert_same

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.engine.frames import OpenStream
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse
from flightframe_server.planner.make import single_query_plan
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.values import Binding

CASES = [
    pytest.param(document["collection"], case, id=f"{document['collection']}: {case['name']}")
    for path in sorted((ORACLE / "cases").glob("*.yaml"))
    if not (ORACLE / path.stem / "load.py").exists()
    for document in [yaml.safe_load(path.read_text())]
    for case in document["cases"]
]


@pytest.fixture(scope="module")
def opened(backends):
    """A collection and its back-ends, by name.

    Every case has an engine and a store of its own.
    """

    @cache
    def named(name):
        return read_collection((ORACLE / name / "ac.yaml").read_text()), backends(name)

    return named


def asked(case):
    # A list of YAML is one that is bound behind IN.
    values = (tuple(x) if isinstance(x, list) else x for x in case.get("parameters", ()))
    return Request(case["query"], tuple(enumerate(values)))


def streamed(engine, request):
    """The same question as one query of the back-end, composed batch by batch; None where none."""
    binding = Binding(dict(request.parameters))
    plan = engine.plan(lambda typed: resolve(parse(request.source), typed, binding))
    whole = single_query_plan(engine.typed, plan)
    if whole is None:
        return None
    batches = list(OpenStream(whole, engine.backend.run(whole.stream)))
    return pa.Table.from_batches(batches, schema=batches[0].schema) if batches else None


def frames(case, collection, backend, folder):
    """Return the frames of a case on one back-end by route, or the code of its error."""
    engine = MetricEngine(collection, folder, backend)
    serving = Runtime("test", {collection.name: engine})
    try:
        for query in case.get("warm", ()):
            answer(Request(query), serving)
        first, again = answer(asked(case), serving), answer(asked(case), serving)
        found = {"first": first.table, "again": again.table, "streamed": None}
        if not case["query"].upper().startswith("EXPLAIN"):
            found["streamed"] = streamed(engine, asked(case))
        return found
    except FlightframeError as error:
        return error.code
    finally:
        serving.close()


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case_is_the_same_on_every_backend(name, case, opened, tmp_path):
    collection, held = opened(name)
    found = {
        name: frames(case, collection, backend, tmp_path / name) for name, backend in held.items()
    }
    if "error" in case:
        assert set(found.values()) == {case["error"]}
        return
    for one, other in combinations(found, 2):
        assert isinstance(found[one], dict), (one, found[one])
        assert isinstance(found[other], dict), (other, found[other])
        for route in found[one]:
            mine, theirs = found[one][route], found[other][route]
            assert (mine is None) == (theirs is None), (one, other, route)
            if mine is not None:
                assert_same(mine, theirs, f"{one} and {other}, {route}")


def test_there_are_cases_and_backends(backends):
    assert len(CASES) >= 100
    assert {"duckdb", "sqlite"} <= set(backends("shop"))
