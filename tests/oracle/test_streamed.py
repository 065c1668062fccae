"""Is a streamed answer right? Every query again, each as one statement, never collected."""

import pyarrow as pa
import pytest
from oracle_cases import answered, check, check_types, parametrized

from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import AscribedTerm, nested_of, walk
from flightframe_server.resolver.values import Binding

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "case"), parametrized(answered))
def test_streamed_case(name, case, subjects):
    subject = subjects(name)
    parameters = case.get("parameters", ())
    found = subject.asker(subject.streaming)(case["query"], parameters)
    table = pa.Table.from_batches(list(found.open()), schema=found.schema)
    binding = Binding(dict(enumerate(parameters)))
    question = resolve(parse(case["query"]), subject.streaming.typed, binding)
    # What is reduced at two anchors is composed of two frames, and sets of levels are stacked.
    composed = bool(question.sets) or any(
        nested_of(term) or any(isinstance(part, AscribedTerm) for part in walk(term))
        for term in question.terms
    )
    assert (found.table is None) is not composed
    assert str(found.provenance.served_from) == "backend"
    check(table, subject.expected(case), case.get("ordered", False))
    check_types(table, case)
