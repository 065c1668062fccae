"""Ctrl-C where native code raises an error of its own in place of what the handler raised."""

import signal
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from flightframe_server.cli.interrupts import (
    InterruptibleCommand,
    InterruptibleGroup,
    Stopped,
    leave,
)
from flightframe_server.cli.stop_signals import StopSignals


def native_call() -> None:
    """Do as DuckDB does: ask for signals, and raise an error that knows nothing of them."""
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        pass
    else:
        return
    raise RuntimeError("Query interrupted")


@pytest.fixture
def leaving() -> Iterator[None]:
    """Handle SIGINT as the command line does between commands."""
    before = signal.signal(signal.SIGINT, leave)
    yield
    signal.signal(signal.SIGINT, before)


def commands() -> typer.Typer:
    app = typer.Typer(cls=InterruptibleGroup)

    @app.command(cls=InterruptibleCommand)
    def interrupted() -> None:
        native_call()

    @app.command(cls=InterruptibleCommand)
    def failed() -> None:
        raise RuntimeError("not interrupted")

    @app.command(cls=InterruptibleCommand)
    def ended() -> None:
        try:
            native_call()
        except RuntimeError:
            raise typer.Exit(3) from None

    return app


@pytest.mark.usefixtures("leaving")
def test_a_command_that_native_code_fails_ends_as_interrupted() -> None:
    done = CliRunner().invoke(commands(), ["interrupted"])
    assert (done.exit_code, done.output) == (130, "")
    assert CliRunner().invoke(commands(), ["ended"]).exit_code == 3


@pytest.mark.usefixtures("leaving")
def test_an_error_without_a_signal_stays_one() -> None:
    done = CliRunner().invoke(commands(), ["failed"])
    assert (done.exit_code, str(done.exception)) == (1, "not interrupted")


def test_a_server_that_has_not_started_is_stopped() -> None:
    with pytest.raises(Stopped), StopSignals():
        native_call()
    with StopSignals() as stop, pytest.raises(Stopped), stop.errors_as_stopped():
        native_call()


def serve_and_fail() -> None:
    with StopSignals() as stop:
        stop.started()
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("not of the signal")


def test_a_server_that_serves_keeps_its_errors() -> None:
    with pytest.raises(RuntimeError, match="not of the signal"):
        serve_and_fail()
    with pytest.raises(RuntimeError, match="no signal"), StopSignals():
        raise RuntimeError("no signal")
