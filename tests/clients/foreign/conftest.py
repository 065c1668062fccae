"""A shop served by a process of its own, and each foreign client run once against it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from foreign_clients import ForeignClient
from foreign_runs import Target, run
from foreign_setups import HERE, ROOT, SETUPS

# The scripts are no tests, and run in other environments than this one.
collect_ignore = ["scripts"]

READY = re.compile(r"flightframe ready flight=grpc://([\d.]+):(\d+) ")
RAN = "foreign client"

Report = dict[str, Any]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The address of a server of the shop: the command itself, in a process of its own."""
    folder = tmp_path_factory.mktemp("corner-shop")
    for name in ("ac.yaml", "installation.yaml"):
        shutil.copy(HERE / "shop" / name, folder)
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute((HERE / "shop" / "tables.sql").read_text(encoding="utf-8"))
    with served(folder / "installation.yaml") as target:
        yield target


@contextlib.contextmanager
def served(manifest: Path, *options: str) -> Iterator[Target]:
    """Serve an installation on a free port until the end of the context."""
    kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    command = [sys.executable, "-m", "flightframe_server", "serve", str(manifest)]
    log = manifest.with_name("server.log")
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*command, "--flight-port", "0", "--no-http", *options],
            env={**kept, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            try:
                ready = READY.match(process.stdout.readline())
                assert ready, log.read_text(encoding="utf-8")
                yield Target(ready[1], int(ready[2]))
            finally:
                process.terminate()
                process.wait(30)


@pytest.fixture(scope="session")
def reports(shop: Target) -> Callable[[ForeignClient], Report]:
    """Return the report of a client, which runs when its first test asks for it.

    Where it cannot run, a user's machine skips its tests and CI fails them.
    """
    known: dict[str, Report] = {}

    def report(client: ForeignClient) -> Report:
        if client.key not in known:
            started = time.monotonic()
            known[client.key] = told(client, shop)
            known[client.key]["ran"] = time.monotonic() - started
        assert "broken" not in known[client.key], known[client.key]["broken"]
        return known[client.key]

    return report


def told(client: ForeignClient, shop: Target) -> Report:
    """Return a client's report, or why there is none, so that it is not run for each test again."""
    try:
        return run(client, shop)
    except (AssertionError, ValueError, OSError, subprocess.SubprocessError) as error:
        return {"broken": f"{client.key} gave no report: {error}"}


@pytest.fixture
def report(
    client: ForeignClient,
    reports: Callable[[ForeignClient], Report],
    record_property: Callable[[str, object], None],
) -> Report:
    """The report of the client that a test is parametrised with."""
    reason = SETUPS[client.setup].missing()
    if reason is not None:
        told = f"{client.name} {client.version}: {reason}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        record_property(RAN, [client.key, None, reason])
        pytest.skip(told)
    found = reports(client)
    record_property(RAN, [client.key, found["ran"], None])
    return found
