"""`--moving-seed` makes the choices of a run again that failed; it was printed there."""

import time

import pytest


def pytest_addoption(parser):
    parser.addoption("--moving-seed", type=int, help="make the choices of one moving world again")


@pytest.fixture
def moving_seed(request):
    """The seed that was asked for, or a new one; it is printed where a test fails."""
    given = request.config.getoption("--moving-seed", default=None)
    seed = int(time.time()) if given is None else given
    print(f"--moving-seed {seed}")
    return seed
