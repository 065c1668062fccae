"""What a session may ask of itself, as tools write it when they connect; no database is asked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import adbc_driver_manager
import duckdb
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions, dbapi
from secured_shop import AUTH, PASSWORDS, TLS, TOKEN, make_certificates, make_shop, served

from flightframe_server import __version__
from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer

VERSION = f"flightframe {__version__}"
INSTANT, MOMENT, DAY = pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.date32()

# The text, the names of its columns, its row.
ASKED = {
    "ADBC": ("SELECT 1", ["1"], (1,)),
    "Superset": ("SELECT 1 AS alive", ["alive"], (1,)),
    "version": ("SELECT version()", ["version"], (VERSION,)),
    "SQLAlchemy": (
        "select current_schema() AS s, current_database()",
        ["s", "current_database"],
        ("retail_full", "retail-demo"),
    ),
    "without parentheses": (
        "SELECT current_schema, current_catalog, current_user, session_user",
        ["current_schema", "current_catalog", "current_user", "session_user"],
        ("retail_full", "retail-demo", None, None),
    ),
    "DBeaver": (
        'SELECT CURRENT_DATABASE() AS "c", CURRENT_SCHEMA() AS "s", session_user AS "u"',
        ["c", "s", "u"],
        ("retail-demo", "retail_full", None),
    ),
    "JDBC's escapes": ("SELECT {fn user()} AS u, 1 AS one", ["u", "one"], (None, 1)),
    "several at once": (
        "SELECT 1 AS one, 'x' AS x, version() AS v, user AS u -- a pool's",
        ["one", "x", "v", "u"],
        (1, "x", VERSION, None),
    ),
    "in a sub-select": (
        "SELECT t.v, t.c FROM (SELECT version() AS v, current_catalog AS c) t WHERE t.v <> ''",
        ["v", "c"],
        (VERSION, "retail-demo"),
    ),
}


@pytest.fixture
def no_query(retail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of which nothing but its version may be asked."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    for engine in retail.runtime.engines.values():
        for name in ("run", "text", "edge_map", "duplicate", "statistics", "tables"):
            monkeypatch.setattr(engine.backend, name, asked)


@pytest.fixture(scope="module")
def session(server: FlightServer) -> Iterator[dbapi.Connection]:
    with dbapi.connect(server.uri, autocommit=True) as connected:
        yield connected


def asked(session: dbapi.Connection, text: str, *values: object) -> pa.Table:
    with session.cursor() as cursor:
        cursor.execute(text, values or None)
        return cursor.fetch_arrow_table()


def row(session: dbapi.Connection, text: str) -> tuple[object, ...]:
    (values,) = asked(session, text).to_pylist()
    return tuple(values.values())


@pytest.mark.usefixtures("no_query")
@pytest.mark.parametrize("tool", ASKED)
def test_a_session_is_told_of_itself(session, tool):
    text, names, expected = ASKED[tool]
    assert asked(session, text).column_names == names
    assert row(session, text) == expected


@pytest.mark.usefixtures("no_query")
def test_the_clock_is_read_once_for_a_text(session):
    before = datetime.datetime.now(datetime.UTC)
    table = asked(
        session,
        "SELECT now(), CURRENT_TIMESTAMP AS t, localtimestamp, CURRENT_DATE, today() AS d",
    )
    after = datetime.datetime.now(datetime.UTC)
    assert table.column_names == ["now", "t", "localtimestamp", "current_date", "d"]
    assert table.schema.types == [INSTANT, INSTANT, MOMENT, DAY, DAY]
    now, same, local, day, same_day = (column[0].as_py() for column in table.columns)
    assert before <= now == same <= after
    # The demonstration's clock is UTC's.
    assert local == now.replace(tzinfo=None)
    assert day == same_day == local.date()


@pytest.mark.usefixtures("no_query")
def test_the_catalogue_is_searched_by_what_the_session_is(session):
    text = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        " AND table_catalog = current_database() AND table_name LIKE 's%' ORDER BY 1"
    )
    rows = asked(session, text).to_pylist()
    assert [one["table_name"] for one in rows] == ["store_monthly_inventory", "stores"]
    assert asked(session, f"{text} LIMIT ?", 1).num_rows == 1
    later = "SELECT source FROM system.last_queries WHERE at > now()"
    assert asked(session, later).num_rows == 0


def test_a_text_is_typed_before_it_is_answered(session):
    with session.cursor() as cursor:
        schema = cursor.adbc_execute_schema("SELECT version(), now() AS t, current_date")
    assert list(zip(schema.names, schema.types, strict=True)) == [
        ("version", pa.string()),
        ("t", INSTANT),
        ("current_date", DAY),
    ]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("SELECT pg_sleep(1)", "NOT_SUPPORTED: PG_SLEEP"),
        ("SELECT version(1)", "NOT_SUPPORTED: VERSION"),
        ("SELECT current_setting('x')", "NOT_SUPPORTED: CURRENT_SETTING"),
        ('SELECT "user"', "PARSE"),
        ("SELECT current_user, region FROM metrics GROUP BY region", "NOT_SUPPORTED: CURRENT_USER"),
        ("SELECT source FROM system.last_queries WHERE at > current_date", "TYPE: a date"),
        ("SELECT table_name FROM information_schema.tables WHERE 1 = current_user", "TYPE"),
    ],
)
@pytest.mark.usefixtures("no_query")
def test_what_no_session_has_is_refused_by_name(session, text, refusal):
    with pytest.raises(adbc_driver_manager.Error, match=refusal):
        asked(session, text)


AC = """\
version: 1
name: {name}
timezone: {zone}
schemas:
  - name: sales
    table: {name}
    grain: [sale]
    columns: {{sale: id, amount: amount}}
metric_families:
  - {{name: amount, family_root: {{schema: sales, column: amount}},
     ip_reducers: [{{operator: SUM, a_block: []}}]}}
"""


def test_of_several_collections_the_chosen_one_is_the_schema_and_its_clock_tells(tmp_path: Path):
    with duckdb.connect(str(tmp_path / "two.duckdb")) as database:
        for name, zone in (("west", "Pacific/Honolulu"), ("east", "Pacific/Kiritimati")):
            database.execute(f"CREATE TABLE {name} AS SELECT 1::BIGINT AS id, 1::BIGINT AS amount")
            (tmp_path / f"{name}.yaml").write_text(AC.format(name=name, zone=zone))
    (tmp_path / "installation.yaml").write_text(
        "id: two\ncollections: [west.yaml, east.yaml]\n"
        "backend: {type: duckdb, source: ./two.duckdb}\n"
    )
    text = "SELECT current_schema, now(), localtimestamp"
    cookies = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}
    with (
        closing(open_installation(tmp_path / "installation.yaml")) as opened,
        FlightServer(opened.runtime) as running,
        dbapi.connect(running.uri, db_kwargs=cookies, autocommit=True) as session,
    ):
        schema, now, local = row(session, text)
        assert (schema, local) == (None, now.replace(tzinfo=None))
        for name, zone in (("west", "Pacific/Honolulu"), ("east", "Pacific/Kiritimati")):
            session.adbc_connection.set_options(**{"adbc.flight.sql.session.option.schema": name})
            schema, now, local = row(session, text)
            shown = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            assert (schema, local) == (name, shown)


def test_the_user_is_the_one_that_was_proven(tmp_path: Path):
    manifest = make_shop(tmp_path, AUTH, TLS)
    root = make_certificates(tmp_path).root.decode()
    text = "SELECT current_user, session_user, user"
    trust = {DatabaseOptions.TLS_ROOT_CERTS.value: root}
    entries = {
        "alice": {"username": "alice", "password": PASSWORDS["alice"]},
        "grafana": {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {TOKEN}"},
    }
    with served(manifest) as (running, _):
        for user, entry in entries.items():
            options = {**trust, **entry}
            with dbapi.connect(running.uri, db_kwargs=options, autocommit=True) as session:
                assert row(session, text) == (user, user, user)
                # Of two users that ask the same, each is told of itself.
                mine = "SELECT 1 AS one WHERE current_user = 'alice'"
                assert asked(session, mine).num_rows == (user == "alice")
