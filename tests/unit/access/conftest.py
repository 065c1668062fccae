"""The clock of every test of access."""

import pytest
from access_values import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
