"""Servers in processes of their own, so that what they hold can be weighed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_process import ServerProcess

from flightframe_server.demo.files import write_demo

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retail demonstration's files; tests that change anything copy them."""
    return write_demo(tmp_path_factory.mktemp("hostile")).folder


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start `flightframe serve` over a manifest, and leave no process behind."""
    started: list[ServerProcess] = []

    def begin(manifest: Path, *options: str) -> ServerProcess:
        command = [sys.executable, "-m", "flightframe_server", "serve", str(manifest)]
        command += ["--flight-port", "0", "--store", str(tmp_path / "store"), *options]
        started.append(ServerProcess(command, tmp_path / "server.log"))
        return started[-1]

    yield begin
    for server in started:
        server.end()


@pytest.fixture
def streaming(tmp_path: Path) -> Iterator[Callable[[Path], ServerProcess]]:
    """Start a server that streams whatever has more than 1,000 rows, and counts its statements."""
    started: list[ServerProcess] = []

    def begin(manifest: Path) -> ServerProcess:
        command = [sys.executable, str(HERE / "serve_streams.py"), str(manifest), str(tmp_path)]
        started.append(ServerProcess(command, tmp_path / "streams.log"))
        return started[-1]

    yield begin
    for server in started:
        server.end()
