"""What can be asked, as a client and the command line are told it, against SQL over the files."""

import datetime
import json
import logging

import duckdb
import pytest
import structlog
from pyarrow import flight
from typer.testing import CliRunner

import flightframe
from flightframe_server.cli import app
from flightframe_server.cli.logs import configure_logs
from flightframe_server.discovery.request import MOST_MEMBERS


@pytest.fixture
def connection(server):
    with flightframe.connect(server.uri) as connected:
        yield connected


@pytest.fixture(scope="session")
def files(retail_folder):
    """Return a function that runs SQL over the demonstration's Parquet files."""
    with duckdb.connect() as database:
        yield lambda sql: database.sql(sql.replace("{}", str(retail_folder))).fetchall()


def level(connection, name, **wanted):
    (collection,) = connection.describe(name, **wanted).collections
    (found,) = collection.levels
    return found


def test_without_members_the_data_is_not_asked(connection, retail, monkeypatch):
    (engine,) = retail.runtime.engines.values()
    monkeypatch.setattr(engine, "answer", lambda *_, **__: pytest.fail("the data was asked"))
    (collection,) = connection.describe().collections
    assert len(collection.levels) > 8
    assert {found.facts for found in collection.levels} == {None}


def test_members_are_counted_and_the_first_of_them_listed(connection, files):
    expected = [
        name for (name,) in files("SELECT DISTINCT region FROM '{}/stores.parquet' ORDER BY 1")
    ]
    found = level(connection, "region", members=2).facts
    assert (found.schema, found.cardinality, found.has_null) == ("stores", len(expected), False)
    assert found.members == tuple(expected[:2])
    assert (found.first, found.last, found.complete) == (expected[0], expected[-1], False)
    assert level(connection, "region", members=2).facts.served_from == "engine_cache"
    assert level(connection, "region", members=9).facts.complete


def test_time_has_a_range_of_dates(connection, files):
    ((first, last, count),) = files(
        "SELECT MIN(day), MAX(day), COUNT(DISTINCT day) FROM '{}/transactions.parquet'"
    )
    found = level(connection, "day", members=1, schema="Transactions").facts
    assert isinstance(first, datetime.date)
    assert (found.schema, found.first, found.last) == ("transactions", first, last)
    assert (found.cardinality, found.members) == (count, (first,))


def test_a_level_of_many_members_is_counted_and_bounded(connection, files):
    ((count,),) = files("SELECT COUNT(DISTINCT sku) FROM '{}/products.parquet'")
    found = level(connection, "product", members=MOST_MEMBERS).facts
    assert (found.cardinality, len(found.members)) == (count, MOST_MEMBERS)
    with pytest.raises(flightframe.QueryError, match="LIMIT_EXCEEDED"):
        connection.describe("product", members=MOST_MEMBERS + 1)


def test_a_schema_limits_the_levels_to_those_it_reaches(connection):
    (collection,) = connection.describe(members=0, schema="stores").collections
    assert {found.name for found in collection.levels} == {"store", "region"}
    assert {found.facts.schema for found in collection.levels} == {"stores"}
    with pytest.raises(
        flightframe.QueryError, match=r"there is no schema store.*did you mean stores"
    ):
        connection.describe(members=0, schema="store")


def test_a_metric_tells_where_it_may_be_asked_and_why_not_elsewhere(connection):
    (collection,) = connection.describe("on_hand").collections
    (metric,) = collection.metrics
    total, last = metric.anchors
    assert (total.reducer, total.required) == ("SUM", ("month",))
    assert "region" in total.levels
    assert {blocked.level: blocked.code for blocked in total.blocked}["product"] == "FAN_OUT"
    assert (last.reducer, last.required) == ("LAST", ("store",))
    for anchors in metric.anchors:
        for name in anchors.levels:
            anchor = ", ".join({name, *anchors.required})
            connection.query(
                f"SELECT {anchors.reducer}(on_hand) AS x AT ({anchor}) LIMIT 1"
            ).close()
        for blocked in anchors.blocked:
            with pytest.raises(flightframe.QueryError) as caught:
                connection.query(
                    f"SELECT {anchors.reducer}(on_hand) AS x"
                    f" AT ({', '.join({blocked.level, *anchors.required})})"
                )
            assert caught.value.code == blocked.code


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"names": "x"}',
        b'{"name": 1}',
        b'{"members": true}',
        b'{"members": -1}',
        b'{"members": 1.5}',
        b'{"members": "3"}',
        b'{"schema": null}',
    ],
)
def test_a_body_that_is_something_else_is_refused(client, body):
    words = "PARSE: (the body is not what describe takes|names is not a list of names)"
    with pytest.raises(Exception, match=words):
        list(client.do_action(flight.Action("flightframe.describe", body)))


@pytest.fixture(autouse=True)
def _quiet():
    """A server of the same process would log between the lines of the command."""
    configure_logs(logging.ERROR)
    yield
    structlog.reset_defaults()


def run(server, *arguments):
    done = CliRunner().invoke(app, ["describe", *arguments, "--uri", server.uri])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_lists_levels_and_metrics(server):
    code, out, _ = run(server)
    assert code == 0
    assert "collection retail_full" in out
    assert "region" in out
    assert "on_hand" in out
    assert "served_from" not in out


def test_the_command_lists_the_members_of_a_level(server, files):
    regions = files("SELECT DISTINCT region FROM '{}/stores.parquet' ORDER BY 1")
    code, out, _ = run(server, "region")
    assert code == 0
    assert "3 members of region\n" in out
    assert out.rstrip().endswith("\n".join(f"    {name}" for (name,) in regions))
    assert "3 members of region (the first 1)\n" in run(server, "region", "--members", "1")[1]


def test_the_command_gives_reasons(server):
    code, out, _ = run(server, "on_hand")
    assert code == 0
    assert "  SUM(on_hand) may not be asked at\n" in out
    assert "    product: FAN_OUT, SUM(on_hand) cannot be asked at product" in out


def test_the_command_writes_json(server):
    code, out, _ = run(
        server, "day", "--members", "2", "--schema", "transactions", "--format", "json"
    )
    assert code == 0
    (collection,) = json.loads(out)["collections"]
    (found,) = collection["levels"]
    assert found["facts"]["members"] == ["2023-01-01", "2023-01-02"]
    assert found["facts"]["schema"] == "transactions"


def test_the_command_tells_a_failure(server):
    code, out, err = run(server, "day", "--schema", "nothing")
    assert (code, out) == (1, "")
    assert err.startswith("error UNKNOWN_NAME: there is no schema nothing")


def test_a_name_that_there_is_not_is_an_error_that_suggests_another(server, connection):
    with pytest.raises(flightframe.QueryError, match="UNKNOWN_NAME") as caught:
        connection.describe("regoin")
    assert caught.value.message == "there is no level, metric, schema or frame regoin"
    assert caught.value.hint.startswith("did you mean region")
    code, out, err = run(server, "regoin")
    assert (code, out) == (1, "")
    assert "hint: did you mean region" in err
    # A schema has a name as well, and names are folded.
    assert run(server, "STORES")[0] == 0


def test_a_derived_metric_tells_its_formula_and_inputs(server, connection):
    (collection,) = connection.describe("margin").collections
    (metric,) = collection.metrics
    assert (metric.formula, metric.inputs) == ("profit / revenue", ("profit", "revenue"))
    assert "  margin = profit / revenue\n    of profit, revenue\n" in run(server, "margin")[1]
    (collection,) = connection.describe("revenue").collections
    assert (collection.metrics[0].formula, collection.metrics[0].inputs) == ("", ())
