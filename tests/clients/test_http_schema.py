"""The served description, as a foreign tool reads it: schemathesis sends what it allows, and worse.

Each operation gets so many requests made up from its schema, some that fit and some that do not;
the same ones in each run. What comes back must have a status, a type and a body that the
description has, and never be a fault of ours.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from flightframe_server.app import open_installation
from flightframe_server.cli.servers import http_server
from flightframe_server.web.description.examples import EXAMPLES
from flightframe_server.web.description.openapi import openapi
from flightframe_server.web.description.operations import OPERATIONS
from flightframe_server.web.server import HttpServer, listen

REQUESTS = 25
"""For each operation; some of them ask the database."""

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
EVENTS = "/runtime/events"
DESCRIBED = [operation for operation in OPERATIONS if operation.path != EVENTS]


@pytest.fixture(scope="module")
def server(retail_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """The demonstration, in a folder that may be changed."""
    folder = tmp_path_factory.mktemp("schema") / "shop"
    shutil.copytree(retail_folder, folder)
    with (
        closing(open_installation(folder / "installation.yaml")) as opened,
        http_server(opened, listen("127.0.0.1", 0), "127.0.0.1") as running,
    ):
        yield running


@pytest.fixture(scope="module")
def described(server: HttpServer) -> schemathesis.BaseSchema:
    """What the server says of itself."""
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_what_is_served_is_the_description(described):
    assert described.raw_schema == openapi(OPERATIONS)


@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation.name)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.name)
def test_replies_are_what_the_description_says(server, described, operation, mode):
    row = described[operation.path][operation.method]
    # Any text fits a path: there is no request that does not fit.
    takes_nothing = not operation.key_names and operation.body is None and not operation.changes
    if takes_nothing and mode is schemathesis.GenerationMode.NEGATIVE:
        return

    @given(case=row.as_strategy(generation_mode=mode))
    @settings(
        max_examples=REQUESTS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def replies(case):
        response = case.call(base_url=server.url, timeout=60)
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=CHECKS)

    replies()


@given(data=st.data())
@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_an_example_that_is_bent_a_little_is_answered_as_described(server, described, data):
    name = data.draw(st.sampled_from(["query", "explain", "check", "describe_body"]))
    operation = next(one for one in OPERATIONS if one.name == name)
    body = dict(EXAMPLES[name].body)
    key = data.draw(st.sampled_from(sorted(body)))
    body[key] = data.draw(
        st.one_of(st.none(), st.integers(), st.text(max_size=20), st.just(body[key]))
    )
    case = described[operation.path][operation.method].Case(
        body=body, media_type="application/json"
    )
    response = case.call(base_url=server.url, timeout=60)
    assert response.status_code != 500, response.text
    case.validate_response(response, checks=CHECKS)
