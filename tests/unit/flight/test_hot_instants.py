"""A hot answer is announced in UTC once: its readers are given the very same object again."""

import gc
import weakref

import pyarrow as pa
import pytest

from flightframe_server.answer import Answer
from flightframe_server.flight.sql.instants import answer_in_utc, schema_in_utc
from flightframe_server.provenance import Provenance, ServedFrom

PLAIN = pa.table({"region": ["East"], "moment": pa.array([0], pa.timestamp("us"))})
UTC = pa.table({"moment": pa.array([0], pa.timestamp("us", "UTC"))})
BERLIN = pa.table({"moment": pa.array([0], pa.timestamp("us", "Europe/Berlin"))})


def answered(table: pa.Table, *, hot: bool = True) -> Answer:
    provenance = Provenance(ServedFrom.ENGINE_CACHE, "id", "shop")
    return Answer(table.schema, provenance, table, state=(0, 0, ()) if hot else None)


@pytest.mark.parametrize("table", [PLAIN, UTC, pa.table({})])
def test_where_no_instant_is_of_another_zone_nothing_is_made(table):
    schema = table.schema
    assert schema_in_utc(schema) is schema
    for hot in (True, False):
        answer = answered(table, hot=hot)
        assert answer_in_utc(answer) is answer


def test_a_hot_answer_is_converted_once():
    answer = answered(BERLIN)
    converted = answer_in_utc(answer)
    assert converted.table.equals(UTC)
    assert converted.hot
    assert answer_in_utc(answer) is converted
    other = answered(BERLIN)
    assert answer_in_utc(other) is not converted


def test_an_answer_that_is_given_once_is_not_kept():
    answer = answered(BERLIN, hot=False)
    assert answer_in_utc(answer) is not answer_in_utc(answer)


def test_a_converted_answer_goes_with_the_one_it_was_made_of():
    answer = answered(BERLIN)
    kept = weakref.ref(answer_in_utc(answer))
    assert kept() is not None
    del answer
    gc.collect()
    assert kept() is None
