"""What a description is asked of: every surface reads the same keys, and overlooks none."""

import json

import pytest

from flightframe_server.discovery.request import (
    MOST_MEMBERS,
    DescribeRequest,
    Detail,
    read_body,
    read_fields,
    split_names,
)
from flightframe_server.errors import FrameQLSyntaxError, LimitExceeded


def test_nothing_asks_for_everything_and_of_the_data_nothing():
    nothing = DescribeRequest("", "", "", None, (), Detail.FULL, ())
    assert read_body(b"") == read_body(b"{}") == read_fields({}) == nothing


def test_every_key_is_read_and_names_in_any_case():
    fields = {"collection": "shop", "name": "REVENUE", "schema": "sales", "members": 0}
    assert read_fields(fields) == DescribeRequest("shop", "revenue", "sales", 0)
    assert read_body(json.dumps(fields).encode()) == read_fields(fields)
    assert [read_fields(fields).name_filter()(name) for name in ("Revenue", "cost")] == [
        True,
        False,
    ]
    assert read_fields({"members": MOST_MEMBERS}).name_filter()("anything")


def test_several_names_are_a_set_in_any_order_and_case():
    listed = read_fields({"names": ["Cost", "REVENUE", "cost"], "at": ["Day"], "detail": None})
    assert listed == DescribeRequest(names=("cost", "revenue"), at=("day",))
    assert [listed.name_filter()(name) for name in ("COST", "Revenue", "day")] == [
        True,
        True,
        False,
    ]
    assert read_fields({"detail": "names"}).detail is Detail.NAMES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b c", ["a", "b c"]),
        ('"a, b","say ""x"""', ["a, b", 'say "x"']),
        ("a,", ["a", ""]),
        ("", []),
    ],
)
def test_names_in_an_address_stand_between_commas(text, names):
    assert split_names(text) == names


@pytest.mark.parametrize("text", ['"a', '"a"b', "a\nb", "a\rb"])
def test_names_in_an_address_that_cannot_be_told_apart_are_refused(text):
    with pytest.raises(FrameQLSyntaxError, match="commas"):
        split_names(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"names": "x"},
        {"names": []},
        {"names": ["a", ""]},
        {"names": ["a", 1]},
        {"at": {"a": 1}},
        {"name": "a", "names": ["b"]},
        {"detail": "some"},
        {"detail": 1},
        {"detail": ["names"]},
        {"detail": "names", "members": 0},
        {"detail": "names", "schema": "sales"},
        {"detail": "names", "at": ["day"]},
    ],
)
def test_a_contradiction_is_refused_whole(fields):
    with pytest.raises(FrameQLSyntaxError):
        read_fields(fields)


def test_a_key_that_stands_twice_in_a_body_is_refused():
    with pytest.raises(FrameQLSyntaxError, match="twice"):
        read_body(b'{"names": ["a"], "names": ["b"]}')


@pytest.mark.parametrize(
    "fields",
    [
        {"other": "x"},
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
