"""The identity of a collection's content: values of different types are different content."""

import datetime
from decimal import Decimal
from itertools import combinations

import pytest

from flightframe_server.catalog.content_hash import content_hash

MIDNIGHT = datetime.datetime(2024, 1, 1)


def test_values_that_are_written_alike_are_told_apart_by_their_types() -> None:
    values = [1, 1.0, Decimal(1), Decimal("1.0"), "1", "1.0", True, None, [1]]
    values += [MIDNIGHT, MIDNIGHT.date(), "2024-01-01", "2024-01-01T00:00:00"]
    found = [content_hash({"fill": value}) for value in values]
    for (one, first), (two, second) in combinations(zip(values, found, strict=True), 2):
        assert first != second, (one, two)


@pytest.mark.parametrize(
    "value", [0.1, MIDNIGHT, datetime.date(2024, 1, 1), Decimal("0.10"), {"a": 1, "b": [2.5]}]
)
def test_equal_values_are_equal_content(value: object) -> None:
    assert content_hash({"fill": value}) == content_hash({"fill": value})


def test_the_order_of_keys_and_prose_are_no_content_and_the_order_of_a_list_is() -> None:
    plain = {"name": "shop", "schemas": [{"name": "a"}, {"name": "b"}]}
    prose = {"schemas": [{"description": "A", "name": "a"}, {"name": "b"}], "name": "shop"}
    assert content_hash(plain) == content_hash({**prose, "description": "all of it"})
    turned = {"name": "shop", "schemas": [{"name": "b"}, {"name": "a"}]}
    assert content_hash(plain) != content_hash(turned)
