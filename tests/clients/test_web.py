"""The HTTP API on a real socket, over a small shop whose numbers are known by hand."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server import __version__
from flightframe_server.answer import Runtime
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.errors import SetupError
from flightframe_server.json_text import json_text
from flightframe_server.web.endpoints import queries
from flightframe_server.web.reply import JSON, ReplyLimits
from flightframe_server.web.server import HttpServer, listen

QUERY = "/runtime/query"
BIG = "12345678901234567890.12"

# Three doubles could not hold: 0.10 + 0.20, and a number of 22 digits.
SALES = f"""
CREATE TABLE sales (id BIGINT, shop VARCHAR, day DATE, amount DECIMAL(28,2), weight DOUBLE);
INSERT INTO sales VALUES
  (1, 'North', '2024-02-01', 0.10, 1.5), (2, 'North', '2024-02-02', 0.20, 'nan'),
  (3, 'South "s"', '2024-02-02', {BIG}, 'inf'), (4, NULL, '2024-02-03', NULL, 0.25);
"""

AC = """
version: 1
name: shop
schemas:
  - name: sales
    table: sales
    grain: [sale]
    columns: {sale: id, shop: shop, day: day, amount: amount, weight: weight}
dimension_families:
  - {name: place, levels: [shop]}
  - {name: calendar, levels: [day]}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
  - name: weight
    family_root: {schema: sales, column: weight}
    ip_reducers: [{operator: SUM, a_block: []}]
"""

MANIFEST = """
id: corner-shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
"""


def made_shop(folder: Path) -> Path:
    """Write the small shop into a folder and return its manifest."""
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(SALES)
    (folder / "ac.yaml").write_text(AC)
    (folder / "installation.yaml").write_text(MANIFEST)
    return folder / "installation.yaml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The manifest of a shop that no other test sees."""
    return made_shop(tmp_path)


@pytest.fixture
def opened(shop: Path) -> Iterator[OpenInstallation]:
    """The shop, opened."""
    with closing(open_installation(shop)) as installation:
        yield installation


def start(serving: Runtime, limits: ReplyLimits | None = None) -> HttpServer:
    taken = listen("127.0.0.1", 0)
    return HttpServer(serving, taken, "127.0.0.1", limits=limits or ReplyLimits())


@pytest.fixture
def fresh(opened: OpenInstallation) -> Iterator[httpx.Client]:
    """A client of a server that has answered nothing yet."""
    with start(opened.runtime) as server, httpx.Client(base_url=server.url) as http:
        yield http


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server that answered other tests before."""
    with (
        closing(open_installation(made_shop(tmp_path_factory.mktemp("shop")))) as opened,
        start(opened.runtime) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        yield http


def ask(client: httpx.Client, source: str, **more: object) -> httpx.Response:
    return client.post(QUERY, json={"installation_id": "corner-shop", "source": source, **more})


def error_of(response: httpx.Response) -> dict[str, object]:
    """The error of a response, checked to be of the one shape."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= SHAPE
    assert len(response.text) < 1000
    assert "Traceback" not in response.text
    assert "/" not in body["error"]["message"].replace(JSON, "")
    return body["error"]


SHAPE = {"code", "message", "hint", "line", "column", "details"}


@pytest.mark.parametrize("path", ["/healthz", "/runtime/healthz"])
def test_health(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "installation_id": "corner-shop",
        "version": __version__,
        "collections": ["shop"],
        "reload": {"state": "none", "at": None, "errors": []},
    }


def test_the_answer_has_the_shape_of_the_walkthrough(fresh: httpx.Client) -> None:
    response = ask(fresh, "SELECT shop, SUM(amount) AS total AT shop")
    assert response.status_code == 200
    # Byte by byte: a decimal read back by a JSON parser would hide what was written.
    assert response.text.startswith(
        '{"ac_name": "shop", "columns": ["shop", "total"], '
        f'"rows": [["North", 0.30], ["South \\"s\\"", {BIG}], [null, null]], '
        '"row_count": 3, "served_from": "engine_backend", "provenance": {'
    )
    body = response.json()
    assert list(body) == ["ac_name", "columns", "rows", "row_count", "served_from", "provenance"]
    assert [column["column"] for column in body["provenance"]["columns"]] == ["shop", "total"]
    assert body["provenance"]["columns"][1]["parts"][0]["route"] == "backend"


def test_the_second_call_is_served_from_the_cache(fresh: httpx.Client) -> None:
    source = "SELECT shop, SUM(amount) AS total AT shop"
    first, second = ask(fresh, source).json(), ask(fresh, source).json()
    assert (first["served_from"], second["served_from"]) == ("engine_backend", "engine_cache")
    assert first["rows"] == second["rows"]


def test_what_json_lacks_is_null_and_days_are_iso(client: httpx.Client) -> None:
    rows = ask(client, "SELECT sale, day, SUM(weight) AS w AT (sale, day)").json()["rows"]
    assert rows == [
        [1, "2024-02-01", 1.5],
        [2, "2024-02-02", None],
        [3, "2024-02-02", None],
        [4, "2024-02-03", 0.25],
    ]


def test_what_json_lacks_is_remarked_upon_for_each_column(client: httpx.Client) -> None:
    body = ask(client, "SELECT SUM(weight) AS w, SUM(amount) AS a AT (shop, day)").json()
    assert body["provenance"]["notes"] == [
        "2 values of w are NaN or infinite, which JSON lacks: they are null here"
    ]
    body = ask(client, "SELECT weight WHERE day = '2024-02-03' AT shop").json()
    assert "notes" not in body["provenance"]
    body = ask(client, "SELECT weight WHERE shop = 'North' AT day").json()
    assert body["provenance"]["notes"] == [
        "1 value of weight is NaN or infinite, which JSON lacks: it is null here"
    ]


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ("shop = ? AND day >= ?", ["North", "2024-02-02"]),
        ("shop = $s AND day >= $d", {"s": "North", "d": "2024-02-02"}),
        ("sale = ?", [2]),
    ],
)
def test_parameters(client: httpx.Client, condition: str, parameters: object) -> None:
    source = f"SELECT SUM(amount) AS total AT () WHERE {condition}"
    body = ask(client, source, parameters=parameters).json()
    assert body["rows"] == [[0.2]]


def test_freshness_is_passed_on(fresh: httpx.Client) -> None:
    source = "SELECT SUM(amount) AS total AT ()"
    refused = ask(fresh, source, only_if_cached=True)
    assert (refused.status_code, error_of(refused)["code"]) == (504, "NOT_CACHED")
    assert ask(fresh, source, no_cache=True).json()["served_from"] == "backend"
    assert ask(fresh, source, max_staleness=60).json()["served_from"] == "engine_backend"
    assert ask(fresh, source, only_if_cached=True).json()["served_from"] == "engine_cache"


@pytest.mark.parametrize("key", ["collection", "ac_name"])
def test_a_collection_is_named_by_either_key(client: httpx.Client, key: str) -> None:
    source = "SELECT SUM(amount) AS total AT ()"
    assert ask(client, source, **{key: "shop"}).status_code == 200
    refused = ask(client, source, **{key: "shp"})
    assert (refused.status_code, error_of(refused)["hint"]) == (404, "did you mean shop?")


def test_a_query_error_has_its_place_and_status(client: httpx.Client) -> None:
    response = ask(client, "SELECT shop,\n  SUM(amunt) AS total AT shop")
    error = error_of(response)
    assert response.status_code == 404
    assert error["code"] == "UNKNOWN_NAME"
    assert (error["line"], error["column"]) == (2, 7)
    assert error["hint"] == "did you mean amount?"


def test_a_refused_request_has_a_name_by_which_the_log_knows_it(client: httpx.Client) -> None:
    with structlog.testing.capture_logs() as logged:
        response = ask(client, "SELECT shop, SUM(amunt) AS total AT shop")
    (event,) = logged
    assert response.headers["x-request-id"] == event["request_id"]
    assert (event["event"], event["code"]) == ("web.refused", "UNKNOWN_NAME")


def test_a_failure_of_the_database_quotes_the_name_that_the_log_knows_it_by(
    client: httpx.Client,
) -> None:
    with structlog.testing.capture_logs() as logged:
        response = ask(client, f"SELECT SUM(amount) * {'9' * 38} * {'9' * 38} AS much AT ()")
    (event,) = [event for event in logged if event["event"] == "web.refused"]
    assert (response.status_code, error_of(response)["code"]) == (422, "OVERFLOW")
    assert error_of(response)["hint"] == f"the log has it as {event['request_id']}"
    assert "(in column much)" in error_of(response)["message"]


def test_another_installation_is_not_found(client: httpx.Client) -> None:
    response = client.post(QUERY, json={"installation_id": "corner-shp", "source": "SELECT x"})
    assert response.status_code == 404
    assert error_of(response)["hint"] == "did you mean corner-shop?"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PARSE"),
        (b"{", "PARSE"),
        (b"[" * 100_000, "PARSE"),
        (b"\xff{}", "PARSE"),
        (b'["SELECT"]', "PARSE"),
        (b"{}", "PARSE"),
        (b'{"source": " "}', "PARSE"),
        (b'{"source": 1}', "TYPE"),
        (b'{"sql": ""}', "PARSE"),
        (b'{"sql": 1}', "TYPE"),
        (b'{"sql": null}', "PARSE"),
        (b'{"sql": "SELECT 1", "source": "SELECT sale AT sale"}', "PARSE"),
        (b'{"source": "a\\u0000b"}', "PARSE"),
        (b'{"source": "\\ud800"}', "PARSE"),
        (b'{"source": "SELECT sale AT sale", "sorce": 1}', "PARSE"),
        (b'{"source": "SELECT sale AT sale", "source": "SELECT sale AT sale"}', "PARSE"),
        (b'{"source": "SELECT sale AT sale", "parameters": 1}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "parameters": [[1]]}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "parameters": {"a b": 1}}', "PARSE"),
        (b'{"source": "SELECT sale AT sale", "parameters": [NaN]}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "parameters": [1e999]}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "parameters": [' + b"9" * 5000 + b"]}", "PARSE"),
        (b'{"source": "SELECT sale AT sale", "max_staleness": -1}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "max_staleness": "1"}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "no_cache": 1}', "TYPE"),
        (b'{"source": "SELECT sale AT sale", "no_cache": true, "only_if_cached": true}', "PARSE"),
        (b'{"source": "SELECT sale AT sale", "collection": "a", "ac_name": "b"}', "PARSE"),
    ],
)
def test_a_bad_body_is_refused(client: httpx.Client, body: bytes, code: str) -> None:
    # Where a body holds a query, that query alone would be answered.
    response = client.post(QUERY, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, error_of(response)["code"]) == (400, code)


def test_only_json_is_read(client: httpx.Client) -> None:
    # A form is what a page of somebody else's can send without asking.
    response = client.post(QUERY, data={"source": "SELECT SUM(amount) AS total AT ()"})
    assert (response.status_code, error_of(response)["code"]) == (400, "PARSE")
    said = {"content-type": "Application/JSON; charset=utf-8"}
    body = b'{"source": "SELECT SUM(amount) AS total AT ()"}'
    assert client.post(QUERY, content=body, headers=said).status_code == 200


def test_a_page_under_another_name_is_refused(client: httpx.Client) -> None:
    body = {"source": "SELECT SUM(amount) AS total AT ()"}
    refused = client.post(QUERY, json=body, headers={"host": "evil.example:8000"})
    assert (refused.status_code, error_of(refused)["code"]) == (400, "PARSE")
    assert client.post(QUERY, json=body, headers={"host": "localhost:8000"}).status_code == 200


def test_the_size_of_a_body_is_bounded(client: httpx.Client) -> None:
    body = json.dumps({"source": "SELECT SUM(amount) AS total AT ()"}).encode()
    said = {"content-type": "application/json"}
    full = body.ljust(4 << 20)
    assert client.post(QUERY, content=full, headers=said).status_code == 200
    refused = client.post(QUERY, content=full + b" ", headers=said)
    assert (refused.status_code, error_of(refused)["code"]) == (413, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "UNKNOWN_NAME"),
        ("POST", "/", 405, "NOT_SUPPORTED"),
        ("GET", "/runtime/../../etc/passwd", 404, "UNKNOWN_NAME"),
        ("GET", QUERY, 405, "NOT_SUPPORTED"),
        ("DELETE", "/healthz", 405, "NOT_SUPPORTED"),
        ("GET", "/runtime/explain", 405, "NOT_SUPPORTED"),
        ("PUT", "/runtime/describe", 405, "NOT_SUPPORTED"),
    ],
)
def test_other_addresses_fail_in_the_same_shape(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code)


def test_a_reply_past_its_limit_is_refused_whole(opened: OpenInstallation) -> None:
    limits = ReplyLimits(rows=3)
    with start(opened.runtime, limits) as server, httpx.Client(base_url=server.url) as client:
        assert ask(client, "SELECT shop, SUM(amount) AS t AT shop").json()["row_count"] == 3
        refused = ask(client, "SELECT sale, SUM(amount) AS t AT sale")
        assert (refused.status_code, error_of(refused)["code"]) == (413, "LIMIT_EXCEEDED")
    limits = ReplyLimits(bytes=600)
    with start(opened.runtime, limits) as server, httpx.Client(base_url=server.url) as client:
        refused = ask(client, "SELECT sale, shop, SUM(amount) AS t AT (sale, shop)")
        assert (refused.status_code, error_of(refused)["code"]) == (413, "LIMIT_EXCEEDED")


def test_a_streamed_answer_is_the_same_and_as_bounded(shop: Path) -> None:
    source = "SELECT sale, SUM(amount) AS t AT sale"
    with closing(open_installation(shop, stream_rows=1)) as opened:
        with start(opened.runtime) as server, httpx.Client(base_url=server.url) as client:
            response = ask(client, source)
        limits = ReplyLimits(rows=3)
        with start(opened.runtime, limits) as server, httpx.Client(base_url=server.url) as client:
            refused = ask(client, source)
    assert f'[[1, 0.10], [2, 0.20], [3, {BIG}], [4, null]], "row_count": 4' in response.text
    assert (refused.status_code, error_of(refused)["code"]) == (413, "LIMIT_EXCEEDED")


def test_a_reply_past_memory_comes_in_pieces(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "SELECT sale, SUM(amount) AS t AT sale"
    rows = ask(client, source).json()["rows"]
    monkeypatch.setattr("flightframe_server.web.reply.MEMORY_BYTES", 16)
    monkeypatch.setattr("flightframe_server.web.reply.CHUNK_BYTES", 7)
    response = ask(client, source)
    assert response.json()["rows"] == rows
    assert int(response.headers["content-length"]) == len(response.content)


def test_a_fault_of_ours_tells_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(queries, "answer", broken)
    response = ask(client, "SELECT SUM(amount) AS total AT ()")
    assert (response.status_code, error_of(response)["code"]) == (500, "INTERNAL")
    assert "secret" not in response.text


def test_a_slow_query_holds_nobody_up_and_is_finished_before_the_end(
    opened: OpenInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, real = threading.Event(), threading.Event(), queries.answer

    def slow(*arguments: object) -> object:
        asked.set()
        assert go_on.wait(60)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(queries, "answer", slow)
    server = start(opened.runtime)
    server.start()
    found: list[httpx.Response] = []
    with httpx.Client(base_url=server.url, timeout=60) as client:
        source = "SELECT SUM(amount) AS total AT () WHERE shop = 'North'"
        thread = threading.Thread(target=lambda: found.append(ask(client, source)))
        thread.start()
        assert asked.wait(60)
        assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
        threading.Timer(0.2, go_on.set).start()
        assert server.stop(10)
        thread.join(60)
    assert found[0].json()["rows"] == [[0.3]]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def test_a_server_that_was_never_started_gives_its_port_back(opened: OpenInstallation) -> None:
    # The kernel may lend a port that was just given back to somebody's outgoing connection.
    assert any(_gives_its_port_back(opened) for _ in range(5))


def _gives_its_port_back(opened: OpenInstallation) -> bool:
    server = start(opened.runtime)
    port = urlsplit(server.url).port
    assert port is not None
    with pytest.raises(SetupError, match="is in use"):
        listen("127.0.0.1", port)
    assert server.stop(1)
    try:
        listen("127.0.0.1", port).close()
    except SetupError:
        return False
    return True


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(SetupError, match="no address of this machine"):
        listen("192.0.2.1", 0)


def test_a_client_that_goes_away_breaks_nothing(client: httpx.Client) -> None:
    address = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", QUERY)
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", "1000")
    connection.endheaders(b'{"source": ')
    connection.close()
    assert client.get("/healthz").status_code == 200


@given(st.decimals(-(10**36), 10**36, places=2))
def test_a_decimal_keeps_every_digit(value: Decimal) -> None:
    written = json_text(value)
    assert json.loads(written, parse_float=str) == written
    assert Decimal(written).as_tuple() == value.as_tuple()


@given(st.floats() | st.integers() | st.text() | st.booleans() | st.none())
def test_other_values_are_read_back_as_they_were(value: object) -> None:
    read = json.loads(json_text(value))
    finite = not isinstance(value, float) or abs(value) < float("inf")
    assert read == (value if finite else None)
    assert type(read) is type(value if finite else None)
