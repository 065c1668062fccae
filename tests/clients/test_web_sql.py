"""SQL, plans and descriptions over HTTP: what Flight answers, for the same texts."""

import datetime
import json
import re
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pyarrow as pa
import pytest
from flight_calls import BY_REGION, act, table_of
from pyarrow import flight

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server import errors
from flightframe_server.app import OpenInstallation
from flightframe_server.web.reply import ReplyLimits
from flightframe_server.web.server import HttpServer, listen

QUERY, EXPLAIN, DESCRIBE = "/runtime/query", "/runtime/explain", "/runtime/describe"


@pytest.fixture(scope="module")
def http(retail: OpenInstallation) -> Iterator[httpx.Client]:
    """A client of the server of HTTP beside that of Flight."""
    with (
        HttpServer(retail.runtime, listen("127.0.0.1", 0), "127.0.0.1") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def plain(value: object) -> object:
    """Return a value of Arrow's as JSON has it."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def exact(response: httpx.Response) -> dict[str, object]:
    """Return the body of an answer, its decimals exact."""
    assert response.status_code == 200, response.text
    return json.loads(response.text, parse_float=Decimal)


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("SELECT 1", ["1"], [[1]]),
        ("/* ping */ SELECT 1 AS alive -- x", ["alive"], [[1]]),
        ("SHOW SCHEMAS", ["schema_name"], [["retail_full"]]),
        ("SHOW DATABASES", ["database_name"], [["retail-demo"]]),
        ("SHOW DATABASES LIKE 'other%'", ["database_name"], []),
        (
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'stores' ORDER BY 1",
            ["column_name", "data_type"],
            [["region", "VARCHAR"], ["store", "VARCHAR"]],
        ),
        ("SELECT COUNT(*) AS n FROM information_schema.tables", ["n"], [[7]]),
        ("SELECT * FROM stores WHERE 1 = 0", ["store", "region"], []),
        # Frame-QL is what is left to the language, as over Flight SQL.
        ("SELECT revenue AT () WHERE region = 'Central'", ["revenue"], [[Decimal("3868636.36")]]),
    ],
)
def test_sql_is_answered(http: httpx.Client, text: str, columns: list[str], rows: object) -> None:
    body = exact(http.post(QUERY, json={"sql": text}))
    assert (body["columns"], body["rows"], body["row_count"]) == (columns, rows, len(rows))


@pytest.mark.parametrize(
    "text",
    [
        "SHOW TABLES",
        "DESCRIBE stores",
        "SELECT * FROM information_schema.columns",
        "SELECT t.*, 1 AS one FROM information_schema.tables t WHERE table_name LIKE 'st%'",
        "SELECT * FROM metrics WHERE 1 <> 1",
        "SELECT * FROM stores",
        "SELECT * FROM retail_full.transactions LIMIT 3",
        "SELECT day, revenue AT day ORDER BY day LIMIT 3",
        f"EXPLAIN {BY_REGION}",
    ],
)
def test_sql_is_answered_as_over_flight(
    http: httpx.Client, client: flight.FlightClient, text: str
) -> None:
    told = table_of(client, sql.CommandStatementQuery(query=text))
    body = exact(http.post(QUERY, json={"sql": text}))
    assert body["columns"] == told.column_names
    assert body["rows"] == [[plain(value) for value in row.values()] for row in told.to_pylist()]
    assert body["row_count"] == told.num_rows


def test_a_query_of_the_catalogue_touches_no_back_end(http: httpx.Client) -> None:
    body = exact(http.post(QUERY, json={"sql": "SHOW TABLES"}))
    assert (body["ac_name"], body["served_from"]) == ("", "engine_cache")


def test_parameters_are_bound(http: httpx.Client) -> None:
    text = (
        "SELECT table_name FROM information_schema.tables WHERE table_name LIKE ?"
        " ORDER BY table_name LIMIT ?"
    )
    body = exact(http.post(QUERY, json={"sql": text, "parameters": ["st%", 1]}))
    assert body["rows"] == [["store_monthly_inventory"]]


def test_the_last_queries_are_told(http: httpx.Client) -> None:
    source = "SELECT revenue AT () WHERE region = 'West' LIMIT 1"
    exact(http.post(QUERY, json={"source": source}))
    text = "SELECT at, source, rows FROM system.last_queries LIMIT 1"
    ((at, told, rows),) = exact(http.post(QUERY, json={"sql": text}))["rows"]
    assert (told, rows) == (source, 1)
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(at)
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=5)


REFUSED = {
    "SELECT region, revenue FROM metrics": "NOT_SUPPORTED",
    "SELECT * FROM metrics": "NOT_SUPPORTED",
    "SELECT * FROM information_schema.views": "UNKNOWN_NAME",
    "SELECT nope FROM information_schema.tables": "UNKNOWN_NAME",
    "SELECT table_name FROM information_schema.tables WHERE table_name = 5": "TYPE",
    "SELECT table_name FROM information_schema.tables WHERE table_name = ?": "UNKNOWN_NAME",
    "SELECT a FROM information_schema.tables t JOIN information_schema.columns c": "NOT_SUPPORTED",
    "SELECT regio, revenue AT region": "UNKNOWN_NAME",
    "SELECT on_hand AT region": "BLOCKED_REDUCTION",
    "INSERT INTO stores VALUES (1)": "READ_ONLY",
    "drop table stores": "READ_ONLY",
    "hello": "PARSE",
    "SELECT revenue AT ( -- " + "x" * (1 << 20): "LIMIT_EXCEEDED",
}


@pytest.mark.usefixtures("one_line_errors")
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_sql_is_refused_as_over_flight(
    http: httpx.Client, client: flight.FlightClient, text: str
) -> None:
    with pytest.raises((pa.ArrowException, KeyError, flight.FlightError)) as caught:
        table_of(client, sql.CommandStatementQuery(query=text))
    response = http.post(QUERY, json={"sql": text})
    error = response.json()["error"]
    assert error["code"] == REFUSED[text]
    (kind,) = [leaf for leaf in errors.leaves() if leaf.code == error["code"]]
    assert response.status_code == kind.http_status
    if error["code"] != "LIMIT_EXCEEDED":
        # A ticket has a bound of its own, which is told in other words.
        place = f" (line {error['line']}, column {error['column']})" if "line" in error else ""
        hint = f" Hint: {error['hint']}" if "hint" in error else ""
        assert f"{error['code']}: {error['message']}{place}.{hint}" in str(caught.value)


def test_a_refusal_has_a_place_and_a_hint(http: httpx.Client) -> None:
    response = http.post(QUERY, json={"sql": "SELECT region,\n  revenu AT region"})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "UNKNOWN_NAME")
    assert (error["line"], error["column"]) == (2, 3)
    assert error["hint"].startswith("did you mean revenue")
    response = http.post(QUERY, json={"sql": "DELETE FROM stores"})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (403, "READ_ONLY")
    assert error["hint"] == "send a SELECT"


def test_a_source_is_frame_ql_alone(http: httpx.Client) -> None:
    response = http.post(QUERY, json={"source": "SHOW TABLES"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "PARSE")


def test_a_reply_of_sql_is_as_bounded(retail: OpenInstallation) -> None:
    taken = listen("127.0.0.1", 0)
    with (
        HttpServer(retail.runtime, taken, "127.0.0.1", limits=ReplyLimits(rows=5)) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        text = "SELECT table_name FROM information_schema.tables"
        refused = client.post(QUERY, json={"sql": text})
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "LIMIT_EXCEEDED")
        assert client.post(QUERY, json={"sql": f"{text} LIMIT 5"}).json()["row_count"] == 5


@pytest.mark.parametrize("source", [BY_REGION, f"EXPLAIN {BY_REGION}", "SELECT margin AT month"])
@pytest.mark.parametrize("key", ["source", "sql"])
def test_a_plan_is_that_of_explain_over_flight(
    http: httpx.Client, client: flight.FlightClient, key: str, source: str
) -> None:
    text = f"EXPLAIN {source.removeprefix('EXPLAIN ')}"
    told = table_of(client, sql.CommandStatementQuery(query=text)).to_pylist()
    body = http.post(EXPLAIN, json={key: source}).json()
    assert (body["ac_name"], body["steps"]) == ("retail_full", told)
    assert list(body["steps"][0]) == [
        *("step", "column", "family", "operator", "anchor", "route", "source", "why_not")
    ]


def test_a_plan_reads_no_data(http: httpx.Client, retail: OpenInstallation, monkeypatch) -> None:
    (engine,) = retail.runtime.engines.values()
    monkeypatch.setattr(engine.backend, "run", lambda *_, **__: pytest.fail("data were read"))
    asked = {"source": "SELECT store, units AT store", "no_cache": True}
    body = http.post(EXPLAIN, json=asked).json()
    assert body["steps"][0]["route"] == "backend"


def test_a_table_has_the_plan_of_the_frame_it_stands_for(http: httpx.Client) -> None:
    told = http.post(EXPLAIN, json={"sql": "SELECT * FROM stores"}).json()
    frame = http.post(
        EXPLAIN, json={"source": "SELECT store, region FROM stores AT (store, region)"}
    )
    assert told == frame.json()


def test_what_the_catalogue_answers_has_no_plan(http: httpx.Client) -> None:
    for text in ("SHOW TABLES", "SELECT 1", "SELECT * FROM stores LIMIT 0"):
        response = http.post(EXPLAIN, json={"sql": text})
        assert (response.status_code, response.json()["error"]["code"]) == (501, "NOT_SUPPORTED")
    response = http.post(EXPLAIN, json={"source": "SELECT regio AT region"})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["column"]) == (404, "UNKNOWN_NAME", 8)


def test_another_installation_has_no_plans_here(http: httpx.Client) -> None:
    body = {"installation_id": "retail-dmo", "source": BY_REGION}
    response = http.post(EXPLAIN, json=body)
    assert (response.status_code, response.json()["error"]["hint"]) == (
        404,
        "did you mean retail-demo?",
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"name": "REVENUE"},
        {"collection": "retail_full", "name": "region", "members": 2},
        {"name": "day", "schema": "transactions", "members": 0},
    ],
)
def test_a_description_is_that_of_flight(
    http: httpx.Client, client: flight.FlightClient, asked: dict[str, object]
) -> None:
    # What is asked for the first time comes from a file, then from the cache.
    http.get(DESCRIBE, params=asked)
    (told,) = act(client, "flightframe.describe", json.dumps(asked).encode())
    for response in (http.get(DESCRIBE, params=asked), http.post(DESCRIBE, json=asked)):
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json() == json.loads(told)
    if not asked:
        empty = http.post(DESCRIBE, headers={"content-type": "application/json"})
        assert empty.json() == json.loads(told)


def test_a_description_tells_what_the_demonstration_has(http: httpx.Client) -> None:
    (retail,) = http.get(DESCRIBE, params={"name": "region", "members": "2"}).json()["collections"]
    (level,) = retail["levels"]
    assert level["facts"]["members"] == ["Central", "East"]
    assert (level["facts"]["cardinality"], level["facts"]["has_null"]) == (3, False)


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("?nme=revenue", 400, "PARSE"),
        ("?name=revenue&name=cost", 400, "PARSE"),
        ("?members=-1", 400, "PARSE"),
        ("?members=two", 400, "PARSE"),
        ("?members=" + "9" * 5000, 400, "PARSE"),
        ("?members=1001", 413, "LIMIT_EXCEEDED"),
        ("?collection=retail", 404, "UNKNOWN_NAME"),
        ("?schema=nope", 404, "UNKNOWN_NAME"),
    ],
)
def test_an_address_that_asks_for_something_else_is_refused(
    http: httpx.Client, address: str, status: int, code: str
) -> None:
    response = http.get(f"{DESCRIBE}{address}")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"names": "x"}', b'{"members": true}', b"[" * 9999]
)
def test_a_body_that_is_no_question_is_refused(http: httpx.Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = http.post(DESCRIBE, content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "PARSE")


def test_a_page_under_another_name_is_told_nothing(http: httpx.Client) -> None:
    refused = http.get(DESCRIBE, headers={"host": "evil.example:8000"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")
    refused = http.post(DESCRIBE, data={"name": "revenue"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")
