"""What clients hold over a reload: prepared statements, results, sessions, credentials, limits."""

from __future__ import annotations

import base64
from contextlib import contextmanager

import argon2
import pyarrow as pa
import pytest
from adbc_driver_flightsql import dbapi
from pyarrow import flight
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, BY_TOWN, MANIFEST, OTHER, ReloadedShop

from flightframe_server.call_context import Caller
from flightframe_server.errors import NotAuthenticated
from flightframe_server.flight.server import FlightServer

BOUND = "SELECT town, taken AT town WHERE town = ?"


@contextmanager
def served(shop):
    """A Flight server over a shop."""
    server = FlightServer(shop.opened.runtime, access=shop.opened.access)
    try:
        yield server
    finally:
        server.stop(10)


def test_a_prepared_statement_means_what_its_text_means_when_it_is_carried_out(shop):
    with (
        served(shop) as server,
        dbapi.connect(server.uri, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.adbc_prepare(BOUND)
        cursor.execute(BOUND, ["North"])
        assert cursor.fetchall() == [("North", AS_WRITTEN["North"])]
        shop.reload(OTHER)
        cursor.execute(BOUND, ["North"])
        assert cursor.fetchall() == [("North", AS_OTHER["North"])]


def test_all_rows_bound_to_a_statement_are_answered_by_one_definition(shop, monkeypatch):
    """The definitions are replaced after the first of them was answered."""
    shop.opened.reloader.warms = False
    answered = []
    collect = shop.opened.runtime.statements.collect

    def swapped(*arguments, **options):
        table = collect(*arguments, **options)
        if not answered:
            answered.append(True)
            assert shop.reload(OTHER).succeeded
        return table

    monkeypatch.setattr(shop.opened.runtime.statements, "collect", swapped)
    with (
        served(shop) as server,
        dbapi.connect(server.uri, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(BOUND, pa.table({"0": ["North", "South"]}))
        assert answered
        assert dict(cursor.fetchall()) == AS_WRITTEN
        cursor.execute(BOUND, pa.table({"0": ["North", "South"]}))
        assert dict(cursor.fetchall()) == AS_OTHER


def test_a_result_that_was_named_before_is_read_as_it_was_answered(shop):
    with served(shop) as server, flight.FlightClient(server.uri) as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(BY_TOWN.encode()))
        shop.reload(OTHER)
        table = client.do_get(info.endpoints[0].ticket).read_all()
        assert {row["town"]: row["total"] for row in table.to_pylist()} == AS_WRITTEN
        table = client.do_get(flight.Ticket(BY_TOWN.encode())).read_all()
        assert {row["town"]: row["total"] for row in table.to_pylist()} == AS_OTHER


def test_a_streamed_answer_that_is_read_later_is_the_one_that_was_planned(shop):
    shop.opened.runtime.engines["shop"].stream_rows = -1
    planned = shop.answer("SELECT shop, taken AS total AT shop")
    assert planned.table is None
    shop.reload(OTHER)
    reader = planned.open()
    rows = [row for batch in reader for row in batch.to_pylist()]
    assert {row["shop"]: row["total"] for row in rows} == {
        "a": AS_WRITTEN["North"],
        "b": AS_WRITTEN["South"],
    }


def test_tools_are_told_of_the_tables_as_they_are_now(shop):
    with served(shop) as server, dbapi.connect(server.uri, autocommit=True) as connection:

        def names():
            return [
                column["column_name"]
                for catalog in connection.adbc_get_objects(table_name_filter="metrics")
                .read_all()
                .to_pylist()
                for schema in catalog["catalog_db_schemas"]
                for table in schema["db_schema_tables"]
                for column in table["table_columns"]
            ]

        assert "costs" in names()
        shop.reload(
            AC.replace("name: costs", "name: spent")
            .replace("taken - costs", "taken - spent")
            .replace("inputs: [taken, costs]", "inputs: [taken, spent]")
        )
        assert "spent" in names()
        assert "costs" not in names()


def test_limits_of_handles_and_requests_hold_after_a_reload(shop):
    with served(shop) as server, flight.FlightClient(server.uri) as client:
        descriptor = flight.FlightDescriptor.for_command(BY_TOWN.encode())
        assert shop.reload(manifest=MANIFEST + "limits: {request_bytes: 10}\n").succeeded
        with pytest.raises(pa.ArrowInvalid, match="a request has at most 10 bytes"):
            client.get_flight_info(descriptor)
        assert shop.reload(
            manifest=MANIFEST + "limits: {handles: 1, handles_per_caller: 1}\n"
        ).succeeded
        shop.opened.runtime.engines["shop"].store.drop(())
        tickets = []
        for source in (BY_TOWN, "SELECT town, costs AT town"):
            descriptor = flight.FlightDescriptor.for_command(source.encode())
            tickets.append(client.get_flight_info(descriptor).endpoints[0].ticket)
        assert client.do_get(tickets[1]).read_all().num_rows == 2
        with pytest.raises(KeyError, match="no result of that name"):
            client.do_get(tickets[0]).read_all()


def credentials(name):
    """Return a header of Basic."""
    return ["Basic " + base64.b64encode(f"{name}:correct".encode()).decode()]


def test_users_come_from_the_file_that_the_manifest_names_now(tmp_path):
    stored = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("correct")
    (tmp_path / "users.yaml").write_text(f"users:\n  anna: {stored}\n")
    (tmp_path / "others.yaml").write_text(f"users:\n  bert: {stored}\n")
    (tmp_path / "broken.yaml").write_text("users:\n  bert: secret\n")

    def manifest(users):
        return MANIFEST.replace("http_port: 0", f"http_port: 0, auth: {{users: {users}}}")

    class Secured(ReloadedShop):
        def _open(self):
            self.write("installation.yaml", manifest("users.yaml"))
            return super()._open()

    shop = Secured(tmp_path)
    authenticator = shop.opened.access.authenticator
    assert authenticator.authenticate(credentials("anna")).user == "anna"
    (told,) = shop.reload(manifest=manifest("broken.yaml")).errors
    assert told.file == "broken.yaml"
    assert "secret" not in str(told)
    assert authenticator.authenticate(credentials("anna")).user == "anna"
    assert shop.reload(manifest=manifest("others.yaml")).succeeded
    assert authenticator.authenticate(credentials("bert")).user == "bert"
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate(credentials("anna"))
    shop.opened.close()


def test_operators_are_those_that_the_manifest_names_now(tmp_path):
    stored = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("correct")
    (tmp_path / "users.yaml").write_text(f"users:\n  anna: {stored}\n")

    def manifest(names):
        auth = f"auth: {{users: users.yaml, operators: {names}}}"
        return MANIFEST.replace("http_port: 0", f"http_port: 0, {auth}")

    class Secured(ReloadedShop):
        def _open(self):
            self.write("installation.yaml", manifest("[anna]"))
            return super()._open()

    shop = Secured(tmp_path)
    anna = Caller("anna")
    assert shop.opened.access.may_operate(anna)
    assert shop.reload(manifest=manifest("[]")).succeeded
    assert not shop.opened.access.may_operate(anna)
    assert shop.reload(manifest=manifest("[anna]")).succeeded
    assert shop.opened.access.may_operate(anna)
    shop.opened.close()
