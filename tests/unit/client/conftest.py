"""Servers and a connection for the tests of the client."""

from collections.abc import Iterator

import pytest
from wire_double import AnyHandshake, Wire

import flightframe


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as server:
        yield server


@pytest.fixture
def guarded() -> Iterator[Wire]:
    with Wire(auth_handler=AnyHandshake()) as server:
        yield server


@pytest.fixture
def connection(wire: Wire) -> Iterator[flightframe.Connection]:
    with flightframe.connect(wire.uri) as opened:
        yield opened
