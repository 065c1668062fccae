import pytest
from sqlite_shop import Till, write


@pytest.fixture
def till(tmp_path):
    """Make a till on a fresh file of these rows."""
    opened = []

    def make(rows):
        path = tmp_path / f"till{len(opened)}.sqlite"
        write(path, rows)
        opened.append(Till(path))
        return opened[-1]

    yield make
    for item in opened:
        item.close()
