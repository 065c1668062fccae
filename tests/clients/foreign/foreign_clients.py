"""The clients that are not ours: which there are, what each is put through, what it can see.

What comes in: nothing, these are declarations. What goes out: values that three readers share: the
set-up, which prepares what is declared here; the tests, which want exactly these steps and carriers
in each client's own report; and the page docs/clients.md, which is written from them. It must never
import a client: most of them live in environments of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_METADATA = "schema metadata"
STREAM_METADATA = "schema metadata of the stream"
PARTITION = "FlightInfo.app_metadata of a partition"
APP_METADATA = "FlightInfo.app_metadata"
GET_APP_METADATA = "getAppMetadata of the result set"
BATCHES = "app_metadata of each batch"
HEADER = "the header x-served-from"
LAST_QUERIES = "system.last_queries"


@dataclass(frozen=True, slots=True)
class ForeignClient:
    """One client in one version, run by a script of its own in an environment of its own.

    Attributes:
        key: what tests, messages and the folder of its environment call it.
        name: what people call it.
        version: the one version that is prepared.
        setup: the environment it runs in, a name in foreign_setups.SETUPS.
        steps: what its script is put through, each a part of its report.
        carriers: where it sees `served_from`.
        published: False where no registry may have it: then its absence is told, and fails nothing.
    """

    key: str
    name: str
    version: str
    setup: str
    steps: tuple[str, ...]
    carriers: tuple[str, ...]
    published: bool = True


@dataclass(frozen=True, slots=True)
class LibraryClient:
    """One client of the tests' own environment, with the test that holds each thing it does.

    Attributes:
        name: what people call it.
        requirement: the package of pyproject.toml that says which version.
        steps: what is exercised, and the test of it, as `file.py::test`, under tests/clients.
        carriers: where it sees `served_from`.
    """

    name: str
    requirement: str
    steps: tuple[tuple[str, str], ...]
    carriers: tuple[str, ...]


_OVER_TLS = ("tls, user and password", "tls, token", "wrong password", "no credentials")

_ADBC_STEPS = (
    "execute",
    "types",
    "parameters",
    "executemany",
    "prepare",
    "execute_schema",
    "partitions",
    "cursor again",
    "get_objects",
    "get_objects filtered",
    "get_table_schema",
    "get_table_types",
    "get_info",
    "a million rows",
    "cancel",
    "early close",
    "refusal",
    "served_from",
    "session options",
    "an option that there is not",
    *_OVER_TLS,
    "close",
)
_ADBC_CARRIERS = (SCHEMA_METADATA, PARTITION, LAST_QUERIES)

ADBC = (
    ForeignClient(
        "adbc-1.13",
        "ADBC driver, DB-API",
        "1.13",
        "main",
        _ADBC_STEPS,
        _ADBC_CARRIERS,
    ),
    ForeignClient(
        "adbc-1.9.0",
        "ADBC driver, DB-API",
        "1.9.0",
        "adbc-1.9.0",
        _ADBC_STEPS,
        _ADBC_CARRIERS,
    ),
)

DBAPI = ForeignClient(
    "flightsql-dbapi-0.2.2",
    "flightsql-dbapi, SQLAlchemy 1.4",
    "0.2.2",
    "flightsql-dbapi-0.2.2",
    (
        "execute",
        "types",
        "parameters",
        "executemany",
        "metadata",
        "keys",
        "a million rows",
        "refusal",
        "sqlalchemy execute",
        "sqlalchemy inspect",
        "sqlalchemy reflect",
        "sqlalchemy prepared parameters",
        "flightframe+flightsql",
        "served_from",
        *_OVER_TLS,
        "close",
    ),
    (LAST_QUERIES,),
)

GIZMOSQL = ForeignClient(
    "gizmosql-client-1.4.3",
    "Node: @gizmodata/gizmosql-client",
    "1.4.3",
    "node",
    (
        "connect",
        "execute",
        "types",
        "metadata",
        "get_info",
        "get_info of all",
        "a million rows",
        "refusal",
        "served_from",
        *_OVER_TLS,
        "close",
    ),
    (STREAM_METADATA, LAST_QUERIES),
)

LAKEHOUSE = ForeignClient(
    "flight-sql-client-0.0.10",
    "Node: @lakehouse-rs/flight-sql-client",
    "0.0.10",
    "node",
    (
        "connect",
        "execute",
        "types",
        "metadata",
        "a million rows",
        "refusal",
        "served_from",
        "user and password",
        "token",
        "no credentials",
    ),
    (STREAM_METADATA, LAST_QUERIES),
)

_JDBC_STEPS = (
    "connect",
    "execute",
    "types",
    "result set metadata",
    "parameters",
    "moments as parameters",
    "parameter metadata",
    "database metadata",
    "catalogs, schemas and tables",
    "columns",
    "keys",
    "probes",
    "promises",
    "other listings",
    "statement again",
    "max rows",
    "a million rows",
    "early close",
    "cancel",
    "refusal",
    "update refused",
    "served_from",
    "user and password",
    "catalog",
    "another catalog",
    "unknown properties",
    *_OVER_TLS,
    "close",
)


def _jdbc(version: str, *, published: bool = True) -> ForeignClient:
    return ForeignClient(
        f"jdbc-{version}",
        "Arrow Flight SQL JDBC driver",
        version,
        f"jdbc-{version}",
        _JDBC_STEPS,
        (GET_APP_METADATA, LAST_QUERIES),
        published,
    )


JDBC = (_jdbc("19.0.0", published=False), _jdbc("18.3.0"), _jdbc("17.0.0"))

FOREIGN = (*ADBC, DBAPI, GIZMOSQL, LAKEHOUSE, *JDBC)
"""Every client with a script."""

GRAFANA = LibraryClient(
    "Grafana's Flight SQL plugin, replayed",
    "pyarrow",
    tuple(
        (step, f"foreign/test_foreign_grafana.py::test_{step.replace(' ', '_')}")
        for step in ("health check", "query", "sql info", "tables", "columns", "a window of time")
    ),
    (HEADER,),
)

LIBRARIES = (
    LibraryClient(
        "pyarrow.flight",
        "pyarrow",
        (
            (
                "query by ticket",
                "test_flight_server.py::test_a_large_result_comes_in_small_batches_each_with_provenance",
            ),
            (
                "query by command",
                "test_flight_server.py::test_two_calls_say_the_same_thing_in_every_carrier",
            ),
            ("no rows", "test_flight_server.py::test_no_rows_are_one_empty_batch_with_provenance"),
            ("headers", "test_flight_server.py::test_a_header_tells_where_the_answer_came_from"),
        ),
        (BATCHES, APP_METADATA, SCHEMA_METADATA, HEADER, LAST_QUERIES),
    ),
    LibraryClient(
        "Polars over ADBC",
        "polars",
        (
            ("read_database_uri", "test_polars_pandas.py::test_polars_reads_by_uri"),
            (
                "read_database, parameters",
                "test_polars_pandas.py::test_polars_reads_by_connection_and_by_cursor",
            ),
            ("iter_batches", "test_polars_pandas.py::test_polars_reads_in_batches"),
            ("write refused", "test_polars_pandas.py::test_nothing_is_written"),
        ),
        (LAST_QUERIES,),
    ),
    LibraryClient(
        "pandas over ADBC",
        "pandas",
        (
            ("read_sql", "test_polars_pandas.py::test_pandas_reads_decimals_exactly"),
            (
                "no provenance in a frame",
                "test_polars_pandas.py::test_frames_drop_the_provenance_and_the_last_queries_keep_it",
            ),
        ),
        (LAST_QUERIES,),
    ),
    LibraryClient(
        "SQLAlchemy 2, dialect flightframe",
        "sqlalchemy",
        (
            (
                "text",
                "test_sqlalchemy.py::test_a_text_is_answered_and_says_where_its_answer_came_from",
            ),
            (
                "parameters",
                "test_sqlalchemy.py::test_values_are_bound_and_none_is_written_into_the_text",
            ),
            ("inspect", "test_sqlalchemy.py::test_collections_tables_and_what_is_said_of_them"),
            ("core select", "test_sqlalchemy.py::test_core_selects_over_reflected_tables"),
            ("write refused", "test_sqlalchemy.py::test_nothing_is_written"),
            ("reflect, keys", "test_sqlalchemy.py::test_reflection_finds_every_key"),
            ("pandas.read_sql", "test_sqlalchemy.py::test_pandas_reads_over_an_engine"),
            (
                "refusal",
                "test_sqlalchemy.py::test_a_refusal_keeps_its_words_and_the_connection_is_good_after",
            ),
            ("session options", "test_sqlalchemy.py::test_a_session_option_of_the_address_holds"),
            (
                "tls, user and password; tls, token; wrong password",
                "test_sqlalchemy.py::test_passwords_tokens_and_certificates",
            ),
        ),
        ("`flightframe.sqlalchemy.provenance(result)`", LAST_QUERIES),
    ),
    GRAFANA,
)
"""The clients of the tests' own environment; their tests stand in tests/clients."""
