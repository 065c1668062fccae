"""One table: routes, OpenAPI, the pages and the guards say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from web_shop import CHANGING

from flightframe_server.web.description.api_page import api_page
from flightframe_server.web.description.engine_schemas import SCHEMAS
from flightframe_server.web.description.openapi import openapi
from flightframe_server.web.description.operations import OPERATIONS, SECTIONS

DOCS = Path(__file__).parents[3] / "docs" / "http.md"
GUARDED = [operation for operation in OPERATIONS if not operation.public]


def by_name(operation):
    return operation.name


def address(operation) -> str:
    return re.sub(r"\{\w+\}", "nothing", operation.path)


def test_names_and_addresses_are_each_of_one_operation():
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    places = {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(places) == len(OPERATIONS)
    assert tuple(one for _, operations in SECTIONS for one in operations) == tuple(
        sorted(OPERATIONS, key=[one for _, group in SECTIONS for one in group].index)
    )


def test_the_description_has_every_operation_and_no_other():
    described = openapi(OPERATIONS)
    described_places = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }
    assert described_places == {(operation.method, operation.path) for operation in OPERATIONS}


def test_every_schema_that_is_referred_to_is_there_and_none_is_idle():
    text = json.dumps(openapi(OPERATIONS))
    referred = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert referred == set(SCHEMAS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_the_pages_tell_of_it(operation):
    heading = f"### `{operation.method} {operation.path}`"
    assert heading in DOCS.read_text(encoding="utf-8")
    page = api_page(OPERATIONS)
    assert f'<section id="{operation.name}">' in page
    assert "<script" not in page
    assert "style=" not in page


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_it_is_served_by_its_method_and_by_no_other(client, operation):
    methods = {one.method for one in OPERATIONS if one.path == operation.path}
    for method in {"GET", "POST", "DELETE", "PUT", "PATCH"} - methods:
        refused = client.request(method, address(operation))
        assert (refused.status_code, refused.json()["error"]["code"]) == (405, "NOT_SUPPORTED")
        assert refused.headers["allow"] == ", ".join(sorted(methods))
    with client.stream(operation.method, address(operation)) as response:
        assert response.status_code != 405
        assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


@pytest.mark.parametrize("operation", GUARDED, ids=by_name)
def test_it_asks_for_credentials(secured, operation):
    with secured.client() as client:
        refused = client.request(operation.method, address(operation), headers=CHANGING)
        plain = client.request(operation.method, address(operation))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    # The page asks who asks itself; where it is a browser that is asked, that does.
    assert refused.headers["www-authenticate"].startswith("Flightframe realm=")
    if plain.status_code == 401:
        assert plain.headers["www-authenticate"].startswith("Basic realm=")
    else:
        assert (plain.status_code, operation.method) != (200, "GET")


@pytest.mark.parametrize(
    "operation", [one for one in GUARDED if one.answers is not None], ids=by_name
)
def test_a_key_that_it_does_not_know_is_refused(client, operation):
    refused = client.request(operation.method, f"{address(operation)}?nonsense=1", headers=CHANGING)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")
    assert "nonsense" in refused.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/runtime", "/runtime/query/", "/healthz/"])
def test_what_is_no_address_has_a_name_too(client, path):
    refused = client.get(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "UNKNOWN_NAME")
    assert re.fullmatch("[0-9a-f]{32}", refused.headers["x-request-id"])


def test_a_near_miss_is_told_the_address_that_was_meant(client):
    hint = client.get("/runtime/qery").json()["error"]["hint"]
    assert hint.startswith("did you mean /runtime/query or ")


def test_a_head_is_a_get_without_its_body(client):
    answer = client.head("/healthz")
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_readable_page_needs_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    links = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert {link for link in links if not link.startswith("#")} == {
        "/docs/style.css",
        "/openapi.json",
    }
    assert client.get("/docs/style.css").headers["content-type"].startswith("text/css")
