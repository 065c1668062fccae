"""The identity of a document: its content with the kinds of its values, and not its prose."""

import datetime
from decimal import Decimal
from itertools import combinations

from flightframe_server.catalog.content_hash import content_hash

VALUES = [
    *(1, Decimal(1), 1.0, True, "1", None),
    *(datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1), "2024-01-01"),
]


def test_values_of_two_kinds_are_two_contents() -> None:
    hashes = [content_hash({"default": value}) for value in VALUES]
    assert all(one != other for one, other in combinations(hashes, 2))


def test_the_order_of_keys_and_the_prose_are_no_content() -> None:
    one = {"a": 1, "b": [1, 2], "metric_families": [{"name": "x", "description": "of x"}]}
    other = {"b": [1, 2], "metric_families": [{"name": "x"}], "a": 1, "description": "all"}
    assert content_hash(one) == content_hash(other)
    assert content_hash(one) != content_hash({**one, "b": [2, 1]})
