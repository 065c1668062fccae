"""A body asks one query: Frame-QL as `source`, or a text of SQL as `sql`."""

import json
from decimal import Decimal

import pytest

from flightframe_server.answer import Request
from flightframe_server.errors import FrameQLSyntaxError, TypeMismatch
from flightframe_server.planner.plan import Freshness
from flightframe_server.web.body import KEYS, QueryBody, read_body


def read(**fields: object) -> QueryBody:
    return read_body(json.dumps(fields).encode())


def test_a_source_is_frame_ql_and_sql_is_not():
    assert read(source="SELECT x AT y") == QueryBody(None, Request("SELECT x AT y"), sql=False)
    assert read(sql="SHOW TABLES") == QueryBody(None, Request("SHOW TABLES"), sql=True)
    assert read(sql="SELECT 1", source=None) == read(sql="SELECT 1")


def test_what_stands_beside_a_source_stands_beside_sql():
    beside = {
        "installation_id": "here",
        "parameters": [1, "x"],
        "ac_name": "shop",
        "max_staleness": 5,
    }
    wanted = Request("q", ((0, 1), (1, "x")), "shop", Freshness(5.0))
    assert read(sql="q", **beside) == QueryBody("here", wanted, sql=True)
    assert read(source="q", **beside) == QueryBody("here", wanted, sql=False)
    assert {"sql", "source", *beside} <= set(KEYS)


def test_a_number_with_a_point_is_a_decimal():
    body = b'{"sql": "q", "parameters": [0.10, 1e2, 3]}'
    assert read_body(body).request.parameters == ((0, Decimal("0.10")), (1, 100.0), (2, 3))


@pytest.mark.parametrize(
    "fields",
    [{}, {"sql": " "}, {"sql": ""}, {"sql": "a\0b"}, {"sql": "q", "source": "q"}, {"sq": "q"}],
)
def test_a_body_without_just_one_query_is_refused(fields):
    with pytest.raises(FrameQLSyntaxError):
        read(**fields)


def test_a_query_is_a_text():
    with pytest.raises(TypeMismatch, match="sql is not a text"):
        read(sql=["SELECT 1"])
