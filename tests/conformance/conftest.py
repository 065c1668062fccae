"""Every back-end that is there, on the same tables, for the whole session."""

import duckdb
import pytest
from conformance_tables import ORACLE, Source, export, open_backends

from flightframe_server.catalog import read_collection
from flightframe_server.demo.files import write_demo
from flightframe_server.engine import MetricEngine


@pytest.fixture(scope="session")
def backends(tmp_path_factory):
    """The back-ends on the tables of an oracle collection, by the collection's name."""
    folder = tmp_path_factory.mktemp("conformance")
    made = {}

    def named(collection, more=""):
        if (collection, more) not in made:
            name = f"{collection}{len(made)}"
            database = folder / f"{name}.duckdb"
            with duckdb.connect(str(database)) as connection:
                connection.execute((ORACLE / collection / "tables.sql").read_text() + more)
            made[collection, more] = open_backends(export(database, folder))
        return made[collection, more]

    yield named
    for opened in made.values():
        for backend in opened.values():
            backend.close()


@pytest.fixture(scope="session")
def retail_source(tmp_path_factory) -> Source:
    """The retail demonstration, all 523,023 transactions of it, in every form."""
    folder = tmp_path_factory.mktemp("retail")
    write_demo(folder)
    return export(folder / "retail_demo.duckdb", folder)


@pytest.fixture(scope="session")
def retail_engines(retail_source):
    """An engine on the retail data for each back-end, that remembers nothing."""
    folder = retail_source.duckdb.parent
    collection = read_collection((folder / "retail.coframe" / "ac.yaml").read_text())
    opened = open_backends(retail_source)
    yield {
        name: MetricEngine(collection, folder / f"store-{name}", backend, enabled=False)
        for name, backend in opened.items()
    }
    for backend in opened.values():
        backend.close()
