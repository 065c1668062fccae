"""`--write-golden` rewrites the kept plans and SQL: for `make snapshots`, and to be read after."""

import pytest
from golden_shop import opened


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="rewrite golden/plan and golden/sql"
    )


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    """The shop's tables, empty, in each dialect."""
    with opened(tmp_path_factory.mktemp("golden")) as found:
        yield found


@pytest.fixture
def held_against(request):
    """Return a function that compares a text with a kept file, or rewrites the file."""
    writes = request.config.getoption("--write-golden", default=False)

    def compare(path, found):
        if writes:
            path.parent.mkdir(exist_ok=True)
            path.write_text(found, encoding="utf-8")
        assert path.exists(), f"{path.name} is missing: make snapshots writes it"
        assert found == path.read_text(encoding="utf-8")

    return compare
