"""The shop of shop/, served by the command itself, in processes of their own.

What comes in: an empty folder. What goes out: the addresses of three servers over the same data,
with what opens them: one asks nothing, one speaks TLS and asks for credentials, one asks without
TLS. It must never serve in the process of the tests: a client waits for a server, not for a test.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import trustme
from foreign_runs import Secured, Target
from foreign_setups import HERE, ROOT

COMMAND = (sys.executable, "-m", "flightframe_server")
READY = re.compile(r"flightframe ready flight=grpc(?:\+tls)?://127\.0\.0\.1:(\d+) ")
USER, PASSWORD = "alice", "correct horse: battery"


@contextlib.contextmanager
def serve_shop(folder: Path) -> Iterator[Target]:
    """Write the shop into a folder and serve it until the end of the context."""
    for name in ("ac.yaml", "installation.yaml", "secured.yaml", "asking.yaml"):
        shutil.copy(HERE / "shop" / name, folder)
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute((HERE / "shop" / "tables.sql").read_text(encoding="utf-8"))
    certify(folder)
    token = enter(folder)
    roots = str(folder / "ca.pem")
    with contextlib.ExitStack() as stack:
        # All of them start at once; then each is waited for.
        open_, over_tls, asking = [
            stack.enter_context(serving(folder / manifest))
            for manifest in ("installation.yaml", "secured.yaml", "asking.yaml")
        ]
        secured = Secured(over_tls(), asking(), USER, PASSWORD, token, roots)
        yield Target("127.0.0.1", open_(), secured)


def certify(folder: Path) -> None:
    """Write a certificate for this machine, its key, and the certificate that signed it."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    made.cert_chain_pems[0].write_to_path(folder / "server.pem")
    made.private_key_pem.write_to_path(folder / "server.key")
    authority.cert_pem.write_to_path(folder / "ca.pem")


def enter(folder: Path) -> str:
    """Add a user and a lasting token as an operator does, and return the token."""
    flightframe("user", "add", USER, "--file", folder / "users.yaml", "--password-stdin")
    return flightframe("token", "new", USER, "--file", folder / "tokens.yaml").strip()


def flightframe(*arguments: str | Path) -> str:
    """Run the command with the user's password on stdin, and return what it prints."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(),
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    return {**kept, "PYTHONPATH": path}


@contextlib.contextmanager
def serving(manifest: Path) -> Iterator[Callable[[], int]]:
    """Serve an installation until the end of the context; the port is known once it is ready."""
    log = manifest.with_suffix(".log")
    store = manifest.with_suffix(".store")
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*COMMAND, *("serve", manifest, "--flight-port", "0", "--no-http", "--store", store)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        printed = process.stdout

        def port() -> int:
            ready = READY.match(printed.readline())
            assert ready, log.read_text(encoding="utf-8")
            return int(ready[1])

        with printed:
            try:
                yield port
            finally:
                process.terminate()
                process.wait(60)
