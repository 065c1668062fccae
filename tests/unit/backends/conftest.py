import pytest
from duckdb_shop import Shop
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


@pytest.fixture
def shop(tmp_path):
    """A DuckDB file of sales and a back-end over it."""
    opened = Shop(tmp_path)
    yield opened
    opened.close()
