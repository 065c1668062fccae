"""One call for each question, with the credentials that were given and nothing else."""

import datetime
import json
import threading
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import flight

import flightframe
from flightframe.ticket import MAGIC
from flightframe.wire import ticket_pb2

SOURCE = "SELECT region, SUM(revenue) AS r AT region"
PEM = Path(__file__).with_name("localhost.pem")
CALL = flight.FlightMethod


def sent(wire):
    (ticket,) = wire.tickets
    assert ticket.startswith(MAGIC)
    return ticket_pb2.Ticket.FromString(ticket[4:]).query


def test_connecting_sends_nothing(wire):
    flightframe.connect(wire.uri, token="abc").close()
    assert wire.recorder.calls == []


def test_a_query_is_one_call_with_the_text_as_its_ticket(wire, connection):
    connection.query(SOURCE).to_arrow()
    assert wire.tickets == [SOURCE.encode()]
    assert [method for method, _ in wire.recorder.calls] == [CALL.DO_GET]


def test_every_option_travels(wire, connection):
    connection.query(
        "SELECT ?", parameters=["East"], max_staleness=60, only_if_cached=True, collection="retail"
    )
    query = sent(wire)
    assert (query.source, query.collection) == ("SELECT ?", "retail")
    assert (query.freshness.max_staleness, query.freshness.only_if_cached) == (60.0, True)
    assert pa.ipc.open_stream(query.parameters).read_all().to_pylist() == [{"0": "East"}]


def test_the_collection_of_the_connection_is_the_default(wire):
    with flightframe.connect(wire.uri, collection="retail") as connection:
        connection.query(SOURCE)
        assert sent(wire).collection == "retail"
        wire.tickets.clear()
        connection.query(SOURCE, collection="other")
        assert sent(wire).collection == "other"
        wire.tickets.clear()
        connection.query(SOURCE, collection="")
        assert wire.tickets == [SOURCE.encode()]


def test_a_call_that_makes_no_sense_sends_nothing(wire, connection):
    for wrong in (
        {"source": ""},
        {"source": SOURCE, "parameters": "East"},
        {"source": SOURCE, "max_staleness": -1},
        {"source": SOURCE, "collection": 7},
    ):
        with pytest.raises(flightframe.ArgumentError):
            connection.query(**wrong)
    with pytest.raises(flightframe.ArgumentError):
        connection.explain(None)
    with pytest.raises(flightframe.ArgumentError):
        connection.describe(7)
    assert wire.recorder.calls == []


@pytest.mark.parametrize(
    ("source", "ticket"),
    [
        ("SELECT a AT a", "EXPLAIN SELECT a AT a"),
        ("EXPLAIN SELECT a AT a", None),
        (" \n-- EXPLAIN\n/* x */ explain SELECT a AT a", None),
        ("-- EXPLAIN\nSELECT a AT a", "EXPLAIN -- EXPLAIN\nSELECT a AT a"),
        ("/* x */ y */ EXPLAIN", "EXPLAIN /* x */ y */ EXPLAIN"),
        ("explained", "EXPLAIN explained"),
    ],
)
def test_explain_is_prefixed_where_it_is_missing(wire, connection, source, ticket):
    connection.explain(source)
    assert wire.tickets == [(ticket or source).encode()]


def test_explain_recognition_is_quick_on_any_text(connection):
    start = time.process_time()
    connection.explain("/**/ -- \n" * 20_000 + "SELECT")
    connection.explain("/**/" * 50_000 + "/*")
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("source", "line", "column", "expected"),
    [("SELECT x", 1, 16, (1, 8)), ("SELECT\n x", 2, 2, (2, 2)), ("EXPLAIN x", 1, 9, (1, 9))],
)
def test_places_of_explain_are_in_the_text_as_written(
    wire, connection, source, line, column, expected
):
    def fail(ticket):
        raise pa.ArrowInvalid(f"PARSE: no (line {line}, column {column}).")

    wire.answer = fail
    with pytest.raises(flightframe.QueryError) as caught:
        connection.explain(source)
    assert (caught.value.line, caught.value.column) == expected
    assert caught.value.message == "no"


DESCRIPTION = {
    "installation_id": "retail-demo",
    "from_a_newer_server": True,
    "collections": [
        {
            "name": "retail_full",
            "description": "Retail",
            "levels": [{"name": "region", "type": "text", "family": "geography"}],
            "metrics": [
                {
                    "name": "revenue",
                    "description": "Money in",
                    "type": "decimal(18,2)",
                    "reducers": ["SUM", "COUNT"],
                    "default": "SUM",
                },
                {"name": "profit", "default": None},
            ],
            "schemas": [{"name": "transactions", "grain": ["transaction_id"]}],
        }
    ],
}


def test_describe_reads_the_catalog(wire, connection):
    data = json.dumps(DESCRIPTION).encode()
    wire.act = lambda kind, body: [data[:40], data[40:]]
    found = connection.describe()
    assert wire.actions == [("flightframe.describe", b"{}")]
    assert found == flightframe.Description(
        "retail-demo",
        (
            flightframe.CollectionDescription(
                "retail_full",
                (flightframe.LevelDescription("region", "text", "geography"),),
                (
                    flightframe.MetricDescription(
                        "revenue", "decimal(18,2)", ("SUM", "COUNT"), "SUM", "Money in"
                    ),
                    flightframe.MetricDescription("profit"),
                ),
                (flightframe.SchemaDescription("transactions", ("transaction_id",)),),
                "Retail",
            ),
        ),
    )


def test_describe_asks_for_one_name(wire, connection):
    wire.act = lambda kind, body: [b'{"installation_id": "x"}']
    assert connection.describe("revenue", collection="retail").collections == ()
    (action,) = wire.actions
    assert json.loads(action[1]) == {"name": "revenue", "collection": "retail"}


def test_describe_asks_for_names_and_levels(wire, connection):
    schema = {"name": "tx", "grain": ["id"], "levels": ["day", "id"]}
    metric = {"name": "m", "schema": "tx", "required": ["day"]}
    edges = [{"from": "day", "to": "month"}]
    collection = {"name": "c", "metrics": [metric], "schemas": [schema], "edges": edges}
    answer = {"installation_id": "x", "collections": [collection]}
    wire.act = lambda kind, body: [json.dumps(answer).encode()]
    (found,) = connection.describe(names=iter(["m", "tx"]), detail="names").collections
    assert found.edges == (flightframe.LevelEdge("day", "month"),)
    assert found.schemas[0].levels == ("day", "id")
    assert (found.metrics[0].schema, found.metrics[0].required) == ("tx", ("day",))
    connection.describe(at=("day",))
    assert [json.loads(body) for _, body in wire.actions] == [
        {"names": ["m", "tx"], "detail": "names"},
        {"at": ["day"]},
    ]


FACTS = {
    "schema": "stores",
    "cardinality": 4,
    "has_null": True,
    "first": None,
    "last": None,
    "members": [],
    "served_from": "engine_cache",
}


@pytest.mark.parametrize(
    ("kind", "sent", "members"),
    [
        ("text", ["a", "1", None], ("a", "1", None)),
        ("integer", [-1, 2**62], (-1, 2**62)),
        ("boolean", [False, True], (False, True)),
        ("date", ["2024-02-29"], (datetime.date(2024, 2, 29),)),
        ("timestamp", ["2024-02-29T12:00:01"], (datetime.datetime(2024, 2, 29, 12, 0, 1),)),
        (
            "timestamp[UTC]",
            ["2024-02-29T12:00:00+00:00"],
            (datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),),
        ),
        ("decimal(12,2)", ["0.10"], (Decimal("0.10"),)),
        ("what comes later", ["x", 1], ("x", 1)),
    ],
)
def test_members_are_values_of_their_levels_type(wire, connection, kind, sent, members):
    facts = {**FACTS, "first": sent[0], "members": sent}
    level = {"name": "l", "type": kind, "facts": facts}
    answer = {"installation_id": "x", "collections": [{"name": "c", "levels": [level]}]}
    wire.act = lambda kind, body: [json.dumps(answer).encode()]
    (found,) = connection.describe("l", members=3, schema="stores").collections[0].levels
    assert found.facts.members == members
    assert list(map(type, found.facts.members)) == list(map(type, members))
    assert (found.facts.first, found.facts.last) == (members[0], None)
    assert found.facts.complete is (len(members) == 4)
    assert json.loads(wire.actions[0][1]) == {"name": "l", "schema": "stores", "members": 3}


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("text", {"members": [1]}),
        ("integer", {"members": [True]}),
        ("integer", {"members": ["1"]}),
        ("boolean", {"members": [1]}),
        ("date", {"members": ["soon"]}),
        ("date", {"members": [20240229]}),
        ("decimal(12,2)", {"first": "much"}),
        ("text", {"members": None}),
        ("text", {"members": "ab"}),
        ("what comes later", {"members": [[1]]}),
        ("text", {"cardinality": -1}),
        ("text", {"cardinality": True}),
        ("text", {"has_null": 0}),
        ("text", {"schema": None}),
    ],
)
def test_facts_of_another_shape_are_refused(wire, connection, kind, changed):
    level = {"name": "l", "type": kind, "facts": {**FACTS, **changed}}
    answer = {"installation_id": "x", "collections": [{"name": "c", "levels": [level]}]}
    wire.act = lambda kind, body: [json.dumps(answer).encode()]
    with pytest.raises(flightframe.ProtocolError):
        connection.describe("l", members=3)


def test_where_a_metric_may_be_asked_is_read_as_it_is(wire, connection):
    anchors = {
        "reducer": "SUM",
        "levels": ["region"],
        "required": ["month"],
        "blocked": [{"level": "tag", "code": "FAN_OUT", "reason": "many to many"}],
    }
    metric = {"name": "m", "anchors": [anchors]}
    level = {"name": "l", "refused": "FD_VIOLATION: S1 has two"}
    collection = {"name": "c", "metrics": [metric], "levels": [level]}
    answer = {"installation_id": "x", "collections": [collection]}
    wire.act = lambda kind, body: [json.dumps(answer).encode()]
    (found,) = connection.describe().collections
    blocked = flightframe.BlockedLevel("tag", "FAN_OUT", "many to many")
    assert found.metrics[0].anchors == (
        flightframe.AnchorsDescription("SUM", ("region",), ("month",), (blocked,)),
    )
    assert (found.levels[0].facts, found.levels[0].refused) == (None, "FD_VIOLATION: S1 has two")


@pytest.mark.parametrize(
    "wanted",
    [
        {"members": -1},
        {"members": True},
        {"members": 1.0},
        {"schema": 7},
        {"names": "revenue"},
        {"names": []},
        {"names": ["a", ""]},
        {"at": [1]},
        {"detail": 1},
    ],
)
def test_a_describe_that_makes_no_sense_is_not_sent(wire, connection, wanted):
    with pytest.raises(flightframe.ArgumentError):
        connection.describe(**wanted)
    assert wire.actions == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"installation_id": 1}',
        b'{"installation_id": "x", "collections": {}}',
        b'{"installation_id": "x", "collections": [{"name": "a", "levels": ["b"]}]}',
        b'{"installation_id":"x","collections":[{"name":"a","metrics":[{"name":"m","reducers":[1]}]}]}',
    ],
)
def test_a_description_of_another_shape_is_refused(wire, connection, data):
    wire.act = lambda kind, body: [data]
    with pytest.raises(flightframe.ProtocolError):
        connection.describe()


def test_a_failing_describe_is_an_error_of_ours(wire, connection):
    def fail(kind, body):
        raise pa.ArrowKeyError("UNKNOWN_NAME: no such collection.")

    wire.act = fail
    with pytest.raises(flightframe.QueryError, match="no such collection"):
        connection.describe(collection="nope")


def test_a_token_is_sent_with_every_call(wire):
    wire.act = lambda kind, body: [b'{"installation_id": "x"}']
    with flightframe.connect(wire.uri, token="abc.def") as connection:
        connection.query(SOURCE)
        connection.describe()
    assert [headers["authorization"] for _, headers in wire.recorder.calls] == [
        ["Bearer abc.def"],
        ["Bearer abc.def"],
    ]


def test_a_user_name_is_exchanged_for_a_token_once(guarded):
    connection = flightframe.connect(guarded.uri, username="alice", password="secret")
    connection.query(SOURCE)
    connection.query(SOURCE)
    connection.close()
    assert [(method, headers["authorization"]) for method, headers in guarded.recorder.calls] == [
        (CALL.HANDSHAKE, ["Basic YWxpY2U6c2VjcmV0"]),
        (CALL.DO_GET, ["Bearer granted"]),
        (CALL.DO_GET, ["Bearer granted"]),
    ]


def test_a_wrong_password_fails_at_connect(guarded):
    with pytest.raises(flightframe.AuthenticationFailed) as caught:
        flightframe.connect(guarded.uri, username="alice", password="wrong")
    assert "wrong" not in str(caught.value).replace("the password is wrong", "")


def test_a_server_that_gives_no_token_fails_at_connect(guarded):
    guarded.recorder.gives_token = False
    with pytest.raises(flightframe.AuthenticationFailed):
        flightframe.connect(guarded.uri, username="alice", password="secret")


def test_a_server_without_handshake_fails_at_connect(wire):
    with pytest.raises(flightframe.AuthenticationFailed):
        flightframe.connect(wire.uri, username="alice", password="secret")


def test_nobody_to_shake_hands_with(wire):
    uri = wire.uri
    wire.shutdown()
    with pytest.raises(flightframe.ConnectionFailed):
        flightframe.connect(uri, username="alice", password="secret")


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "127.0.0.1:8815",
        "http://127.0.0.1:8815",
        "flightframe://127.0.0.1:8815",
        "grpc+unix:///tmp/socket",
        "grpc://",
        "grpc://127.0.0.1",
        "grpc://:8815",
        "grpc://127.0.0.1:0",
        "grpc://127.0.0.1:99999",
        "grpc://127.0.0.1:port",
        "grpc://alice:secret@127.0.0.1:8815",
        "grpc://127.0.0.1:8815/path",
        "grpc://127.0.0.1:8815?token=x",
        "grpc://[::1:8815",
    ],
)
def test_other_uris_are_refused(uri):
    with pytest.raises(flightframe.ArgumentError) as caught:
        flightframe.connect(uri)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"token": ""},
        {"token": "a b"},
        {"token": "a\r\nx-admin: 1"},
        {"token": b"abc"},
        {"token": "a", "username": "b", "password": "c"},
        {"username": "alice"},
        {"password": "secret"},
        {"username": "al:ice", "password": "secret"},
        {"username": 1, "password": "secret"},
        {"tls_root_certs": b"-----BEGIN CERTIFICATE-----"},
        {"tls_client_cert": PEM, "tls_client_key": PEM},
        {"collection": 7},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": True},
        {"timeout": "1"},
        {"timeout": float("nan")},
    ],
    ids=repr,
)
def test_other_arguments_are_refused(wire, options):
    with pytest.raises(flightframe.ArgumentError):
        flightframe.connect(wire.uri, **options)
    assert wire.recorder.calls == []


@pytest.mark.parametrize("roots", [b"junk", "/nowhere/at/all.pem", "nul\0", 7], ids=repr)
def test_certificates_that_are_none_are_refused(roots):
    with pytest.raises(flightframe.ArgumentError):
        flightframe.connect("grpc+tls://127.0.0.1:1", tls_root_certs=roots)


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        (PEM, None),
        (None, PEM),
        (b"junk", PEM),
        (PEM, b"-----BEGIN CERTIFICATE-----"),
        (PEM, "/nowhere/at/all.key"),
        (7, PEM),
    ],
    ids=["no key", "no certificate", "junk", "no key in it", "no file", "a number"],
)
def test_a_certificate_to_show_that_is_none_is_refused(certificate, key):
    with pytest.raises(flightframe.ArgumentError) as caught:
        flightframe.connect(
            "grpc+tls://127.0.0.1:1", tls_client_cert=certificate, tls_client_key=key
        )
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize("form", [PEM, str(PEM), PEM.read_bytes()], ids=["path", "text", "bytes"])
def test_tls_with_the_right_roots(form):
    pem = PEM.read_bytes()
    with Secure("grpc+tls://localhost:0", tls_certificates=[(pem, pem)]) as server:
        uri = f"grpc+tls://localhost:{server.port}"
        with flightframe.connect(uri, tls_root_certs=form) as connection:
            assert connection.query(SOURCE).rows == [(1,)]


class Secure(flight.FlightServerBase):
    def do_get(self, context, ticket):
        table = pa.table({"n": [1]})
        chunks = [(part, b'{"served_from": "backend"}') for part in table.to_batches()]
        return flight.GeneratorStream(table.schema, iter(chunks))


def test_a_timeout_ends_the_call(wire):
    release = threading.Event()

    def slow(ticket):
        release.wait(60)
        return iter(())

    wire.answer = slow
    with flightframe.connect(wire.uri, timeout=0.3) as connection:
        with pytest.raises(flightframe.BackendError) as caught:
            connection.query(SOURCE)
        release.set()
    assert caught.value.code == "TIMEOUT"
    assert wire.uri.removeprefix("grpc://") in caught.value.message


def test_a_closed_connection_says_so(wire):
    connection = flightframe.connect(wire.uri)
    connection.close()
    connection.close()
    for ask in (lambda: connection.query(SOURCE), connection.describe):
        with pytest.raises(flightframe.ConnectionFailed, match="closed"):
            ask()


def test_repr_shows_the_address_and_no_credential(wire):
    with flightframe.connect(wire.uri, token="hidden", collection="retail") as connection:
        assert repr(connection) == f"<flightframe.Connection {wire.uri}, collection='retail'>"
    assert repr(connection).endswith(", closed>")


@pytest.mark.parametrize("scheme", ["grpc", "grpc+tcp"])
def test_both_plain_schemes_reach_the_server(wire, scheme):
    with flightframe.connect(f"{scheme}://127.0.0.1:{wire.port}") as connection:
        assert connection.query(SOURCE).row_count == 3


def test_threads_may_share_a_connection(connection):
    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(connection.query(SOURCE).row_count))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3] * 8
