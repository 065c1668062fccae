"""A URI is taken apart exactly, and shown without surprises."""

import pytest

from flightframe.address import parse_address


@pytest.mark.parametrize(
    ("uri", "parts", "shown", "tls"),
    [
        ("grpc://127.0.0.1:8815", ("grpc", "127.0.0.1", 8815), "127.0.0.1:8815", False),
        ("grpc+tcp://db-1.example_x.org:1/", ("grpc+tcp", "db-1.example_x.org", 1), None, False),
        ("GRPC+TLS://Host:65535", ("grpc+tls", "Host", 65535), "Host:65535", True),
        ("grpc://[::1]:8815", ("grpc", "::1", 8815), "[::1]:8815", False),
    ],
)
def test_a_uri_is_taken_apart(uri, parts, shown, tls):
    address = parse_address(uri)
    assert (address.scheme, address.host, address.port) == parts
    assert str(address) == (shown or f"{parts[1]}:{parts[2]}")
    assert address.uri == f"{parts[0]}://{address}"
    assert address.tls is tls
