"""The page is told an address of Arrow Flight that its reader can call."""

import httpx
import pytest
from web_shop import AUTH, make_shop

from flightframe_server.app import open_installation
from flightframe_server.cli.servers import http_server
from flightframe_server.web.flight_address import flight_address
from flightframe_server.web.server import listen


@pytest.mark.parametrize(
    ("listening", "named", "address"),
    [
        ("grpc://127.0.0.1:8815", "elsewhere:8000", "grpc://127.0.0.1:8815"),
        ("grpc+tls://ff.example:8815", "elsewhere:8000", "grpc+tls://ff.example:8815"),
        ("grpc://0.0.0.0:8815", "ff.example:8000", "grpc://ff.example:8815"),
        ("grpc://0.0.0.0:8815", "10.0.0.9", "grpc://10.0.0.9:8815"),
        ("grpc+tls://[::]:8815", "[fe80::1]:8000", "grpc+tls://[fe80::1]:8815"),
        ("grpc://0.0.0.0:8815", "", "grpc://127.0.0.1:8815"),
        ("grpc://0.0.0.0:8815", "[not:an:address", "grpc://127.0.0.1:8815"),
    ],
)
def test_an_address_that_can_be_called(listening, named, address):
    assert flight_address(listening, named) == address


@pytest.mark.parametrize("keys", ["", AUTH])
def test_health_tells_it_to_who_is_let_in(tmp_path, keys):
    opened = open_installation(make_shop(tmp_path, keys))
    taken = listen("127.0.0.1", 0)
    with http_server(opened, taken, "127.0.0.1", "grpc://0.0.0.0:8815") as server:
        health = httpx.get(f"{server.url}/healthz", timeout=30).json()
        assert health.get("flight") == (None if keys else "grpc://127.0.0.1:8815")
        named = httpx.get(f"{server.url}/healthz", auth=("bob", "battery staple"), timeout=30)
        assert named.json()["flight"] == "grpc://127.0.0.1:8815"
    opened.close()
