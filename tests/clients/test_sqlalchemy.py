"""SQLAlchemy 2 over the dialect `flightframe://`."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from flight_calls import BY_REGION, CENTRAL
from secured_shop import AUTH, ROWS, TLS, TOKEN, TOTAL, make_certificates, make_shop, served
from test_flight_sessions import write_two

from flightframe.sqlalchemy import provenance
from flightframe_server.app import open_installation
from flightframe_server.flight.server import FlightServer

TABLES = [
    *("metrics", "products", "region_daily_summary", "store_monthly_inventory", "stores"),
    "transactions",
]


@pytest.fixture(scope="module")
def engine(server) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"flightframe://127.0.0.1:{server.port}")
    yield made
    made.dispose()


def test_a_text_is_answered_and_says_where_its_answer_came_from(engine, truth):
    with engine.connect() as connection:
        result = connection.execute(sa.text(BY_REGION))
        label = provenance(result)
        assert [row._asdict() for row in result] == truth.to_pylist()
    assert (label.served_from, label.columns[1].column) == ("engine_cache", "total_revenue")


def test_values_are_bound_and_none_is_written_into_the_text(engine):
    query = sa.text("SELECT region, revenue AS r AT region WHERE region = :region")
    with engine.connect() as connection:
        for region, rows in (("Central", [("Central", CENTRAL)]), ("' OR 1 = 1 --", [])):
            assert connection.execute(query, {"region": region}).all() == rows


def test_collections_tables_and_what_is_said_of_them(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_schema_names() == ["retail_full"]
    assert inspector.default_schema_name == "retail_full"
    assert inspector.get_table_names() == inspector.get_table_names("retail_full") == TABLES
    assert inspector.get_view_names() == ["monthly_sales"]
    assert inspector.get_table_comment("stores") == {"text": "One row per store."}
    assert inspector.has_table("stores")
    assert not inspector.has_table("stoers")
    with pytest.raises(sa.exc.NoSuchTableError):
        inspector.get_columns("stoers")


def test_columns_have_the_types_of_the_answers(engine):
    metrics = sa.Table("metrics", sa.MetaData(), autoload_with=engine)
    expected = {
        "region": sa.VARCHAR,
        "day": sa.DATE,
        "units": sa.BIGINT,
        "margin": sa.DOUBLE,
        "revenue": sa.DECIMAL,
    }
    assert {name: type(metrics.c[name].type) for name in expected} == expected
    revenue = metrics.c.revenue.type
    assert (revenue.precision, revenue.scale, revenue.asdecimal) == (38, 2, True)
    assert metrics.c.region.comment == "The region a store lies in."


def test_reflection_finds_every_key(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine)
    keys = {name: [c.name for c in table.primary_key] for name, table in metadata.tables.items()}
    assert keys == {
        "metrics": [],
        "products": ["product"],
        "region_daily_summary": ["region", "day"],
        "store_monthly_inventory": ["store", "month"],
        "stores": ["store"],
        "transactions": ["transaction"],
    }
    leads = {
        (key.parent.table.name, key.parent.name, key.column.table.name, key.column.name)
        for table in metadata.tables.values()
        for key in table.foreign_keys
    }
    assert leads == {
        ("store_monthly_inventory", "store", "stores", "store"),
        ("transactions", "product", "products", "product"),
        ("transactions", "store", "stores", "store"),
    }


def by_hand(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Return what a query over the demonstration's files gives, as DuckDB answers it."""
    with duckdb.connect() as database:
        for path in folder.glob("*.parquet"):
            database.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")
        return database.execute(query).fetchall()


def test_core_selects_over_reflected_tables(engine, retail_folder):
    metadata = sa.MetaData()
    metadata.reflect(engine)
    metrics, stores = metadata.tables["metrics"], metadata.tables["stores"]
    month = sa.func.date_trunc("month", metrics.c.day)
    year = sa.extract("year", metrics.c.day)
    total = sa.func.sum(metrics.c.revenue).label("total")
    questions = [
        (
            sa.select(metrics.c.region, total)
            .group_by(metrics.c.region)
            .order_by(sa.desc("total")),
            "SELECT region, SUM(revenue) FROM transactions JOIN stores USING (store_id)"
            " GROUP BY 1 ORDER BY 2 DESC",
        ),
        # Its grain and its limit are parameters, and the grain stands twice.
        (
            sa.select(month, total).group_by(month).order_by(month).limit(3),
            "SELECT CAST(date_trunc('month', day) AS TIMESTAMP), SUM(revenue) FROM transactions"
            " GROUP BY 1 ORDER BY 1 LIMIT 3",
        ),
        (
            sa.select(year, sa.func.sum(metrics.c.units)).group_by(year).order_by(year),
            "SELECT year(day), SUM(quantity) FROM transactions GROUP BY 1 ORDER BY 1",
        ),
        (
            sa.select(stores).where(stores.c.region == "East").order_by(stores.c.store),
            "SELECT store_id, region FROM stores WHERE region = 'East' ORDER BY 1",
        ),
    ]
    with engine.connect() as connection:
        for question, query in questions:
            rows = [tuple(row) for row in connection.execute(question)]
            assert rows == by_hand(retail_folder, query), query


def test_nothing_is_written(engine):
    stores = sa.Table("stores", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="READ_ONLY"):
        connection.execute(sa.insert(stores).values(store="S99"))


def test_reflection_by_schema_leads_into_that_schema(engine):
    metadata = sa.MetaData(schema="retail_full")
    metadata.reflect(engine, only=["transactions"])
    (store,) = metadata.tables["retail_full.transactions"].c.store.foreign_keys
    assert store.target_fullname == "retail_full.stores.store"


def test_pandas_reads_over_an_engine(engine, retail_folder):
    # pandas makes doubles of decimals over SQLAlchemy unless it is asked not to.
    frame = pd.read_sql(sa.text(BY_REGION), engine, coerce_float=False)
    assert list(frame.columns) == ["region", "total_revenue"]
    assert frame["total_revenue"].iloc[0] == CENTRAL
    ((days,),) = by_hand(retail_folder, "SELECT COUNT(DISTINCT day) FROM transactions")
    parts = pd.read_sql(sa.text("SELECT day, revenue AT day"), engine, chunksize=100)
    assert sum(len(part) for part in parts) == days


def test_a_refusal_keeps_its_words_and_the_connection_is_good_after(engine):
    with engine.connect() as connection:
        with pytest.raises(sa.exc.ProgrammingError, match="did you mean region"):
            connection.execute(sa.text("SELECT regoin, revenue AT regoin"))
        assert connection.execute(sa.text(BY_REGION)).first() == ("Central", CENTRAL)


def test_a_transaction_is_a_bracket_that_does_nothing(engine):
    with engine.begin() as connection:
        assert connection.execute(sa.text(BY_REGION)).scalar() == "Central"
        connection.rollback()


def test_the_collection_is_that_of_the_address(tmp_path: Path):
    opened = open_installation(write_two(tmp_path, "{}"))
    try:
        with FlightServer(opened.runtime) as server:
            for name, amount in (("north", 10), ("south", 20)):
                one = sa.create_engine(f"flightframe://127.0.0.1:{server.port}/{name}")
                with one.connect() as connection:
                    total = connection.execute(sa.text("SELECT amount AT ()")).scalar()
                assert (total, sa.inspect(one).default_schema_name) == (Decimal(amount), name)
                one.dispose()
            every = sa.create_engine(f"flightframe://127.0.0.1:{server.port}")
            both = sa.inspect(every)
            assert both.get_schema_names() == ["north", "south"]
            assert both.get_table_names("south") == ["metrics", "sales"]
            with pytest.raises(sa.exc.ArgumentError, match="name one, as in flightframe://"):
                both.get_table_names()
            every.dispose()
    finally:
        opened.close()


def test_a_session_option_of_the_address_holds(server):
    engine = sa.create_engine(f"flightframe://127.0.0.1:{server.port}?only_if_cached=true")
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="NOT_CACHED"):
        connection.execute(sa.text("SELECT product, cost AT product WHERE product LIKE 'z%'"))
    engine.dispose()


def test_passwords_tokens_and_certificates(tmp_path: Path):
    make_certificates(tmp_path)
    with served(make_shop(tmp_path, AUTH, TLS)) as (server, _):
        root = f"tls_root_certs={tmp_path / 'ca.pem'}"
        place = f"127.0.0.1:{server.port}"
        for url in (
            f"flightframe://alice:correct%20horse@{place}?{root}",
            f"flightframe://{place}?{root}&token={TOKEN}",
        ):
            engine = sa.create_engine(url)
            with engine.connect() as connection:
                rows = connection.execute(sa.text(TOTAL)).all()
            assert [(town, str(total)) for town, total in rows] == ROWS
            engine.dispose()
        wrong = sa.create_engine(f"flightframe://alice:wrong@{place}?{root}")
        with pytest.raises(sa.exc.DBAPIError, match="UNAUTHENTICATED"):
            wrong.connect()
        wrong.dispose()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("tsl=true", "tsl is no option"),
        ("tls=maybe", "tls is true or false"),
        ("token=a&token=b", "token stands more than once"),
        ("tls_root_certs=/nowhere/ca.pem", "tls_root_certs: the file cannot be read"),
    ],
)
def test_a_key_without_a_meaning_is_refused_before_anything_is_sent(options, words):
    with pytest.raises(sa.exc.ArgumentError, match=words) as refused:
        sa.create_engine(f"flightframe://127.0.0.1:1?{options}").connect()
    assert "nowhere/ca" not in str(refused.value)


def test_a_token_beside_a_password_is_refused():
    with pytest.raises(sa.exc.ArgumentError, match="give one of the two"):
        sa.create_engine("flightframe://a:b@127.0.0.1:1?token=c").connect()


def test_a_server_that_went_away_is_a_disconnect(tmp_path: Path):
    opened = open_installation(write_two(tmp_path, "{}"))
    try:
        with FlightServer(opened.runtime) as server:
            engine = sa.create_engine(f"flightframe://127.0.0.1:{server.port}/north")
            connection = engine.connect()
            connection.execute(sa.text("SELECT amount AT ()")).all()
        with pytest.raises(sa.exc.DBAPIError) as gone:
            connection.execute(sa.text("SELECT amount AT ()"))
        assert gone.value.connection_invalidated
        connection.close()
        engine.dispose()
    finally:
        opened.close()
