"""A list that is bound behind IN: from Python over Flight, from JSON, and from a command line."""

from decimal import Decimal

import pyarrow as pa
import pytest

from flightframe import ArgumentError
from flightframe.parameters import encode_parameters
from flightframe_server.cli.parameters import bound
from flightframe_server.errors import LimitExceeded, TypeMismatch
from flightframe_server.flight.tickets import decode_parameters
from flightframe_server.request import Request


def test_a_list_arrives_as_it_was_bound():
    stream = encode_parameters({"r": ["East", None], "n": (1, 2), "none": [], "null": [None]})
    found = {one.name: one.value for one in decode_parameters(stream)}
    assert found == {"r": ("East", None), "n": (1, 2), "none": (), "null": (None,)}


def test_decimals_of_a_list_keep_their_values():
    stream = encode_parameters([[Decimal("1.5"), Decimal("10.25")]])
    assert decode_parameters(stream)[0].value == (Decimal("1.5"), Decimal("10.25"))


def test_a_list_is_of_one_type():
    with pytest.raises(ArgumentError, match="several types"):
        encode_parameters([[1, "one"]])


def test_a_list_of_lists_and_one_too_long_are_refused():
    with pytest.raises(TypeMismatch, match="list of lists"):
        decode_parameters(_stream(pa.array([[[1]]])))
    with pytest.raises(LimitExceeded, match="10,000 values"):
        decode_parameters(_stream(pa.array([list(range(10_001))])))


def test_the_command_line_takes_a_list_as_json_writes_it():
    assert bound(['r:list=["East", 1.50, null]']) == {"r": ("East", Decimal("1.50"), None)}
    for text in ("r:list=East", 'r:list={"a": 1}', "r:list=[[1]]", "r:list=[NaN]"):
        with pytest.raises(ArgumentError, match="is no list"):
            bound([text])


def test_lists_of_equal_values_of_other_types_are_other_requests():
    one, other = (Request("q", ((0, values),)) for values in ((1,), (True,)))
    assert one.key != other.key
    with pytest.raises(TypeMismatch, match="a list is bound behind IN"):
        _ = one.scalars


def _stream(column):
    batch = pa.RecordBatch.from_arrays([column], names=["0"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()
