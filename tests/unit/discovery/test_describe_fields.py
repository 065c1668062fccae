"""What a description is asked of: every surface reads the same keys, and overlooks none."""

import json

import pytest

from flightframe_server.discovery.describe import (
    MOST_MEMBERS,
    DescribeRequest,
    read_body,
    read_fields,
)
from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded


def test_nothing_asks_for_everything_and_of_the_data_nothing():
    assert (
        read_body(b"") == read_body(b"{}") == read_fields({}) == DescribeRequest("", "", "", None)
    )


def test_every_key_is_read_and_names_in_any_case():
    fields = {"collection": "shop", "name": "REVENUE", "schema": "sales", "members": 0}
    assert read_fields(fields) == DescribeRequest("shop", "revenue", "sales", 0)
    assert read_body(json.dumps(fields).encode()) == read_fields(fields)
    assert [read_fields(fields).wants(name) for name in ("Revenue", "cost")] == [True, False]
    assert read_fields({"members": MOST_MEMBERS}).wants("anything")


@pytest.mark.parametrize(
    "fields",
    [
        {"names": "x"},
        {"name": None},
        {"schema": 1},
        {"members": True},
        {"members": -1},
        {"members": 1.0},
        {"members": "3"},
    ],
)
def test_what_is_no_question_is_refused(fields):
    with pytest.raises(FrameQLSyntaxError, match="not what describe takes"):
        read_fields(fields)


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(FrameQLSyntaxError):
        read_body(body)


def test_members_are_bounded():
    with pytest.raises(LimitExceeded, match=str(MOST_MEMBERS)):
        read_fields({"members": MOST_MEMBERS + 1})
