"""Superset's engine spec: its interface by noted facts, its texts by a running server."""

import datetime as dt
import importlib
import sys
import types
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pytest
import superset_facts
from sqlalchemy.engine import make_url
from superset_facts import DURATIONS, Table, parameters

PLUG_IN = Path(__file__).parents[2] / "connectors" / "superset"
METRICS = Table("metrics", "retail_full")


@pytest.fixture(scope="module")
def spec():
    """The engine spec over the stand-in, which Superset's modules are for as long as it is read."""
    base = types.ModuleType("superset.db_engine_specs.base")
    base.BaseEngineSpec = superset_facts.BaseEngineSpec
    with pytest.MonkeyPatch.context() as patch:
        for name in ("superset", "superset.db_engine_specs"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        patch.setitem(sys.modules, base.__name__, base)
        patch.syspath_prepend(PLUG_IN)
        module = importlib.import_module("flightframe_superset.engine_spec")
        yield module.FlightframeEngineSpec
    for name in ("flightframe_superset", "flightframe_superset.engine_spec"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def cursor(server):
    with (
        adbc.connect(f"grpc+tcp://127.0.0.1:{server.port}", autocommit=True) as connection,
        connection.cursor() as opened,
    ):
        yield opened


def rows(cursor, sql: str) -> list[tuple[object, ...]]:
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def by_hand(retail_folder):
    """DuckDB over the demonstration's files: sales of a day with their region and category."""
    with duckdb.connect() as database:
        files = {name: f"'{retail_folder}/{name}.parquet'" for name in ("stores", "products")}
        database.execute(
            f"CREATE TABLE sales AS SELECT * FROM '{retail_folder}/transactions.parquet'"
            f" LEFT JOIN {files['stores']} USING (store_id)"
            f" LEFT JOIN {files['products']} USING (sku)"
        )
        yield lambda sql: database.execute(sql).fetchall()


def test_everything_that_is_overridden_is_there_with_that_signature(spec):
    own = {name for name in vars(spec) if not name.startswith("__")}
    base = superset_facts.BaseEngineSpec
    assert {name for name in own if not hasattr(base, name)} == set()
    for name in own:
        mine, theirs = getattr(spec, name), getattr(base, name)
        assert callable(mine) == callable(theirs), name
        if callable(mine):
            assert parameters(mine) == parameters(theirs), name


def test_superset_finds_it_by_the_address(spec):
    for address, driver in (("flightframe+flightsql", "flightsql"), ("flightframe+adbc", "adbc")):
        assert spec.supports_backend(make_url(f"{address}://h").get_backend_name(), driver)
    assert not spec.supports_backend("datafusion", "flightsql")
    placeholder = make_url(spec.sqlalchemy_uri_placeholder)
    assert (placeholder.get_backend_name(), placeholder.port) == (spec.engine, 8815)


def test_a_collection_in_the_address_is_the_schema(spec):
    for address, schema in (("flightframe://h:8815/retail_full", "retail_full"), ("x://h", None)):
        assert spec.get_schema_from_engine_params(make_url(address), {}) == schema


# The beginning of each grain in SQL by hand; a week ends on its last day.
GRAINS = {
    None: "day",
    "PT1S": "day::TIMESTAMP",
    "PT1M": "day::TIMESTAMP",
    "PT1H": "day::TIMESTAMP",
    "P1D": "day::TIMESTAMP",
    "P1W": "(day - (isodow(day) - 1)::INT)::TIMESTAMP",
    "P1M": "make_date(year(day), month(day), 1)::TIMESTAMP",
    "P3M": "make_date(year(day), quarter(day) * 3 - 2, 1)::TIMESTAMP",
    "P1Y": "make_date(year(day), 1, 1)::TIMESTAMP",
    "1969-12-28T00:00:00Z/P1W": "(day - dayofweek(day)::INT)::TIMESTAMP",
    "1969-12-29T00:00:00Z/P1W": "(day - (isodow(day) - 1)::INT)::TIMESTAMP",
    "P1W/1970-01-03T00:00:00Z": "(day + 6 - dayofweek(day)::INT)::TIMESTAMP",
    "P1W/1970-01-04T00:00:00Z": "(day + 7 - isodow(day)::INT)::TIMESTAMP",
}


def test_every_grain_is_one_of_superset_and_is_asked_below(spec):
    grains = spec._time_grain_expressions
    assert grains.keys() == GRAINS.keys()
    assert grains.keys() - {None} <= DURATIONS


@pytest.mark.parametrize("duration", GRAINS, ids=str)
def test_a_time_grain_gives_the_rows_that_sql_by_hand_gives(spec, cursor, by_hand, duration):
    grain = spec._time_grain_expressions[duration].replace("{col}", '"day"')
    mine = rows(
        cursor,
        f'SELECT {grain} AS "__timestamp", SUM("revenue") AS "r" FROM "retail_full"."metrics"'
        f" GROUP BY {grain} ORDER BY 1",
    )
    theirs = by_hand(
        f"SELECT {GRAINS[duration]} AS t, SUM(revenue)::DECIMAL(38, 2) FROM sales"
        " GROUP BY 1 ORDER BY 1"
    )
    assert len(mine) > 1
    assert mine == theirs


NOON = dt.datetime(2024, 2, 1, 13, 0)
MIDNIGHT = dt.datetime(2024, 2, 1)


@pytest.mark.parametrize(
    ("kind", "moment", "literal"),
    [
        ("DATE", MIDNIGHT, "DATE '2024-02-01'"),
        ("DATE", NOON, "TIMESTAMP '2024-02-01 13:00:00.000000'"),
        ("TIMESTAMP", MIDNIGHT, "TIMESTAMP '2024-02-01 00:00:00.000000'"),
        ("datetime", NOON, "TIMESTAMP '2024-02-01 13:00:00.000000'"),
        ("VARCHAR", NOON, None),
        ("BIGINT", NOON, None),
    ],
)
def test_a_moment_is_a_literal_of_its_column(spec, kind, moment, literal):
    assert spec.convert_dttm(kind, moment) == literal


@pytest.mark.parametrize("until", [MIDNIGHT, NOON], ids=["midnight", "afternoon"])
def test_a_range_of_time_holds_the_days_that_it_holds(spec, cursor, by_hand, until):
    # Every day before an afternoon includes the day of that afternoon.
    literal = spec.convert_dttm("DATE", until)
    mine = rows(cursor, f'SELECT SUM("units") AS "u" FROM metrics WHERE "day" < {literal}')
    days = "<= DATE '2024-02-01'" if until == NOON else "<= DATE '2024-01-31'"
    assert mine == by_hand(f"SELECT SUM(quantity)::BIGINT FROM sales WHERE day {days}")


# What each flag that is on lets Superset send, and the rows that it is to give, in SQL by hand.
BY_REGION = 'SELECT "region" AS "region", SUM("revenue") AS "revenue"'
FROM = ' FROM "retail_full"."metrics"'
REVENUE = "SUM(revenue)::DECIMAL(38, 2)"
TOP_2 = (
    f'(SELECT "region" AS "region__", SUM("revenue") AS "mme_inner__"{FROM} GROUP BY "region"'
    ' ORDER BY "mme_inner__" DESC LIMIT 2) AS "series_limit"'
)
MONTH = "DATE_TRUNC('month', \"day\")"
SENT = {
    "allows_joins": (
        f'SELECT {MONTH} AS "__timestamp", "region" AS "region", SUM("revenue") AS "r"{FROM}'
        f' JOIN {TOP_2} ON "region" = "region__" GROUP BY {MONTH}, "region" ORDER BY 1, 2',
        f"SELECT DATE_TRUNC('month', day), region, {REVENUE} FROM sales WHERE region IN (SELECT"
        " region FROM sales GROUP BY region ORDER BY SUM(revenue) DESC LIMIT 2)"
        " GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    "allows_subqueries": (
        f'SELECT COUNT(*) AS "rowcount" FROM ({BY_REGION}{FROM} GROUP BY "region" LIMIT 1000)'
        ' AS "rowcount_qry"',
        "SELECT COUNT(DISTINCT region) FROM sales",
    ),
    "allows_alias_in_select": (
        f'{BY_REGION}{FROM} GROUP BY "region" ORDER BY 1',
        f"SELECT region, {REVENUE} FROM sales GROUP BY 1 ORDER BY 1",
    ),
    "allows_alias_in_orderby": (
        f'SELECT "region" AS "region", SUM("revenue") AS "r"{FROM} GROUP BY "region"'
        ' ORDER BY "r" DESC',
        f"SELECT region, {REVENUE} AS r FROM sales GROUP BY 1 ORDER BY r DESC",
    ),
    "allows_alias_to_source_column": (
        f'{BY_REGION}{FROM} GROUP BY "region" ORDER BY SUM("revenue") ASC',
        f"SELECT region, {REVENUE} AS r FROM sales GROUP BY 1 ORDER BY r",
    ),
    "allows_hidden_orderby_agg": (
        f'SELECT "region" AS "region"{FROM} GROUP BY "region" ORDER BY SUM("units") DESC',
        "SELECT region FROM sales GROUP BY 1 ORDER BY SUM(quantity) DESC",
    ),
    "allows_hidden_cc_in_orderby": (
        f'SELECT {MONTH} AS "m", SUM("revenue") AS "r"{FROM} GROUP BY {MONTH} ORDER BY "m" DESC',
        f"SELECT DATE_TRUNC('month', day) AS m, {REVENUE} FROM sales GROUP BY 1 ORDER BY 1 DESC",
    ),
    "allows_cte_in_subquery": (
        f'SELECT * FROM (WITH a AS ({BY_REGION}{FROM} GROUP BY "region") SELECT * FROM a)'
        ' AS "virtual_table" ORDER BY "region" LIMIT 10',
        f"SELECT region, {REVENUE} FROM sales GROUP BY 1 ORDER BY 1",
    ),
    "allows_sql_comments": (
        f'-- of this year\n{BY_REGION} /* all */{FROM} GROUP BY "region" ORDER BY 1',
        f"SELECT region, {REVENUE} FROM sales GROUP BY 1 ORDER BY 1",
    ),
}


def test_each_flag_that_is_on_is_asked_below(spec):
    own = {name for name in vars(spec) if name.startswith("allows_") and getattr(spec, name)}
    assert own == SENT.keys()
    assert not spec.supports_file_upload


@pytest.mark.parametrize("flag", SENT)
def test_what_a_flag_lets_superset_send_is_answered(cursor, by_hand, flag):
    sent, hand = SENT[flag]
    mine = rows(cursor, sent)
    assert mine
    assert mine == by_hand(hand)


def test_a_rule_of_row_level_security_is_a_sub_select(cursor, by_hand):
    # `RLSMethod.AS_SUBQUERY`, which Superset takes where sub-selects and aliases are allowed.
    found = rows(
        cursor,
        'SELECT "category", SUM("revenue") AS "r" FROM (SELECT * FROM "retail_full"."metrics"'
        ' WHERE "region" = \'East\') AS "metrics" GROUP BY "category" ORDER BY 1',
    )
    hand = f"SELECT category, {REVENUE} FROM sales WHERE region = 'East' GROUP BY 1 ORDER BY 1"
    assert found == by_hand(hand)


@pytest.mark.parametrize("schema", ["retail_full", None])
def test_the_preview_of_the_metrics_lists_them_and_says_why(spec, cursor, schema):
    preview = spec.select_star(None, Table("Metrics", schema), None, limit=5)
    assert preview.startswith("/* metrics has no rows: a metric has a number at a grain")
    found = rows(cursor, preview)
    assert [name for name, _, _ in found] == ["store", "region", "product", "category", "day"]
    assert found[1] == ("region", "VARCHAR", "The region a store lies in.")


def test_the_preview_of_a_table_of_facts_is_its_rows(spec, cursor, retail_folder):
    preview = spec.select_star(None, Table("stores", "retail_full"), None, cols=["store", "region"])
    hand = duckdb.sql(f"SELECT store_id, region FROM '{retail_folder}/stores.parquet'").fetchall()
    assert sorted(rows(cursor, preview)) == sorted(hand)


class Inspector:
    """What SQLAlchemy's inspector says of the metrics, over the columns that the server gives."""

    def __init__(self, schema) -> None:
        self._schema = schema

    def get_columns(self, table: str, schema: str | None) -> list[dict]:
        assert (table, schema) == ("metrics", "retail_full")
        return [
            {
                "name": field.name,
                "comment": field.metadata.get(b"ARROW:FLIGHT:SQL:REMARKS", b"").decode(),
                "info": {"flightframe:role": field.metadata[b"flightframe:role"].decode()},
            }
            for field in self._schema
        ]


def test_each_metric_is_a_saved_metric_that_is_answered(spec, server, cursor, by_hand):
    with adbc.connect(f"grpc+tcp://127.0.0.1:{server.port}", autocommit=True) as connection:
        inspector = Inspector(connection.adbc_get_table_schema("metrics"))
    saved = {item["metric_name"]: item for item in spec.get_metrics(None, inspector, METRICS)}
    assert saved.keys() == {"revenue", "cost", "units", "on_hand", "profit", "margin"}
    assert saved["on_hand"]["description"] == "Pieces in stock."
    asked = f'SELECT {saved["profit"]["expression"]} AS "profit"{FROM} WHERE "region" = \'East\''
    assert rows(cursor, asked) == by_hand(
        "SELECT (SUM(revenue) - SUM(cost))::DECIMAL(38, 2) FROM sales WHERE region = 'East'"
    )


def test_rows_are_counted_of_tables_that_have_some(spec):
    (counted,) = spec.get_metrics(None, None, Table("stores", "retail_full"))
    assert counted["expression"] == "COUNT(*)"


def test_a_saved_frame_is_a_dataset_whose_rows_are_shown_and_counted(spec, cursor, by_hand):
    frame = Table("monthly_sales", "retail_full")
    (counted,) = spec.get_metrics(None, None, frame)
    months = "FROM (SELECT DISTINCT region, DATE_TRUNC('month', day) FROM sales)"
    asked = f'SELECT {counted["expression"]} AS "count" FROM "retail_full"."monthly_sales"'
    assert rows(cursor, asked) == by_hand(f"SELECT COUNT(*) {months}")
    columns = ["region", "month", "revenue"]
    shown = rows(cursor, spec.select_star(None, frame, None, cols=columns))
    assert sorted(row[:3] for row in shown) == by_hand(
        "SELECT region, DATE_TRUNC('month', day)::DATE AS m, SUM(revenue) FROM sales"
        " GROUP BY region, m ORDER BY region, m"
    )
