"""A market on disk, opened as a server opens it, and questions to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from market import AC, MANIFEST, write_data

from flightframe_server.answer import Answer, Request, answer
from flightframe_server.app import OpenInstallation, open_installation


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The manifest of a market that a test may spoil."""
    write_data(tmp_path)
    (tmp_path / "ac.yaml").write_text(AC)
    (tmp_path / "installation.yaml").write_text(MANIFEST)
    return tmp_path / "installation.yaml"


@pytest.fixture
def open_market(manifest: Path) -> Iterator[Callable[[], OpenInstallation]]:
    """Opens the market; what is open is closed at the end."""
    opened: list[OpenInstallation] = []

    def build() -> OpenInstallation:
        opened.append(open_installation(manifest))
        return opened[-1]

    yield build
    for one in opened:
        one.close()


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """Asks a market a question so many times, and returns the last answer."""

    def asked(market: OpenInstallation, source: str, times: int = 1) -> Answer:
        for _ in range(times):
            last = answer(Request(source), market.runtime)
        return last

    return asked
