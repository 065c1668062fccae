"""A real server inside a user's own tests.

    from flightframe import testing

    def test_revenue():
        with testing.serve("metrics/installation.yaml") as server:
            result = server.connection().query("SELECT revenue AT region")

What comes in: an installation on disk. What goes out: a server of this process on a free port of
the loopback interface, and connections to it. It must never need the server package to be
imported: only `serve` does, and says how to install it.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flightframe.connection import Connection, connect
from flightframe.errors import MissingPackage

__all__ = ["ServerInProcess", "serve"]

MANIFEST = "installation.yaml"
GRACE_SECONDS = 5.0


class ServerInProcess:
    """A server that runs in this process, for as long as the `with` block of `serve`.

    Attributes:
        uri: its address, for any Flight SQL client.
    """

    def __init__(self, uri: str, stack: ExitStack) -> None:
        """Keep the address, and what closes the connections; `serve` makes it."""
        self.uri = uri
        self._stack = stack

    def connection(self, *, collection: str | None = None, **credentials: Any) -> Connection:
        """Return a new connection, closed at the end of the `with` block at the latest.

        Args:
            collection: the Analytic Collection to ask where a query names none.
            credentials: what the installation asks for, as for `flightframe.connect`.
        """
        return self._stack.enter_context(connect(self.uri, collection=collection, **credentials))

    def __repr__(self) -> str:
        """Return the address."""
        return f"<flightframe.testing.ServerInProcess {self.uri}>"


@contextmanager
def serve(
    installation: str | os.PathLike[str], *, store: str | os.PathLike[str] | None = None
) -> Iterator[ServerInProcess]:
    """Serve an installation from this process, warmed up, on a free port of 127.0.0.1.

    Args:
        installation: the manifest, or the folder that holds an `installation.yaml`.
        store: folder for kept answers; None: a temporary one, so that a test finds nothing kept
            and leaves nothing behind.

    Raises:
        MissingPackage: the server is not installed.
        Exception: what the server raises where the installation cannot be opened.
    """
    app, flight_server = _server_modules()
    path = Path(installation)
    manifest = path / MANIFEST if path.is_dir() else path
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory()) if store is None else store
        opened = app.open_installation(manifest, store=Path(folder))
        stack.callback(opened.close)
        for _ in opened.warm_up():
            pass
        server = flight_server.FlightServer(opened.runtime, access=opened.access)
        stack.callback(server.stop, GRACE_SECONDS)
        yield ServerInProcess(server.uri, stack)


def _server_modules() -> tuple[Any, Any]:
    """Return the modules that open an installation and serve it.

    The client is installed without the server in most places, and nothing in it may import the
    server; this one function asks for it by name, when it is called.
    """
    try:
        return (
            importlib.import_module("flightframe_server.app"),
            importlib.import_module("flightframe_server.flight.server"),
        )
    except ModuleNotFoundError as error:
        raise MissingPackage(
            "MISSING_PACKAGE",
            "the server is not installed",
            "pip install flightframe, which holds client and server",
        ) from error
