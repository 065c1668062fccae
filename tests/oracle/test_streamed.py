"""Is a streamed answer right? Every case again, each question as one query, never collected."""

import pyarrow as pa
import pytest
from test_oracle import CASES, HERE, check, databases, expected_rows

from flightframe_server.answer import Answer, Request, Serving, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine

__all__ = ["databases"]


@pytest.mark.parametrize(
    ("name", "case"), [case for case in CASES if "error" not in case.values[1]]
)
def test_streamed_case(name, case, databases, tmp_path):
    path, backend = databases(name)
    collection = read_collection((HERE / name / "ac.yaml").read_text())
    engine = MetricEngine(collection, tmp_path, backend, stream_rows=-1)
    serving = Serving("test", {collection.name: engine})
    try:
        parameters = tuple(enumerate(case.get("parameters", ())))
        found = answer(Request(case["query"], parameters), serving)
        batches = list(found.open())
        table = pa.Table.from_batches(batches, schema=found.schema)
        assert found.table is None or "@" in case["query"]
        assert str(found.provenance.served_from) == "engine_backend"
        whole = Answer(found.schema, found.provenance, table)
        check(whole, expected_rows(case, path), case.get("ordered", False))
        if "types" in case:
            assert [str(field.type) for field in table.schema] == case["types"]
    finally:
        serving.close()
