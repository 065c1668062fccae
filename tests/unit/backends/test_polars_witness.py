"""Two readings of one plan: Polars over Parquet beside DuckDB, on generated tables."""

import datetime
import math
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.answer import Request, Serving, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FlightframeError

COLLECTION = read_collection("""
version: 1
name: witness
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, region: region}}
  - name: sales
    table: sales
    grain: [sale]
    columns:
      sale: sale
      shop: shop
      item: item
      day: day
      moment: moment
      flag: flag
      n: n
      price: price
      x: x
      cost: {expr: "price * 0.125 - item", type: "decimal(38,5)"}
      rate: {expr: "price / item", type: double}
      parity: {expr: "item % 3", type: integer}
      listed: {lookup: listed, via: {schema: prices, on: [shop, item]}}
      dear: {expr: "COALESCE(price, 0.5) >= listed", type: boolean}
  - name: prices
    table: prices
    grain: [shop, item]
    columns: {shop: shop, item: item, listed: listed}
  - {name: stock, table: stock, grain: [shop, day], columns: {shop: shop, day: day, held: held}}
dimension_families:
  - {name: place, levels: [shop, region], edges: [{from: shop, to: region, via: shops}]}
  - {name: things, levels: [item]}
  - {name: flags, levels: [flag, dear, parity]}
  - {name: clock, levels: [moment, hour], edges: [{from: moment, to: hour, derived_by: HOUR_OF}]}
  - name: calendar
    levels: [day, week, month, quarter, year]
    edges:
      - {from: day, to: week, derived_by: WEEK_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: quarter, derived_by: QUARTER_OF}
      - {from: quarter, to: year, derived_by: YEAR_OF}
derived_dimensions:
  - {name: side, source: region, mapping: {East: right, West: left}, default: middle}
metric_families:
  - {name: n, family_root: {schema: sales, column: n}, ip_reducers: [{operator: SUM, a_block: []}]}
  - name: price
    family_root: {schema: sales, column: price}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: x, family_root: {schema: sales, column: x}, ip_reducers: [{operator: SUM, a_block: []}]}
  - name: cost
    family_root: {schema: sales, column: cost}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: rate, family_root: {schema: sales, column: rate}, ip_reducers: [], default_reducer: MAX}
  - name: listed
    family_root: {schema: sales, column: listed}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: marked, family_root: {schema: sales}, filter: "dear AND NOT flag"}
  - name: held
    family_root: {schema: stock, column: held}
    ip_reducers:
      - {operator: LAST, a_block: [place], order_by: [day], default: true}
      - {operator: FIRST, a_block: [place], order_by: [day]}
  - name: kept
    family_root: {schema: stock, column: held}
    ip_reducers: [{operator: SUM, a_block: [], snapshot: {level: day, pick: LAST, per: [shop]}}]
  - name: opening
    family_root: {schema: stock, column: held}
    ip_reducers: [{operator: SUM, a_block: [], snapshot: {level: day, pick: FIRST, per: []}}]
""")

METRICS = (
    "n",
    "price",
    "x",
    "cost",
    "rate",
    "listed",
    "marked",
    "COUNT(*) AS c FROM sales",
    "COUNT(price) AS c",
    "COUNT_DISTINCT(x) AS c, COUNT_DISTINCT(price) AS d",
    "COUNT_DISTINCT(shop) AS c, COUNT(item) AS d FROM sales",
    "MIN(x) AS a, MAX(x) AS b",
    "MIN(price) AS a, MAX(cost) AS b, MIN(n) AS c",
    "MEDIAN(price) AS a, QUANTILE(cost, 0.9) AS b",
    "VAR(price) AS a, STDDEV(cost) AS b",
    "SUM(price) FILTER (WHERE region = 'East') AS a, COUNT(price) FILTER (WHERE flag) AS b",
    "price, kept",
)
ANCHORS = ("()", "region", "shop", "month", "(region, week)", "(side, quarter)", "day", "year")
SALES_ANCHORS = ("flag", "(dear, region)", "parity", "hour", "(item, side)")
FILTERS = (
    "",
    "region <> 'East'",
    "NOT (region = 'East' OR day < '2024-02-01')",
    "region IS NULL OR side IN ('left', 'middle')",
    "region LIKE '%a_t'",
    "region IS DISTINCT FROM 'West'",
    "month = '2024-02-01' OR shop IN ('S1', 'S2')",
)
STOCK = (
    "SELECT shop, held AT shop",
    "SELECT shop, month, FIRST(held) AS f, held AT (shop, month)",
    "SELECT region, kept AT region",
    "SELECT kept, opening AT ()",
    "SELECT side, month, kept, opening AT (side, month)",
)

TEXTS = st.sampled_from([None, "S1", "S2", "S3", "s1", "Z'_%"])
REGIONS = st.sampled_from([None, "East", "West", "east", "Éast"])
DAYS = st.one_of(st.none(), st.dates(datetime.date(2023, 12, 28), datetime.date(2024, 3, 3)))
MOMENTS = st.one_of(
    st.none(), st.datetimes(datetime.datetime(1969, 12, 31), datetime.datetime(1970, 1, 3))
)
SMALL = st.one_of(st.none(), st.integers(-4, 4))
LARGE = st.one_of(st.none(), st.integers(-9, 9), st.sampled_from([2**62, -(2**62), 2**63 - 1]))
MONEY = st.one_of(st.none(), st.decimals(-999, 999, places=2))
DOUBLES = st.one_of(st.none(), st.just(math.nan), st.floats(-1e6, 1e6, width=32))


def table(fields, rows):
    return pa.table(
        [pa.array([row[at] for row in rows], type_) for at, (_, type_) in enumerate(fields)],
        names=[name for name, _ in fields],
    )


@st.composite
def databases(draw):
    text, day, moment = pa.string(), pa.date32(), pa.timestamp("us")
    shops = draw(st.dictionaries(TEXTS.filter(bool), REGIONS, min_size=1, max_size=4))
    listed = draw(st.dictionaries(st.tuples(TEXTS, SMALL), MONEY, min_size=2, max_size=9))
    stock = draw(st.dictionaries(st.tuples(TEXTS, DAYS), SMALL, min_size=2, max_size=12))
    row = st.tuples(TEXTS, SMALL, DAYS, MOMENTS, st.sampled_from([None, True, False]), LARGE, MONEY)
    sales = draw(st.lists(st.tuples(row, DOUBLES), min_size=8, max_size=25) | st.just([]))
    doubled = draw(st.booleans())
    maps = [[*item] for item in shops.items()]
    prices = [[*key, value] for key, value in listed.items()]
    if doubled:
        maps = maps * 2 + [[None, "East"]]
    sale_fields = [("sale", pa.int32()), ("shop", text), ("item", pa.int16()), ("day", day)]
    sale_fields += [("moment", moment), ("flag", pa.bool_()), ("n", pa.int64())]
    sale_fields += [("price", pa.decimal128(10, 2)), ("x", pa.float64())]
    return {
        "shops": table([("shop", text), ("region", text)], maps),
        "prices": table(
            [("shop", text), ("item", pa.int32()), ("listed", pa.decimal128(6, 2))], prices
        ),
        "stock": table(
            [("shop", text), ("day", day), ("held", pa.int64())],
            [[*key, value] for key, value in stock.items()],
        ),
        "sales": table(sale_fields, [[at, *row, x] for at, (row, x) in enumerate(sales)]),
    }


@st.composite
def queries(draw):
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(STOCK))
    metric = draw(st.sampled_from(METRICS))
    anchors = ANCHORS if "kept" in metric else ANCHORS + SALES_ANCHORS
    anchor = draw(st.sampled_from(anchors))
    where = draw(st.sampled_from(FILTERS))
    return f"SELECT {metric}{' WHERE ' if where else ' '}{where} AT {anchor}"


def outcome(engine, query):
    serving = Serving("test", {"witness": engine})
    try:
        found = answer(Request(query), serving)
        rows = [row for batch in found.open() for row in batch.to_pylist()]
    except FlightframeError as error:
        return error.code
    return sorted((tuple(map(same, row.values())) for row in rows), key=repr)


def same(value):
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.9g}") + 0.0
    return str(value) if isinstance(value, Decimal) else value


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("polars_witness")


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    database=databases(), asked=st.lists(queries(), min_size=9, max_size=9), stream=st.booleans()
)
def test_two_readings_of_one_plan(place, database, asked, stream):
    file = place / "tables.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        for name, rows in database.items():
            connection.register("given", rows)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given").fetchall()
            pq.write_table(rows, place / f"{name}.parquet")
    one, other = DuckDBBackend(file), PolarsBackend(place)
    rows = -1 if stream else 1_000_000
    try:
        engines = [
            MetricEngine(COLLECTION, place, backend, enabled=False, stream_rows=rows)
            for backend in (one, other)
        ]
        for query in asked:
            wanted, found = (outcome(engine, query) for engine in engines)
            assert found == wanted, query
    finally:
        one.close()
        other.close()
