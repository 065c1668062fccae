"""The shops that the tests of the HTTP API ask."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from web_shop import AUTH, Shop, shop


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that asks for no credentials."""
    with shop(tmp_path_factory.mktemp("open")) as running:
        yield running


@pytest.fixture
def client(open_shop: Shop) -> Iterator[httpx.Client]:
    with open_shop.client() as http:
        yield http


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with two users, of whom alice is an operator."""
    with shop(tmp_path_factory.mktemp("secured"), AUTH) as running:
        yield running
