"""TLS and client certificates, with certificates made here, over both surfaces."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import adbc_driver_manager
import grpc
import httpx
import pyarrow as pa
import pytest
import trustme
from adbc_driver_flightsql import dbapi
from pyarrow import flight
from secured_shop import (
    AUTH,
    MUTUAL,
    PASSWORDS,
    ROWS,
    TLS,
    TOTAL,
    Certificates,
    make_certificates,
    make_shop,
    served,
)

import flightframe
from flightframe_server.answer import Runtime
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.errors import SetupError
from flightframe_server.flight.server import FlightServer
from flightframe_server.web.server import HttpServer, listen

OPTION = "adbc.flight.sql.client_option."
LAST = "SELECT * FROM system.last_queries"
ALICE = {"username": "alice", "password": PASSWORDS["alice"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def certificates(folder: Path) -> Certificates:
    return make_certificates(folder)


Running = tuple[FlightServer, OpenInstallation]


@pytest.fixture(scope="module")
def by_password(folder: Path, certificates: Certificates) -> Iterator[Running]:
    """TLS, and credentials."""
    with served(make_shop(folder, TLS, AUTH)) as running:
        yield running


@pytest.fixture(scope="module")
def by_certificate(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, certificates: Certificates
) -> Iterator[Running]:
    """TLS, and a client's certificate alone."""
    own = tmp_path_factory.mktemp("mutual")
    for name in ("server.pem", "server.key", "ca.pem"):
        (own / name).write_bytes((folder / name).read_bytes())
    with served(make_shop(own, MUTUAL)) as running:
        yield running


def rows(table: pa.Table) -> list[tuple[str, str]]:
    return [(row["town"], str(row["total"])) for row in table.to_pylist()]


def adbc_rows(server: FlightServer, **options: str) -> list[tuple[str, str]]:
    with (
        dbapi.connect(server.uri, db_kwargs=options, autocommit=True) as connected,
        connected.cursor() as cursor,
    ):
        cursor.execute(TOTAL)
        return rows(cursor.fetch_arrow_table())


def trusted(certificates: Certificates) -> dict[str, str]:
    return {f"{OPTION}tls_root_certs": certificates.root.decode()}


def test_clients_over_tls_with_a_password(by_password, certificates, folder):
    server, _ = by_password
    assert server.uri.startswith("grpc+tls://")
    for roots in (certificates.root, folder / "ca.pem", str(folder / "ca.pem")):
        with flightframe.connect(server.uri, tls_root_certs=roots, **ALICE) as connection:
            assert rows(connection.query(TOTAL).to_arrow()) == ROWS
    assert adbc_rows(server, **ALICE, **trusted(certificates)) == ROWS
    assert adbc_rows(server, **ALICE, **{f"{OPTION}tls_skip_verify": "true"}) == ROWS
    with flight.FlightClient(server.uri, tls_root_certs=certificates.root) as client:
        header = client.authenticate_basic_token("alice", PASSWORDS["alice"])
        options = flight.FlightCallOptions(headers=[header])
        assert rows(client.do_get(flight.Ticket(TOTAL), options).read_all()) == ROWS


def test_a_certificate_of_nobody_known_is_not_trusted(by_password):
    server, _ = by_password
    strange = trustme.CA().cert_pem.bytes()
    with pytest.raises(flightframe.ConnectionFailed):
        flightframe.connect(server.uri, tls_root_certs=strange, **ALICE)
    with pytest.raises(adbc_driver_manager.Error) as caught:
        adbc_rows(server, **ALICE)
    assert "certificate" in str(caught.value)


def test_plain_text_to_a_tls_port_is_unavailable(by_password):
    server, _ = by_password
    plain = f"grpc://127.0.0.1:{server.port}"
    with (
        flightframe.connect(plain, timeout=5.0) as connection,
        pytest.raises(flightframe.ConnectionFailed, match="no answer"),
    ):
        connection.query(TOTAL)
    with (
        closing(grpc.insecure_channel(f"127.0.0.1:{server.port}")) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        list(channel.unary_stream("/arrow.flight.protocol.FlightService/ListActions")(b""))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    with closing(socket.create_connection(("127.0.0.1", server.port))) as raw:
        raw.settimeout(60)
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert raw.recv(100) in (b"", b"\x15\x03\x01\x00\x02\x02F", b"\x15\x03\x03\x00\x02\x02F")


def test_the_oldest_tls_over_http_is_1_2(by_password, certificates):
    _, opened = by_password
    context = ssl.create_default_context(cadata=certificates.root.decode())
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with http_of(opened) as server:
        port = int(server.url.rpartition(":")[2])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            closing(socket.create_connection(("127.0.0.1", port))) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped,
        ):
            assert wrapped.version() == "TLSv1.2"
        assert opened.access.tls is not None
        assert opened.access.tls.context.minimum_version == ssl.TLSVersion.TLSv1_2


@contextmanager
def http_of(opened: OpenInstallation) -> Iterator[HttpServer]:
    taken = listen("127.0.0.1", 0)
    with HttpServer(opened.runtime, taken, "127.0.0.1", access=opened.access) as server:
        yield server


def post(client: httpx.Client, source: str = TOTAL) -> httpx.Response:
    return client.post("/runtime/query", json={"source": source})


def test_http_over_tls_with_a_password(by_password, certificates):
    _, opened = by_password
    context = ssl.create_default_context(cadata=certificates.root.decode())
    with http_of(opened) as server, httpx.Client(base_url=server.url, verify=context) as client:
        assert server.url.startswith("https://")
        assert client.get("/healthz").status_code == 200
        assert post(client).status_code == 401
        client.auth = ("alice", PASSWORDS["alice"])
        assert post(client).json()["rows"] == [["North", 0.3], ["South", 1.05]]
        plain = server.url.replace("https", "http")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{plain}/healthz")


NAMED = {
    "a name": (("alice.example",), None, "alice.example"),
    "a mail address": (("alice@shop.example",), None, "alice@shop.example"),
    "an address": (("10.0.0.9",), None, "10.0.0.9"),
    "common name alone": ((), "carol", "carol"),
    "names go before the common name": (("second.example",), "first", "second.example"),
    "the first of several": (("b.example", "a.example"), None, "b.example"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_both_surfaces_take_the_same_name_from_a_certificate(by_certificate, certificates, kind):
    names, common_name, expected = NAMED[kind]
    server, opened = by_certificate
    shown, key = certificates.client(*names, common_name=common_name)
    with flightframe.connect(
        server.uri,
        tls_root_certs=certificates.root,
        tls_client_cert=shown,
        tls_client_key=key,
    ) as connection:
        assert rows(connection.query(TOTAL).to_arrow()) == ROWS
        assert list(opened.runtime.query_log)[-1].user == expected
        mine = connection.query(LAST).to_arrow().num_rows
    with (
        http_of(opened) as web,
        httpx.Client(base_url=web.url, verify=context_of(certificates, shown, key)) as client,
    ):
        assert post(client).status_code == 200
        assert list(opened.runtime.query_log)[-1].user == expected
        found = list(opened.runtime.query_log)
    assert sum(query.user == expected for query in found) == mine + 1


def context_of(certificates: Certificates, shown: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificates.root.decode())
    with trustme.Blob(shown + key).tempfile() as path:
        context.load_cert_chain(path)
    return context


def test_adbc_with_a_client_certificate(by_certificate, certificates):
    server, _ = by_certificate
    shown, key = certificates.client("adbc.example")
    options = {
        f"{OPTION}mtls_cert_chain": shown.decode(),
        f"{OPTION}mtls_private_key": key.decode(),
    }
    assert adbc_rows(server, **trusted(certificates), **options) == ROWS


def test_a_ticket_is_for_the_certificate_that_asked(by_certificate, certificates):
    server, _ = by_certificate
    clients = {}
    for name in ("alice.example", "bob.example"):
        shown, key = certificates.client(name)
        clients[name] = flight.FlightClient(
            server.uri, tls_root_certs=certificates.root, cert_chain=shown, private_key=key
        )
    alice, bob = clients.values()
    info = alice.get_flight_info(flight.FlightDescriptor.for_command(TOTAL))
    with pytest.raises(pa.ArrowKeyError):
        bob.do_get(info.endpoints[0].ticket).read_all()
    assert rows(alice.do_get(info.endpoints[0].ticket).read_all()) == ROWS
    for client in clients.values():
        client.close()


@pytest.mark.parametrize("kind", ["none", "of another signer"])
def test_without_a_certificate_of_the_right_signer_nothing_is_answered(
    by_certificate, certificates, kind
):
    server, opened = by_certificate
    options = {}
    if kind != "none":
        made = trustme.CA().issue_cert("alice.example")
        options = {
            "tls_client_cert": made.cert_chain_pems[0].bytes(),
            "tls_client_key": made.private_key_pem.bytes(),
        }
    with (
        flightframe.connect(
            server.uri, tls_root_certs=certificates.root, timeout=5.0, **options
        ) as connection,
        pytest.raises(flightframe.ConnectionFailed),
    ):
        connection.query(TOTAL)
    context = ssl.create_default_context(cadata=certificates.root.decode())
    with (
        http_of(opened) as web,
        httpx.Client(base_url=web.url, verify=context) as client,
        pytest.raises(httpx.TransportError),
    ):
        client.get("/healthz")


def test_a_certificate_does_not_stand_in_for_a_password(tmp_path: Path):
    certificates = make_certificates(tmp_path)
    shown, key = certificates.client("alice")
    connection_options = {
        "tls_root_certs": certificates.root,
        "tls_client_cert": shown,
        "tls_client_key": key,
    }
    with served(make_shop(tmp_path, MUTUAL, AUTH)) as (server, opened):
        with (
            flightframe.connect(server.uri, **connection_options) as nobody,
            pytest.raises(flightframe.AuthenticationFailed),
        ):
            nobody.query(TOTAL)
        bob = {"username": "bob", "password": PASSWORDS["bob"]}
        with flightframe.connect(server.uri, **connection_options, **bob) as connection:
            assert rows(connection.query(TOTAL).to_arrow()) == ROWS
        # The password says who it is, not the certificate.
        assert list(opened.runtime.query_log)[-1].user == "bob"


def spoilt(folder: Path, kind: str) -> None:
    """Spoil one file of TLS."""
    match kind:
        case "no certificate":
            (folder / "server.pem").unlink()
        case "key for certificate":
            (folder / "server.pem").write_bytes((folder / "server.key").read_bytes())
        case "another's key":
            make_certificates(folder / "other")
            (folder / "server.key").write_bytes((folder / "other" / "server.key").read_bytes())
        case "a key with a password":
            from cryptography.hazmat.primitives import serialization

            key = serialization.load_pem_private_key((folder / "server.key").read_bytes(), None)
            sealed = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
            (folder / "server.key").write_bytes(sealed)
        case "junk for a signer":
            (folder / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\njunk\n")


@pytest.mark.parametrize(
    "kind",
    [
        "no certificate",
        "key for certificate",
        "another's key",
        "a key with a password",
        "junk for a signer",
    ],
)
def test_files_that_do_not_go_together_are_told_before_anything_listens(tmp_path: Path, kind):
    make_certificates(tmp_path)
    (tmp_path / "other").mkdir()
    manifest = make_shop(tmp_path, MUTUAL)
    spoilt(tmp_path, kind)
    with pytest.raises(SetupError) as caught:
        open_installation(manifest)
    assert str(tmp_path) not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_a_location_without_tls_is_refused_where_there_are_certificates(by_password):
    _, opened = by_password
    serving: Runtime = opened.runtime
    with pytest.raises(SetupError, match=r"grpc\+tls"):
        FlightServer(serving, "grpc://127.0.0.1:0", access=opened.access)


def test_nothing_secret_is_shown(by_password):
    _, opened = by_password
    text = repr(opened) + repr(opened.access) + repr(opened.access.tls)
    assert "PRIVATE" not in text
    assert "argon2" not in text
    assert "CERTIFICATE" not in text
