"""`server.tls` and `server.auth` of the manifest: what is read, and what contradicts itself."""

import pytest

from flightframe_server.catalog import AuthSettings, TlsSettings, read_installation
from flightframe_server.errors import CatalogError

HEAD = "id: a\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: x}\nserver:\n"


def read(*lines: str):
    return read_installation(HEAD + "".join(f"  {line}\n" for line in lines)).server


def test_neither_by_default():
    server = read("host: 127.0.0.1")
    assert (server.tls, server.auth, server.certified) == (None, None, False)


def test_tls():
    server = read("tls: {certificate: c.pem, key: c.key}")
    assert server.tls == TlsSettings("c.pem", "c.key", None)
    assert not server.certified


@pytest.mark.parametrize("more", ["", ", require_client_certificate: true"])
def test_who_signs_the_certificates_of_clients_makes_them_required(more):
    server = read(f"tls: {{certificate: c.pem, key: c.key, client_ca: ca.pem{more}}}")
    assert server.tls == TlsSettings("c.pem", "c.key", "ca.pem")
    assert server.certified


def test_auth():
    assert read("auth: {users: users.yaml}").auth == AuthSettings(
        users="users.yaml",
        tokens=None,
        signing_key=None,
        session_seconds=43_200,
        anonymous=False,
    )
    everything = "auth: {users: u, tokens: t, signing_key: k, session_seconds: 60, anonymous: true}"
    assert read(everything).auth == AuthSettings("u", "t", "k", 60, True)


@pytest.mark.parametrize(
    ("line", "path", "message"),
    [
        ("tls: {certificate: c}", "server.tls", "'key' is missing"),
        ("tls: {certificate: c, key: k, ca: x}", "server.tls.ca", "unknown key 'ca'"),
        ("tls: yes", "server.tls", "expected a mapping"),
        (
            "tls: {certificate: c, key: k, require_client_certificate: true}",
            "server.tls.require_client_certificate",
            "cannot be checked without client_ca",
        ),
        (
            "tls: {certificate: c, key: k, client_ca: x, require_client_certificate: false}",
            "server.tls.require_client_certificate",
            "either required or not asked for",
        ),
        ("auth: {}", "server.auth", "no caller could be let in"),
        ("auth: {anonymous: true}", "server.auth", "no caller could be let in"),
        ("auth: {user: u}", "server.auth.user", "unknown key 'user'"),
        ("auth: {users: u, session_seconds: 0}", "session_seconds", "more than 0"),
        ("auth: {users: u, anonymous: 1}", "anonymous", "true or false"),
        ("auth: {users: hunter2, users: hunter2}", "server.auth", "written twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line, path, message):
    with pytest.raises(CatalogError) as caught:
        read("host: 127.0.0.1", line)
    assert caught.value.line == 6
    assert path in caught.value.path
    assert message in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_operators_are_users_by_name():
    assert read("auth: {users: u}").auth.operators == ()
    assert read("auth: {users: u, operators: [alice, grafana]}").auth.operators == (
        "alice",
        "grafana",
    )


def test_origins_of_pages_elsewhere():
    assert read("host: 127.0.0.1").cors_origins == ()
    origins = ("https://dashboards.example", "http://localhost:3000", "http://[::1]:8080")
    written = ", ".join(f'"{origin}"' for origin in origins)
    assert read(f"cors_origins: [{written}]").cors_origins == origins


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://*.example",
        "https://dashboards.example/",
        "https://dashboards.example/page",
        "https://Dashboards.example",
        "dashboards.example",
        "ftp://dashboards.example",
        "https://dashboards.example:0",
        "https://user@dashboards.example",
        "https://",
    ],
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(CatalogError) as refused:
        read(f'cors_origins: ["https://one.example", "{origin}"]')
    assert refused.value.path == "server.cors_origins[1]"
    assert "not the origin of a page" in refused.value.message
