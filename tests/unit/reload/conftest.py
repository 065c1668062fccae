"""A shop that can be reloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reloaded_shop import ReloadedShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ReloadedShop]:
    """A shop that serves."""
    shop = ReloadedShop(tmp_path)
    yield shop
    shop.opened.close()
