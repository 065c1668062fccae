"""`--param`: texts of a command line as values, with a type or without."""

import datetime
from decimal import Decimal

import pytest

import flightframe
from flightframe_server.cli.parameters import bound


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (":integer=42", 42),
        (":decimal=10.50", Decimal("10.50")),
        (":double=1.5e3", 1500.0),
        (":boolean=TRUE", True),
        (":boolean=false", False),
        (":date=2024-02-01", datetime.date(2024, 2, 1)),
        (":timestamp=2024-02-01T12:30:00", datetime.datetime(2024, 2, 1, 12, 30)),
        (":null", None),
        (":null=", None),
        (":text=:null", ":null"),
        (":text=a=b", "a=b"),
        ("42", "42"),
        ("12:30", "12:30"),
        ("a:b", "a:b"),
        ("NULL", "NULL"),
    ],
)
def test_a_value_is_a_text_unless_it_says_its_type(text: str, value: object) -> None:
    assert bound([text]) == [value]
    assert type(bound([text])[0]) is type(value)  # type: ignore[index]


def test_names_and_types_go_together() -> None:
    values = bound(["since:date=2024-02-01", "most:integer=2", "region=West", "none:null"])
    assert values == {
        "since": datetime.date(2024, 2, 1),
        "most": 2,
        "region": "West",
        "none": None,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":integr=1", "there is no type integr"),
        (":integer=1.5", "'1.5' is no integer"),
        (":boolean=1", "'1' is no boolean"),
        (":date=yesterday", "'yesterday' is no date"),
        (":null=x", "'x' is no null"),
        ("x:decimal=abc", "'abc' is no decimal"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(text: str, message: str) -> None:
    with pytest.raises(flightframe.ArgumentError, match=message):
        bound([text])


def test_a_type_that_there_is_not_is_guessed() -> None:
    with pytest.raises(flightframe.ArgumentError) as caught:
        bound([":integr=1"])
    assert caught.value.hint == "did you mean integer?"
