"""A shop served by processes of its own, and each foreign client run once against it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from foreign_clients import ForeignClient
from foreign_runs import Target, run
from foreign_setups import SETUPS
from foreign_shop import serve_shop

# The scripts are no tests, and run in other environments than this one.
collect_ignore = ["scripts"]

RAN = "foreign client"

Report = dict[str, Any]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Where the shop is served: to everybody, and over TLS to who may enter."""
    with serve_shop(tmp_path_factory.mktemp("corner-shop")) as target:
        yield target


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
