"""Every documented example of the HTTP API does what the page says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from flightframe_server.app import open_installation
from flightframe_server.cli.servers import http_server
from flightframe_server.web.description.examples import BY_REGION, EXAMPLES, fits
from flightframe_server.web.description.operations import OPERATIONS
from flightframe_server.web.events import MEDIA_TYPE
from flightframe_server.web.server import listen

CHANGING = {"x-flightframe": "1"}


@pytest.fixture(scope="module")
def client(retail_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The demonstration, warmed up and asked once, in a folder that promotions may change."""
    folder = tmp_path_factory.mktemp("examples") / "shop"
    shutil.copytree(retail_folder, folder)
    with closing(open_installation(folder / "installation.yaml")) as opened:
        for _ in opened.warm_up():
            pass
        with (
            http_server(opened, listen("127.0.0.1", 0), "127.0.0.1") as server,
            httpx.Client(base_url=server.url, timeout=30) as http,
        ):
            http.post("/runtime/query", json={"source": BY_REGION})
            yield http


def test_every_operation_has_an_example():
    assert sorted(EXAMPLES) == sorted(operation.name for operation in OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_example_is_answered_as_it_is_shown(client, operation):
    example = EXAMPLES[operation.name]
    path = dict(example.path)
    if "/sessions/{id}" in operation.path:
        path["id"] = client.post("/sessions").json()["id"]
    headers = {**(CHANGING if operation.changes else {}), **example.headers}
    request = client.build_request(
        operation.method,
        operation.path.format(**path),
        json=example.body,
        params=example.keys,
        headers=headers,
    )
    response = client.send(request, stream=True)
    try:
        assert response.status_code == (example.status or operation.status)
        media_type = response.headers["content-type"].partition(";")[0]
        if operation.media_type == MEDIA_TYPE:
            assert media_type == MEDIA_TYPE
            return
        response.read()
        if example.reply is None:
            assert media_type == operation.media_type
        else:
            assert fits(response.json(), example.reply), response.text
    finally:
        response.close()


@pytest.mark.parametrize(
    ("reply", "shown", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1, "…": "…"}, True),
        ([1, 2], [1], False),
        ([1, 2], [1, "…"], True),
        ([], [1, "…"], False),
        (1, True, False),
        (1.0, 1, False),
        ("x", "…", True),
    ],
)
def test_what_fits_what(reply, shown, same):
    assert fits(reply, shown) is same
