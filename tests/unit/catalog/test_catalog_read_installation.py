"""The installation manifest: settings, defaults and refusals."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest

from flightframe_server.catalog import (
    BackendSettings,
    EngineSettings,
    Installation,
    ServerSettings,
    read_installation,
)
from flightframe_server.catalog.installation import AuditSettings
from flightframe_server.errors import CatalogError

FULL = """\
id: retail-demo
collections: [retail.coframe/ac.yaml, other/ac.yaml]
backend:
  type: postgres
  source: postgres://reader:hunter2@db/retail
  options: {threads: 4, ratio: 0.5, read_only: true, role: on, password: hunter2}
metric_engine:
  enabled: false
  max_bytes_per_ac: 1073741824
  store: ./metric_engine
server:
  host: 0.0.0.0
  flight_port: 0
  http_port: 65535
"""


def test_everything_said() -> None:
    assert read_installation(FULL, "demo.yaml") == Installation(
        id="retail-demo",
        collections=("retail.coframe/ac.yaml", "other/ac.yaml"),
        backend=BackendSettings(
            "postgres",
            "postgres://reader:hunter2@db/retail",
            {"threads": 4, "ratio": 0.5, "read_only": True, "role": "on", "password": "hunter2"},
        ),
        metric_engine=EngineSettings(False, 1 << 30, "./metric_engine"),
        server=ServerSettings("0.0.0.0", 0, 65535),
        file="demo.yaml",
    )


def test_options_are_plain_numbers() -> None:
    options = read_installation(FULL).backend.options
    assert {name: type(value) for name, value in options.items()} == {
        "threads": int,
        "ratio": float,
        "read_only": bool,
        "role": str,
        "password": str,
    }


def test_defaults() -> None:
    text = "id: a\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: ./x.duckdb}\n"
    found = read_installation(text)
    assert found.metric_engine == EngineSettings(True, 1 << 30, "./metric_engine")
    assert found.server == ServerSettings("127.0.0.1", 8815, 8000)
    assert found.backend.options == {}
    assert found.file == "installation.yaml"


def test_both_ports_may_be_any_free_one() -> None:
    server = read_installation(FULL.replace("http_port: 65535", "http_port: 0")).server
    assert (server.flight_port, server.http_port) == (0, 0)


class Case(NamedTuple):
    """One way to spoil the manifest, and what the error must say."""

    old: str
    new: str
    line: int
    path: str
    message: str


CASES = {
    "no id": Case("id: retail-demo\n", "", 1, "", "'id' is missing"),
    "no backend source": Case("  source:", "  sauce:", 5, "backend.sauce", "unknown key 'sauce'"),
    "unknown key": Case("server:", "serber:", 11, "serber", "unknown key 'serber'"),
    "no collections": Case(
        "[retail.coframe/ac.yaml, other/ac.yaml]", "[]", 2, "collections", "must not be empty"
    ),
    "one collection as text": Case(
        "[retail.coframe/ac.yaml, other/ac.yaml]", "ac.yaml", 2, "collections", "a list"
    ),
    "collection twice": Case(
        "other/ac.yaml", "retail.coframe/ac.yaml", 2, "collections[1]", "listed twice"
    ),
    "empty collection": Case("other/ac.yaml", "''", 2, "collections[1]", "must not be empty"),
    "port too high": Case("65535", "65536", 14, "server.http_port", "at most 65535"),
    "port below": Case("flight_port: 0", "flight_port: -1", 13, "server.flight_port", "at least 0"),
    "port as text": Case("65535", "'80'", 14, "server.http_port", "a whole number, found text"),
    "port as decimal": Case("65535", "80.0", 14, "server.http_port", "a whole number"),
    "shared port": Case("flight_port: 0", "flight_port: 65535", 14, "server.http_port", "share"),
    "no budget": Case("1073741824", "0", 9, "metric_engine.max_bytes_per_ac", "more than 0"),
    "budget as truth": Case("1073741824", "true", 9, "max_bytes_per_ac", "a whole number"),
    "enabled as text": Case("enabled: false", "enabled: no", 8, "enabled", "true or false"),
    "option of several": Case("role: on", "role: [a]", 6, "backend.options.role", "expected text"),
    "option of a date": Case("role: on", "role: 2024-01-01", 6, "options.role", "expected text"),
    "backend as text": Case(
        "backend:\n  type: postgres\n  source: postgres://reader:hunter2@db/retail\n"
        "  options: {threads: 4, ratio: 0.5, read_only: true, role: on, password: hunter2}\n",
        "backend: postgres://reader:hunter2@db/retail\n",
        3,
        "backend",
        "expected a mapping, found text",
    ),
    "source as number": Case(
        "source: postgres://reader:hunter2@db/retail", "source: 5", 5, "backend.source", "text"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_manifest_is_refused_where_it_is_broken(name: str) -> None:
    case = CASES[name]
    assert FULL.count(case.old) == 1
    with pytest.raises(CatalogError) as caught:
        read_installation(FULL.replace(case.old, case.new), "demo.yaml")
    error = caught.value
    assert error.line == case.line, str(error)
    assert case.path in error.path, str(error)
    assert case.message in error.message, str(error)
    assert error.file == "demo.yaml"
    assert "hunter2" not in str(error.payload())


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("{mode: off}", AuditSettings("off", 0.01, False)),
        ("{mode: full, values: true}", AuditSettings("full", 0.01, True)),
        ("{mode: sampled, rate: 0.25}", AuditSettings("sampled", 0.25, False)),
        ("{mode: sampled, rate: 1}", AuditSettings("sampled", 1.0, False)),
    ],
)
def test_an_audit(written: str, settings: AuditSettings) -> None:
    assert read_installation(f"{FULL}audit: {written}\n").audit == settings


@pytest.mark.parametrize(
    "written", ["{mode: some}", "{mode: sampled, rate: 0}", "{rate: 1.5}", "{rate: x}", "full"]
)
def test_an_audit_that_is_none_is_refused_where_it_stands(written: str) -> None:
    with pytest.raises(CatalogError) as refused:
        read_installation(f"{FULL}audit: {written}\n")
    assert (refused.value.line, refused.value.file) == (15, "installation.yaml")


def test_without_a_word_there_is_no_audit() -> None:
    assert read_installation(FULL).audit.mode == "off"


EVERY_SETTING = """\
id: shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
metric_engine: {enabled: false, max_bytes_per_ac: 7, store: ./kept}
server:
  host: 0.0.0.0
  flight_port: 7
  http_port: 8
  tls: {certificate: a.pem, key: b.pem, client_ca: c.pem}
  cors_origins: [https://one.example]
  auth:
    {users: u.yaml, tokens: t.yaml, signing_key: k, session_seconds: 7, anonymous: true,
     operators: [alice]}
audit: {mode: full, rate: 0.5, values: true}
sql: {shadow: 0.25}
"""


@pytest.mark.parametrize("written", ["{shadow: 1.5}", "{shadow: -0.1}", "{shadow: true}"])
def test_a_share_of_answers_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(CatalogError) as refused:
        read_installation(f"{FULL}sql: {written}\n")
    assert refused.value.path == "sql.shadow"


def test_bounds_of_sql_stand_beside_the_share_that_is_checked() -> None:
    found = read_installation(f"{FULL}sql: {{shadow: 0.01, outer_rows: 7}}\n")
    assert (found.sql.shadow, found.limits.outer_rows) == (0.01, 7)
    assert read_installation(FULL).sql.shadow == 0
    assert read_installation(f"{FULL}sql: {{shadow: 0}}\n").sql.shadow == 0


def test_no_setting_is_left_at_its_default_where_the_manifest_says_another() -> None:
    found = read_installation(EVERY_SETTING)
    server = found.server
    for settings in (found.metric_engine, server, server.tls, server.auth, found.audit, found.sql):
        for field in dataclasses.fields(settings):
            said = getattr(settings, field.name)
            assert said != field.default, f"{type(settings).__name__}.{field.name} is not handed on"
