"""What a collection trusts is taken as it is, and every answer that rests on it says so.

The quotes were loaded twice, 20 of Kiel among them: 40 is the owner's word, not ours. The answers
themselves are cases of trade.yaml.
"""

import json

import pyarrow as pa
import pytest

from flightframe import Provenance
from flightframe_server.provenance import METADATA_KEY

GRAIN = "the grain of quotes"


def trusted(found):
    """Return what each column trusts, part by part, as a client reads it from the wire."""
    body = json.loads(found.schema.metadata[METADATA_KEY])
    read = Provenance.from_fields(body)
    return {column.column: [part.trusted for part in column.parts] for column in read.columns}


@pytest.mark.parametrize("route", ["remembering", "forgetful", "streaming"])
def test_an_answer_says_what_it_trusts_by_every_route(route, subjects):
    subject = subjects("trade")
    subject.forget()
    ask = subject.asker(getattr(subject, route))
    for _ in range(2):
        found = ask("SELECT port, quoted, AVG(quoted) AS mean, caught AT port")
        assert trusted(found) == {
            "port": [],
            "quoted": [(GRAIN,)],
            "mean": [(GRAIN,), (GRAIN,)],
            "caught": [()],
        }
        rows = pa.Table.from_batches(list(found.open()), schema=found.schema).to_pylist()
        assert {row["port"]: row["quoted"] for row in rows}["Kiel"] == 40


def test_a_rollup_says_it_as_well(subjects):
    subject = subjects("trade")
    subject.forget()
    ask = subject.asker(subject.remembering)
    ask("SELECT quoted AT port")
    found = ask("SELECT quoted AT coast")
    assert [part.route for part in found.provenance.columns[1].parts] == ["rollup"]
    assert trusted(found)["quoted"] == [(GRAIN,)]


def test_the_plan_says_it(subjects):
    ask = subjects("trade").asker(subjects("trade").forgetful)
    steps = ask("EXPLAIN SELECT quoted, caught AT port").table.to_pylist()
    notes = [(step["column"], step["source"]) for step in steps if step["route"] == "note"]
    said = f"rests on a promise that is trusted and not checked: {GRAIN}"
    assert notes == [("SUM(quoted)", said)]
