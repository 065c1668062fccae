"""What the data promises and breaks: edges, diamonds, siblings, keys, and data that moves.

Each test has a database of its own, made of the shop's tables and a few statements, and an answer
reckoned by hand.
"""

import os
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.backends.duckdb.backend import DuckDBBackend
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import ArithmeticOverflow, FDViolation, SiblingDiffers

HERE = Path(__file__).parent
TABLES = (HERE / "shop" / "tables.sql").read_text()
COLLECTION = (HERE / "shop" / "ac.yaml").read_text()


class Shop:
    """A shop whose data can be replaced under the running engine, as a nightly load would."""

    def __init__(self, folder, sql="", collection=COLLECTION):
        self.path = folder / "shop.duckdb"
        self._folder = folder
        self._sql = sql
        self._write(self.path, sql)
        self.backend = DuckDBBackend(self.path)
        self.engine = MetricEngine(read_collection(collection), folder / "store", self.backend)
        self.serving = Runtime("test", {"shop": self.engine})

    def _write(self, path, sql):
        with duckdb.connect(str(path)) as connection:
            connection.execute(TABLES + sql)

    def replace(self, sql):
        """Put a whole new file in place: the shop's tables and these statements."""
        self._write(self._folder / "next.duckdb", sql)
        os.replace(self._folder / "next.duckdb", self.path)

    def ask(self, query):
        return answer(Request(query), self.serving)

    def rows(self, query):
        return {tuple(row.values()) for row in self.ask(query).table.to_pylist()}

    def close(self):
        self.serving.close()
        self.backend.close()


@pytest.fixture
def shop(tmp_path):
    opened = []

    def make(sql="", collection=COLLECTION):
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Shop(folder, sql, collection))
        return opened[-1]

    yield make
    for found in opened:
        found.close()
    shutil.rmtree(tmp_path, ignore_errors=True)


def money(*pairs):
    return {(key, None if value is None else Decimal(value)) for key, value in pairs}


BY_REGION = "SELECT region, revenue AT region"
REGIONS = money(("East", "61.70"), ("West", "0.20"), (None, "21.00"))


def test_20_a_store_with_two_regions_withdraws_only_what_needs_the_edge(shop):
    made = shop("INSERT INTO stores VALUES ('S1', 'West');")
    with pytest.raises(FDViolation, match=r"store -> region.*S1 has East and West"):
        made.ask(BY_REGION)
    with pytest.raises(FDViolation):
        made.ask("SELECT revenue WHERE region = 'East' AT ()")
    with pytest.raises(FDViolation):
        made.ask("SELECT coast, revenue AT coast")
    assert made.rows("SELECT revenue AT ()") == {(Decimal("82.90"),)}
    assert len(made.rows("SELECT store, revenue AT store")) == 6


def test_a_store_with_a_region_and_with_null_is_a_violation_too(shop):
    made = shop("INSERT INTO stores VALUES ('S1', NULL);")
    with pytest.raises(FDViolation, match="S1 has East and NULL"):
        made.ask(BY_REGION)


def test_undoing_the_violation_restores_the_answers(shop):
    made = shop()
    assert made.rows(BY_REGION) == REGIONS
    made.replace("INSERT INTO stores VALUES ('S1', 'West');")
    with pytest.raises(FDViolation):
        made.ask(BY_REGION)
    made.replace("")
    assert made.rows(BY_REGION) == REGIONS


def test_a_violated_edge_is_not_climbed_from_an_entry(shop):
    made = shop()
    made.ask("SELECT store, revenue AT store")
    made.replace("INSERT INTO stores VALUES ('S1', 'West');")
    made.ask("SELECT store, revenue AT store")
    with pytest.raises(FDViolation):
        made.ask(BY_REGION)


def test_39_a_dimension_row_twice_doubles_nothing(shop):
    made = shop("INSERT INTO stores VALUES ('S1', 'East'), (NULL, 'East'), (NULL, 'East');")
    assert made.rows(BY_REGION) == REGIONS
    assert made.rows("SELECT store, revenue AT store") >= money(("S1", "31.30"), (None, "9.00"))
    assert made.rows(BY_REGION) == REGIONS


WITH_ZONE = COLLECTION.replace(
    "columns: {store: store, region: region}}",
    "columns: {store: store, region: region, zone: zone}}",
    1,
).replace(
    "levels: [store, region], edges: [{from: store, to: region, via: stores}]",
    "levels: [store, region, zone], edges: [{from: store, to: region, via: stores},"
    " {from: region, to: zone, via: stores}]",
)
ZONES = (
    "ALTER TABLE stores ADD COLUMN zone VARCHAR;"
    "UPDATE stores SET zone ="
    " CASE region WHEN 'East' THEN 'Z1' WHEN 'West' THEN 'Z2' ELSE 'Z9' END;"
)


def test_40_levels_are_found_hop_by_hop_in_sql_and_in_rollups(shop):
    made = shop(ZONES, WITH_ZONE)
    expected = money(("Z1", "61.70"), ("Z2", "0.20"), (None, "21.00"))
    assert made.rows("SELECT zone, revenue AT zone") == expected
    again = shop(ZONES, WITH_ZONE)
    again.ask("SELECT store, revenue AT store")
    found = again.ask("SELECT zone, revenue AT zone")
    assert str(found.provenance.served_from) == "engine_cache"
    assert again.rows("SELECT zone, revenue AT zone") == expected


def test_41_a_fact_with_a_region_of_its_own_keeps_it(shop):
    own = COLLECTION.replace(
        "      store: store\n      product",
        "      store: store\n      region: sold_in\n      product",
    )
    sql = (
        "ALTER TABLE tx ADD COLUMN sold_in VARCHAR;"
        "UPDATE tx SET sold_in = CASE WHEN txn = 1 THEN 'West' ELSE 'East' END;"
    )
    expected = money(("West", "10.10"), ("East", "72.80"))
    made = shop(sql, own)
    assert made.rows(BY_REGION) == expected
    other = shop(sql, own)
    other.ask("SELECT store, revenue AT store")
    assert other.rows(BY_REGION) == expected


DIAMOND = WITH_ZONE.replace(
    "{from: region, to: zone, via: stores}]",
    "{from: region, to: zone, via: stores}, {from: store, to: zone, via: stores}]",
)


def test_42_two_paths_that_disagree_withdraw_the_level_they_lead_to(shop):
    made = shop(ZONES, DIAMOND)
    with pytest.raises(FDViolation, match=r"store to zone.*S4 leads to"):
        made.ask("SELECT zone, revenue AT zone")
    assert made.rows(BY_REGION) == REGIONS


def test_42b_two_paths_that_agree_are_fine(shop):
    made = shop(ZONES + "UPDATE stores SET zone = NULL WHERE region IS NULL;", DIAMOND)
    expected = money(("Z1", "61.70"), ("Z2", "0.20"), (None, "21.00"))
    assert made.rows("SELECT zone, revenue AT zone") == expected


SUMMARY_SQL = (
    "CREATE TABLE daily AS SELECT region, day, SUM(revenue) AS revenue"
    " FROM tx LEFT JOIN stores USING (store) GROUP BY 1, 2;"
)
SUMMARY = COLLECTION.replace(
    "dimension_families:",
    "  - {name: daily, table: daily, grain: [region, day],"
    " columns: {region: region, day: day, revenue: revenue}}\n"
    "dimension_families:",
    1,
).replace(
    "{name: revenue, family_root: {schema: tx, column: revenue},",
    "{name: revenue, family_root: {schema: tx, column: revenue},"
    " siblings: [{schema: daily, column: revenue, operator: SUM}],",
)


def sql_of(made, query):
    return made.ask(f"EXPLAIN {query}").table["source"].to_pylist()[0]


def test_32_a_sibling_attested_equal_is_read_in_place_of_the_root(shop):
    made = shop(SUMMARY_SQL, SUMMARY)
    assert '"daily"' in sql_of(made, BY_REGION)
    assert made.rows(BY_REGION) == REGIONS
    assert made.rows("SELECT region, SUM(revenue) AS r FROM daily AT region") == REGIONS


def test_32b_a_stale_sibling_is_not_read_and_refused_by_name(shop):
    made = shop(SUMMARY_SQL + "UPDATE daily SET revenue = 1000 WHERE region = 'West';", SUMMARY)
    assert '"tx"' in sql_of(made, BY_REGION)
    assert made.rows(BY_REGION) == REGIONS
    with pytest.raises(SiblingDiffers, match=r"region West.*1000\.00.*0\.20"):
        made.ask("SELECT region, SUM(revenue) AS r FROM daily AT region")
    assert made.rows(BY_REGION) == REGIONS


def test_32c_a_sibling_that_lacks_a_key_differs(shop):
    made = shop(SUMMARY_SQL + "DELETE FROM daily WHERE region IS NULL;", SUMMARY)
    assert made.rows(BY_REGION) == REGIONS
    with pytest.raises(SiblingDiffers, match="no row"):
        made.ask("SELECT region, SUM(revenue) AS r FROM daily AT region")


def test_59_a_sibling_answers_its_own_operator_alone(shop):
    made = shop(SUMMARY_SQL, SUMMARY)
    found = made.rows("SELECT region, revenue, COUNT(revenue) AS n, AVG(revenue) AS a AT region")
    assert {row[0]: row[2] for row in found} == {"East": 5, "West": 1, None: 3}
    assert {row[0]: row[3] for row in found} == {
        "East": pytest.approx(12.34),
        "West": pytest.approx(0.2),
        None: pytest.approx(7.0),
    }


def test_a_sibling_does_not_reach_what_it_does_not_hold(shop):
    made = shop(SUMMARY_SQL, SUMMARY)
    assert '"tx"' in sql_of(made, "SELECT store, revenue AT store")
    assert '"daily"' in sql_of(made, "SELECT coast, month, revenue AT (coast, month)")
    found = made.rows("SELECT coast, revenue AT coast")
    assert found == money(("Atlantic", "61.70"), ("Pacific", "0.20"), (None, "21.00"))


def test_33_an_update_with_the_same_row_count_is_seen(shop):
    made = shop()
    assert made.rows(BY_REGION) == REGIONS
    assert made.rows(BY_REGION) == REGIONS
    made.replace("UPDATE tx SET revenue = revenue + 1 WHERE txn = 5;")
    assert made.rows(BY_REGION) == money(("East", "61.70"), ("West", "1.20"), (None, "21.00"))
    assert made.rows("SELECT revenue AT ()") == {(Decimal("83.90"),)}


def test_52_stores_move_and_transactions_do_not(shop):
    made = shop()
    made.ask("SELECT store, revenue AT store")
    assert made.rows(BY_REGION) == REGIONS
    made.replace("UPDATE stores SET region = 'West' WHERE store = 'S1';")
    assert made.rows(BY_REGION) == money(("East", "30.40"), ("West", "31.50"), (None, "21.00"))


def test_a_stored_month_that_is_no_first_day_is_refused(shop):
    made = shop("UPDATE inv SET month = DATE '2024-01-15' WHERE store = 'S3';")
    with pytest.raises(FDViolation, match="2024-01-15"):
        made.ask("SELECT month, on_hand AT month")
    assert made.rows(BY_REGION) == REGIONS


MOMENTS = "ALTER TABLE balances ALTER day TYPE TIMESTAMP;"


def test_midnights_may_stand_for_days(shop):
    made = shop(MOMENTS)
    assert made.rows("SELECT account, balance AT account") == money(
        ("A", "12.50"), ("B", "7.25"), ("C", None)
    )


def test_a_moment_is_not_cut_to_its_day_unseen(shop):
    made = shop(MOMENTS + "UPDATE balances SET day = day + INTERVAL 1 HOUR WHERE account = 'B';")
    with pytest.raises(FDViolation, match="2024-01-31 01:00:00 in balances"):
        made.ask("SELECT day, balance AT day")
    assert made.rows(BY_REGION) == REGIONS


def test_a_fetched_column_needs_one_row_for_each_key(shop):
    made = shop("INSERT INTO price_list VALUES ('S1', 'P1', 12.50);")
    with pytest.raises(FDViolation, match="several rows"):
        made.ask("SELECT list_price AT ()")
    assert made.rows(BY_REGION) == REGIONS


def test_the_last_count_needs_a_unique_grain(shop):
    made = shop("INSERT INTO inv VALUES ('S1', '2024-02-01', 81);")
    with pytest.raises(FDViolation, match="grain of inv"):
        made.ask("SELECT store, LAST(on_hand) AS l AT store")
    assert (Decimal("82.90"),) in made.rows("SELECT revenue AT ()")


def test_49_a_sum_that_does_not_fit_is_an_error_by_every_route(shop):
    collection = COLLECTION.replace(
        "dimension_families:",
        "  - {name: big, table: big, grain: [day, n], columns: {day: day, n: n, v: v}}\n"
        "dimension_families:",
        1,
    ).replace(
        "metric_families:",
        "metric_families:\n  - {name: v, family_root: {schema: big, column: v},"
        " ip_reducers: [{operator: SUM, a_block: []}]}",
        1,
    )
    sql = (
        "CREATE TABLE big (day DATE, n INTEGER, v BIGINT);"
        "INSERT INTO big VALUES ('2024-01-01', 1, 4611686018427387904),"
        " ('2024-01-02', 2, 4611686018427387904), ('2024-01-03', 3, 4611686018427387904);"
    )
    cold = shop(sql, collection)
    with pytest.raises(ArithmeticOverflow):
        cold.ask("SELECT v AT ()")
    warm = shop(sql, collection)
    assert len(warm.rows("SELECT day, v AT day")) == 3
    with pytest.raises(ArithmeticOverflow):
        warm.ask("SELECT v AT ()")


def test_49b_a_decimal_sum_past_38_digits_is_an_error_by_every_route(shop):
    collection = COLLECTION.replace(
        "dimension_families:",
        "  - {name: vast, table: vast, grain: [day], columns: {day: day, v: v}}\n"
        "dimension_families:",
        1,
    ).replace(
        "metric_families:",
        "metric_families:\n  - {name: v, family_root: {schema: vast, column: v},"
        " ip_reducers: [{operator: SUM, a_block: []}]}",
        1,
    )
    much = "9" * 36 + ".99"
    sql = (
        "CREATE TABLE vast (day DATE, v DECIMAL(38, 2));"
        f"INSERT INTO vast VALUES ('2024-01-01', {much}), ('2024-01-02', {much});"
    )
    cold = shop(sql, collection)
    with pytest.raises(ArithmeticOverflow):
        cold.ask("SELECT v AT ()")
    warm = shop(sql, collection)
    assert {row[1] for row in warm.rows("SELECT day, v AT day")} == {Decimal(much)}
    with pytest.raises(ArithmeticOverflow):
        warm.ask("SELECT v AT ()")


def test_two_back_ends_may_open_one_file(shop):
    made = shop()
    other = DuckDBBackend(made.path, backend_id="other")
    try:
        assert other.tables() == made.backend.tables()
    finally:
        other.close()
