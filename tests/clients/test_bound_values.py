"""`flightframe query --param` over a socket: values of every type, and none too many."""

import logging

import pytest
import structlog
from typer.testing import CliRunner

import flightframe
from flightframe_server.cli import app
from flightframe_server.cli.logs import configure_logs

LIMITED = "SELECT region, revenue AT region LIMIT ?"
SINCE = "SELECT revenue AT year WHERE month >= $since AND region = $region"


@pytest.fixture(autouse=True)
def _quiet():
    """A server of the same process would log between the lines of the command."""
    configure_logs(logging.ERROR)
    yield
    structlog.reset_defaults()


def run(server, source, *values):
    bound = [word for value in values for word in ("--param", value)]
    done = CliRunner().invoke(
        app, ["query", source, *bound, "--format", "csv", "--uri", server.uri]
    )
    return done.exit_code, done.stdout, done.stderr


def test_values_have_the_type_that_they_say(server):
    code, out, _ = run(server, LIMITED, ":integer=2")
    assert (code, len(out.splitlines())) == (0, 3)
    # A text is read as what it is compared with; LIMIT compares nothing.
    refused = run(server, LIMITED, "2")[2]
    assert "error TYPE" in refused
    assert "--param :integer=10" in refused
    typed = run(server, SINCE, "since:date=2024-01-01", "region=West")
    assert typed == run(server, SINCE, "since=2024-01-01", "region:text=West")
    assert (typed[0], len(typed[1].splitlines())) == (0, 2)
    code, out, _ = run(server, "SELECT revenue AT region WHERE region = ?", ":null")
    assert (code, out) == (0, '"region","revenue"\n')


@pytest.mark.parametrize(
    ("source", "values", "hint"),
    [
        (LIMITED, [":integer=2", "West"], "bind one value for each ?"),
        ("SELECT revenue AT region", ["x=1"], "leave out $x"),
        (f"EXPLAIN {LIMITED}", [":integer=2", ":integer=3"], "bind one value for each ?"),
    ],
)
def test_a_value_too_many_is_refused(server, source, values, hint):
    code, out, err = run(server, source, *values)
    assert (code, out) == (1, "")
    assert err.startswith("error TYPE: the statement has ")
    assert f"hint: {hint}" in err


def test_one_name_twice_is_one_parameter(server):
    source = "SELECT revenue AT region WHERE region = $r OR region = $r"
    with flightframe.connect(server.uri) as connection:
        assert connection.query(source, parameters={"r": "West"}).row_count == 1
        with pytest.raises(flightframe.QueryError, match="has 1 parameter, 2 came"):
            connection.query(source, parameters={"r": "West", "s": "East"})
