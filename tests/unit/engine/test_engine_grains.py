"""Is a grain a key: which point stands on several rows, and of which tables that is asked."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from flightframe_server.algebra.types import DATE, INTEGER, TEXT
from flightframe_server.catalog import read_collection
from flightframe_server.engine.grains import doubled, several_rows
from flightframe_server.resolver.typed import type_collection

COLLECTION = """
version: 1
name: calls
schemas:
  - {name: lines, table: t_lines, grain: [LINE], columns: {line: id, day: day}}
  - name: months
    grain: [line, month]
    columns: {line: line, month: {expr: "day", type: date}, day: day}
  - {name: events, grain: rows, columns: {line: line}}
  - {name: bills, grain: [bill], attest: trusted, columns: {bill: bill, line: line}}
dimension_families:
  - {name: lines, levels: [line]}
  - {name: calendar, levels: [day, month]}
"""
TYPED = type_collection(
    read_collection(COLLECTION),
    {
        "t_lines": {"id": TEXT, "day": DATE},
        "months": {"line": TEXT, "day": DATE},
        "events": {"line": TEXT},
        "bills": {"bill": INTEGER, "line": TEXT},
    },
)


def reader(duplicate=None, counted=None):
    """A reader that gives what it is told to, and fails where it is not to be asked."""
    asked = []

    def stands_twice(table, columns):
        asked.append((table, columns))
        return duplicate

    found = SimpleNamespace(asked=asked, duplicate=stands_twice)
    if counted is not None:
        found.collect = lambda query: counted
    return found


def test_a_stored_key_is_the_back_ends_to_check_by_its_own_names():
    one = reader()
    assert doubled(TYPED, one, "lines") is None
    assert one.asked == [("t_lines", ("id",))]
    assert doubled(TYPED, reader(("L1",)), "lines") == "(L1) stands on several rows"


@pytest.mark.parametrize("schema", ["events", "bills"])
def test_rows_without_a_key_and_a_trusted_key_are_asked_of_nobody(schema):
    one = reader(("x",))
    assert doubled(TYPED, one, schema) is None
    assert one.asked == []


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([1, 1, 1], None),
        ([1, 2, 3], "(L2, NULL) stands on several rows"),
        ([], None),
    ],
)
def test_a_computed_key_is_counted_point_by_point(counts, said):
    size = len(counts)
    counted = pa.table(
        {
            "line": pa.array(["L1", "L2", "L3"][:size], pa.string()),
            "month": pa.array([None] * size, pa.date32()),
            "n": pa.array(counts, pa.int64()),
        }
    )
    one = reader(counted=counted)
    assert doubled(TYPED, one, "months") == said
    assert one.asked == []


def test_a_key_is_told_with_its_nulls():
    assert several_rows(None) is None
    assert several_rows(("a", None, 1)) == "(a, NULL, 1) stands on several rows"
