"""A refresh over HTTP is worked for as long as its caller waits, and no longer."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from slow_shop import running, settled, slow_shop, soon

from flightframe_server.app import OpenInstallation
from flightframe_server.cli.servers import http_server
from flightframe_server.web.server import listen

CHANGING = {"x-flightframe": "1", "content-type": "application/json"}
SLOW = {"promotions": [{"family": "slow", "anchor": ["kind"]}]}
BOTH = {"promotions": [{"family": name, "anchor": ["kind"]} for name in ("quick", "slow")]}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[OpenInstallation]:
    with slow_shop(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(shop: OpenInstallation) -> Iterator[httpx.Client]:
    server = http_server(shop, listen("127.0.0.1", 0), "127.0.0.1")
    server.start()
    try:
        with httpx.Client(base_url=server.url, headers=CHANGING, timeout=60) as client:
            yield client
    finally:
        server.stop(5)


def engine_of(client: httpx.Client) -> str:
    return f"/sessions/{client.post('/sessions').json()['id']}/engine"


@pytest.mark.parametrize("body", [SLOW, BOTH], ids=["one", "the second of two"])
def test_who_hangs_up_ends_the_statement(
    shop: OpenInstallation, client: httpx.Client, body: dict[str, Any]
) -> None:
    address = f"{engine_of(client)}/refresh"
    port = urlsplit(str(client.base_url)).port
    assert port is not None
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as impatient:
        impatient.request("POST", address, json.dumps(body), CHANGING)
        assert soon(lambda: running(shop) == 1 and shop.runtime.questions.of("") != (), 60)
    assert settled(shop)
    assert soon(lambda: shop.runtime.questions.of("") == ())


def test_it_is_listed_and_its_user_can_cancel_it(
    shop: OpenInstallation, client: httpx.Client
) -> None:
    address = f"{engine_of(client)}/refresh"
    replies: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: replies.append(client.post(address, json=SLOW)))
    waiting.start()
    with httpx.Client(base_url=client.base_url, headers=CHANGING, timeout=60) as other:
        assert soon(lambda: running(shop) == 1, 60)
        (listed,) = other.get("/runtime/statements").json()["statements"]
        assert (listed["source"], listed["state"]) == ("refresh of slow @ (kind)", "running")
        assert other.delete(f"/runtime/statements/{listed['id']}").json() == {"cancelled": True}
    waiting.join(60)
    (reply,) = replies
    assert (reply.status_code, reply.json()["error"]["code"]) == (499, "CANCELLED")
    assert settled(shop)
