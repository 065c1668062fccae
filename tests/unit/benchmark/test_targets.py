"""Two answers hold the same values, or not, whoever gave them."""

from decimal import Decimal

import pyarrow as pa
import pytest

from flightframe_server.benchmark.targets import MOST_ROWS_COMPARED, Target, Way, digest


def test_the_order_of_rows_and_the_type_of_numbers_do_not_matter():
    exact = pa.table({"region": ["East", None], "r": [Decimal("1.50"), Decimal("2.00")]})
    other = pa.table({"x": [None, "East"], "y": [2.0, 1.5]})
    assert digest(exact) == digest(other)


@pytest.mark.parametrize("wrong", [{"a": [1, 3]}, {"a": [1, 2, 2]}, {"a": [1, None]}])
def test_other_values_are_told(wrong):
    assert digest(pa.table({"a": [1, 2]})) != digest(pa.table(wrong))


def test_many_rows_are_told_by_what_they_add_up_to():
    many = list(range(MOST_ROWS_COMPARED + 1))
    assert digest(pa.table({"a": many})) == digest(pa.table({"a": many[::-1]}))
    assert digest(pa.table({"a": many})) != digest(pa.table({"a": [*many[:-1], 0]}))
    texts = pa.table({"a": list(map(str, many))})
    assert digest(texts) != digest(pa.table({"a": [None, *map(str, many[1:])]}))


def test_a_target_is_sent_as_a_line():
    target = Target(Way.ADBC, "grpc://127.0.0.1:1", ("SELECT 1\nAS x", "b"), options={"a": "b"})
    line = target.to_json()
    assert "\n" not in line
    assert Target.from_json(line) == target
