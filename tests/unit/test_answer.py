"""What makes two requests the same, so that one may be given the answer of the other."""

import datetime
from decimal import Decimal

import pytest

from flightframe_server.answer import Request
from flightframe_server.planner.plan import Freshness

MIDNIGHT = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def of(*values):
    """The key of one text with these values."""
    return Request("SELECT revenue AT ()", tuple(enumerate(values))).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, True, id="1 and TRUE"),
        (0, False),
        (1, 1.0),
        (1, Decimal(1)),
        (1.0, Decimal("1.0")),
        # As many digits are kept as are written.
        (Decimal("1.0"), Decimal("1.00")),
        (Decimal(10), Decimal("10.0")),
        (1, "1"),
        (None, "None"),
        (datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1)),
        (MIDNIGHT, MIDNIGHT.replace(tzinfo=None)),
    ],
)
def test_values_that_are_equal_in_python_and_of_two_types_are_two_requests(one, other):
    """The type of the answer goes by the type of a value, and so may its numbers."""
    assert of(one) != of(other)
    assert of(one) == of(one)


def test_values_are_bound_by_their_names_and_places():
    assert of(1, 2) != of(2, 1)
    assert of(1) != of(1, 1)
    by_name = Request("SELECT revenue AT ()", (("a", 1),)).key
    assert by_name not in (of(1), Request("SELECT revenue AT ()", (("b", 1),)).key)


def test_the_text_the_collection_and_what_is_said_of_age_are_part_of_a_request():
    asked = Request("SELECT revenue AT ()")
    others = (
        Request("SELECT cost AT ()"),
        Request("SELECT revenue AT ()", collection="shop"),
        Request("SELECT revenue AT ()", freshness=Freshness(max_staleness=0.0)),
        Request("SELECT revenue AT ()", freshness=Freshness(no_cache=True)),
        Request("SELECT revenue AT ()", freshness=Freshness(only_if_cached=True)),
    )
    assert len({asked.key, *(other.key for other in others)}) == 6
    assert Request("SELECT revenue AT ()").key == asked.key
