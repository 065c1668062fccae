"""What the command line says of itself, and what it makes of its arguments."""

import pytest
from typer.testing import CliRunner

import flightframe
from flightframe_server import __version__
from flightframe_server.catalog.installation import ServerSettings
from flightframe_server.cli import app
from flightframe_server.cli.error_output import print_error
from flightframe_server.cli.parameters import bound
from flightframe_server.cli.servers import Ports, chosen_ports
from flightframe_server.errors import FrameQLSyntaxError, Place, UnknownName

COMMANDS = ["serve", "demo", "init-demo", "query", "explain", "describe", "shell", "check"]
COMMANDS += ["recommend", "promote", "warm"]


def run(*arguments: str, **environment: str | None) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100", **environment})
    return done.exit_code, done.stdout, done.stderr


def test_help_names_every_command() -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert [name for name in COMMANDS if f" {name} " not in out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Example" in out
    assert f"flightframe {command}" in out


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("demo", "FLIGHTFRAME_DATA_DIR"),
        ("serve", "FLIGHTFRAME_FLIGHT_PORT"),
        ("serve", "FLIGHTFRAME_HTTP_PORT"),
        ("serve", "FLIGHTFRAME_SKIP_WARMUP"),
        ("query", "FLIGHTFRAME_URI"),
    ],
)
def test_help_names_the_environment(command: str, variable: str) -> None:
    assert variable in run(command, "--help")[1]


def test_version() -> None:
    assert run("--version") == (0, f"flightframe {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["query"],
        ["query", "SELECT", "--format", "xml"],
        ["query", "SELECT", "--max-staleness", "-1"],
        ["serve"],
        ["serve", "x.yaml", "--flight-port", "70000"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        (["West"], ["West"]),
        (["a b=c", "=x", "1=1"], ["a b=c", "=x", "1=1"]),
        (["r=West", "d=a=b\nc"], {"r": "West", "d": "a=b\nc"}),
        (["r="], {"r": ""}),
    ],
)
def test_parameters_have_names_or_an_order(given: list[str], expected: object) -> None:
    assert bound(given) == expected


@pytest.mark.parametrize("given", [["r=West", "East"], ["r=West", "r=East"]])
def test_mixed_or_repeated_parameters_are_refused(given: list[str]) -> None:
    with pytest.raises(flightframe.ArgumentError):
        bound(given)


SERVER = ServerSettings("127.0.0.1", 1111, 2222)


@pytest.mark.parametrize(
    ("flight", "http", "with_http", "expected"),
    [
        (None, None, True, (1111, 2222)),
        (3333, None, True, (3333, 2222)),
        (None, 4444, True, (1111, 4444)),
        (0, None, True, (0, 0)),
        (0, 4444, True, (0, 4444)),
        (None, None, False, (1111, None)),
    ],
)
def test_the_command_line_is_asked_before_the_manifest(
    flight: int | None, http: int | None, with_http: bool, expected: tuple[int, int | None]
) -> None:
    chosen = chosen_ports(SERVER, flight, http, with_http=with_http)
    assert chosen == Ports("127.0.0.1", *expected)


@pytest.mark.parametrize(
    "error",
    [
        UnknownName("there is no level x", hint="did you mean y?", place=Place(2, 3)),
        flightframe.QueryError("UNKNOWN_NAME", "there is no level x", "did you mean y?", 2, 3),
    ],
)
def test_an_error_is_told_with_its_place_and_hint(
    error: UnknownName | flightframe.QueryError, capsys: pytest.CaptureFixture[str]
) -> None:
    print_error(error, "SELECT\n  x AT z")
    assert capsys.readouterr().err.splitlines() == [
        "error UNKNOWN_NAME: there is no level x",
        "    x AT z",
        "    ^",
        "  hint: did you mean y?",
    ]


def test_an_error_cannot_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(FrameQLSyntaxError("unexpected \x1b[2J", hint="[red]no[/red] \x07"))
    assert capsys.readouterr().err.splitlines() == [
        "error PARSE: unexpected \\x1b[2J",
        "  hint: [red]no[/red] \\x07",
    ]


def test_an_unreachable_server_is_an_error_of_one_line_and_a_hint() -> None:
    code, out, err = run("query", "SELECT x AT y", "--uri", "grpc://127.0.0.1:1")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "error UNAVAILABLE: no answer from 127.0.0.1:1"
    assert len(err.splitlines()) == 2


def test_the_environment_names_the_server() -> None:
    err = run("query", "SELECT x AT y", FLIGHTFRAME_URI="http://nowhere")[2]
    assert err.startswith("error ARGUMENT: ")
