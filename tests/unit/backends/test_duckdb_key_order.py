"""Keys in order are unique; what is not in order, or can not be ordered, proves nothing."""

from __future__ import annotations

import itertools
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.duckdb.key_order import are_increasing


def proven(rows: list[tuple], sizes: list[int], types: list[pa.DataType]) -> bool:
    """Return what batches of these sizes prove, the last one holding the rest."""
    schema = pa.schema([(f"k{at}", type_) for at, type_ in enumerate(types)])
    batches, start = [], 0
    for size in [*sizes, len(rows)]:
        part = rows[start : start + size]
        columns = list(zip(*part, strict=True)) or [()] * len(types)
        arrays = [pa.array(values, type_) for values, type_ in zip(columns, types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        start += size
    following = iter(batches)
    return are_increasing(lambda: next(following, None))


KEYS = st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(st.lists(KEYS, max_size=12), st.lists(st.integers(0, 4), max_size=4))
def test_rows_in_strict_order_are_proven_however_they_are_cut(rows, sizes):
    expected = all(one < other for one, other in itertools.pairwise(rows))
    assert proven(rows, sizes, [pa.int64(), pa.int32()]) is expected


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        ([date(2024, 1, 1), date(2024, 1, 2)], pa.date32(), True),
        ([datetime(2024, 1, 1), datetime(2024, 1, 1)], pa.timestamp("us"), False),
        ([Decimal("1.10"), Decimal("1.20")], pa.decimal128(9, 2), True),
        ([None, 1], pa.int64(), False),
        ([1, None], pa.int64(), False),
        ([1.0, 2.0], pa.float64(), False),
        (["a", "b"], pa.string(), False),
        ([], pa.string(), True),
        ([7], pa.int64(), True),
    ],
)
def test_only_what_has_one_order_is_proven(values, type_, expected):
    assert proven([(value,) for value in values], [], [type_]) is expected


@pytest.mark.parametrize(
    ("rows", "several"),
    [
        ("SELECT range AS k FROM range(300000)", False),
        ("SELECT 300000 - range AS k FROM range(300000)", False),
        ("SELECT range AS k FROM range(300000) UNION ALL SELECT 123456", True),
        ("SELECT range // 2 AS k FROM range(300000)", True),
        ("SELECT 's' || range AS k FROM range(5000)", False),
    ],
)
def test_a_key_that_stands_twice_is_found_in_any_order(tmp_path, rows, several):
    with duckdb.connect(str(tmp_path / "keys.duckdb")) as connection:
        connection.execute(f"CREATE TABLE t AS {rows}")
    with closing(DuckDBBackend(tmp_path / "keys.duckdb")) as backend:
        assert (backend.duplicate("t", ("k",)) is not None) is several
