"""Both distributions, built once for the tests that look inside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import build, copy_sources


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """Build the wheels of the server and of the client from copies of what they are made from."""
    folder = tmp_path_factory.mktemp("wheels")
    source = copy_sources(folder / "source")
    return {
        "flightframe": build(source, folder / "root"),
        "flightframe-client": build(source / "client", folder / "client"),
    }
