"""What GetSqlInfo and the information schema say, against what is answered.

Each flag has the texts that it promises: where all of them are answered it must be set, where one
is refused it must not. A flag that goes with several texts is one whose meaning has several parts.
"""

from __future__ import annotations

import pytest
from bi_world import World

from flightframe_server.errors import FrameQLSyntaxError, NotSupported, ReadOnly
from flightframe_server.flight.sql.info import INFO

_STORES = "SELECT store FROM stores"
_BY_REGION = "SELECT region, SUM(revenue) AS r FROM metrics"
_SUBQUERIES = {
    "comparisons": f"{_BY_REGION} WHERE region = (SELECT MAX(region) FROM stores) GROUP BY region",
    "exists": f"{_BY_REGION} m WHERE EXISTS ({_STORES} WHERE region = 'East') GROUP BY region",
    "in": f"{_BY_REGION} WHERE store IN ({_STORES} WHERE region = 'East') GROUP BY region",
    "quantified": f"{_BY_REGION} WHERE store >= ALL ({_STORES}) GROUP BY region",
}
_OF_REGION = "SELECT 1 FROM stores s WHERE s.region = m.region"
_CORRELATED = f"{_BY_REGION} m WHERE EXISTS ({_OF_REGION}) GROUP BY region"
_UNIONS = {
    "distinct": "SELECT region FROM stores UNION SELECT category FROM products",
    "all": "SELECT region FROM stores UNION ALL SELECT category FROM products",
}
_INNER = (
    "SELECT s.region, SUM(t.revenue) FROM transactions t JOIN stores s ON t.store = s.store"
    " GROUP BY s.region"
)
_HIDDEN = "SELECT SUM(revenue) AS r FROM metrics GROUP BY region"
_HIDDEN_TOO = "SELECT category, SUM(revenue) AS r FROM metrics GROUP BY category, region"

# The id, what it is called, the texts that it promises.
FLAGS = {
    515: ("column aliases", [_BY_REGION + " GROUP BY region"]),
    517: ("conversions", ["SELECT {fn CONVERT(SUM(units), SQL_DOUBLE)} AS n FROM metrics"]),
    518: ("correlation names", ["SELECT x.region, SUM(x.units) FROM metrics x GROUP BY x.region"]),
    520: ("expressions in ORDER BY", [_BY_REGION + " GROUP BY region ORDER BY r * -1"]),
    521: ("ORDER BY of unselected columns", ["SELECT store FROM stores ORDER BY region"]),
    523: (
        "LIKE with ESCAPE",
        [_BY_REGION + " WHERE category LIKE 'T!_%' ESCAPE '!' GROUP BY region"],
    ),
    527: ("integrity", ["CREATE TABLE t (a INTEGER PRIMARY KEY)"]),
    536: ("SELECT FOR UPDATE", ["SELECT store FROM stores FOR UPDATE"]),
    537: ("stored procedures", ["CALL p()"]),
    539: ("correlated sub-queries", [_CORRELATED]),
    563: ("transactions", ["BEGIN"]),
    572: ("batch updates", ["UPDATE stores SET region = 'East'"]),
    573: ("savepoints", ["SAVEPOINT s"]),
}
# The id, and the texts that each bit of it promises.
BITS = {
    522: {
        "GROUP BY unrelated": (0, [_HIDDEN]),
        "GROUP BY beyond SELECT": (1, [_HIDDEN_TOO]),
    },
    525: {
        "minimum grammar": (
            0,
            [
                "SELECT ALL store FROM stores WHERE region = 'East' ORDER BY store",
                "SELECT DISTINCT region FROM stores WHERE region LIKE 'E%' AND NOT region IS NULL",
            ],
        ),
        "core grammar": (1, [_BY_REGION + " GROUP BY region", *_SUBQUERIES.values()]),
    },
    526: {
        "ANSI 92 entry": (0, [_INNER, *_SUBQUERIES.values(), *_UNIONS.values(), _CORRELATED]),
    },
    528: {
        "limited outer joins": (
            1,
            [
                "SELECT s.region, SUM(t.revenue) FROM transactions t"
                " LEFT OUTER JOIN stores s ON t.store = s.store GROUP BY s.region"
            ],
        ),
        "full outer joins": (
            2,
            [
                "SELECT s.region, SUM(t.revenue) FROM transactions t"
                " FULL OUTER JOIN stores s ON t.store = s.store GROUP BY s.region"
            ],
        ),
    },
    538: {name: (bit, [text]) for bit, (name, text) in enumerate(_SUBQUERIES.items())},
    540: {f"UNION {name}": (bit, [text]) for bit, (name, text) in enumerate(_UNIONS.items())},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("info"))
    yield world
    world.close()


def answered(world: World, text: str) -> bool:
    """Whether a text is answered; one that is not is refused for what it is, and never fails."""
    try:
        world.served["duckdb"].table(text)
    except (NotSupported, ReadOnly, FrameQLSyntaxError):
        return False
    return True


@pytest.mark.parametrize("number", FLAGS, ids=lambda number: FLAGS[number][0])
def test_a_flag_says_what_is_answered(world, number):
    name, texts = FLAGS[number]
    said = bool(INFO[number][1])
    assert said == all(answered(world, text) for text in texts), f"{number}: {name}"


@pytest.mark.parametrize(
    ("number", "name"), [(number, name) for number, parts in BITS.items() for name in parts]
)
def test_a_bit_says_what_is_answered(world, number, name):
    bit, texts = BITS[number][name]
    said = bool(int(INFO[number][1]) >> bit & 1)
    assert said == all(answered(world, text) for text in texts), f"{number}: {name}"


def test_grouping_is_answered_and_said(world):
    # A tool reads 0 as no GROUP BY at all.
    assert INFO[522][1] != 0
    assert answered(world, _BY_REGION + " GROUP BY region")


def test_names_compare_in_any_case_quoted_or_not(world):
    expected = world.served["duckdb"].table(_BY_REGION + " GROUP BY region").to_pylist()
    insensitive = 1
    for number, text in (
        (503, "SELECT REGION AS region, SUM(Revenue) AS r FROM METRICS GROUP BY Region"),
        (505, 'SELECT "Region" AS region, SUM("REVENUE") AS r FROM "Metrics" GROUP BY "region"'),
    ):
        assert INFO[number][1] == insensitive
        assert world.served["duckdb"].table(text).to_pylist() == expected


def test_nulls_come_last_in_both_directions(world):
    at_end = 3
    assert INFO[507][1] == at_end
    for way in ("", " DESC"):
        rows = world.served["duckdb"].table(
            f"SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region ORDER BY region{way}"
        )
        assert rows["region"].to_pylist()[-1] is None


def test_null_plus_a_number_is_null(world):
    text = "SELECT SUM(revenue) FILTER (WHERE region = 'Nowhere') + SUM(units) AS n FROM metrics"
    assert world.served["duckdb"].table(text).to_pylist() == [{"n": None}]
    assert INFO[516][1] is True


def test_every_published_table_is_selected_from(world):
    _, tables = world.served["duckdb"].parts()
    for table in tables:
        names = table.schema.names
        text = f'SELECT COUNT(DISTINCT "{names[0]}") AS n FROM {table.name}'
        if table.name == "metrics":
            text = "SELECT COUNT(DISTINCT region) AS n, SUM(revenue) AS r FROM metrics"
        assert answered(world, text), text
        empty = world.served["duckdb"].table(f"SELECT * FROM {table.name} WHERE 1 = 0")
        assert (empty.column_names, empty.num_rows) == (names, 0)
    assert INFO[506][1] is True


def test_no_column_is_said_to_be_never_null(world):
    text = "SELECT DISTINCT is_nullable FROM information_schema.columns"
    assert world.served["duckdb"].table(text).to_pylist() == [{"is_nullable": "YES"}]
    assert INFO[524][1] is False


def test_the_types_of_the_information_schema_are_those_of_answers(world):
    served = world.served["duckdb"]
    listed = served.table(
        "SELECT table_name, column_name, data_type, numeric_precision, numeric_scale"
        " FROM information_schema.columns"
    ).to_pylist()
    names = {
        "int64": "BIGINT",
        "string": "VARCHAR",
        "double": "DOUBLE",
        "date32[day]": "DATE",
        "timestamp[us]": "TIMESTAMP",
        "bool": "BOOLEAN",
    }
    for table in {row["table_name"] for row in listed} - {"metrics"}:
        answer = served.table(f'SELECT * FROM "{table}" LIMIT 1').schema
        told = {row["column_name"]: row for row in listed if row["table_name"] == table}
        assert list(told) == answer.names
        for field in answer:
            row = told[field.name]
            written = str(field.type)
            if written.startswith("decimal"):
                digits = (row["data_type"], row["numeric_precision"], row["numeric_scale"])
                assert digits == ("DECIMAL", field.type.precision, field.type.scale)
            else:
                assert row["data_type"] == names[written], (table, field)


PREVIEWS = [
    "SELECT * FROM metrics LIMIT 10",
    'SELECT * FROM "retail_full"."metrics" LIMIT 200',
    "SELECT x.* FROM metrics x",
    "SELECT metrics.region, metrics.revenue FROM metrics LIMIT 50",
    "SELECT * FROM (SELECT * FROM metrics) virtual_table LIMIT 1001",
]


@pytest.mark.parametrize("text", PREVIEWS)
def test_the_hint_of_a_preview_is_answered(world, text):
    with pytest.raises(NotSupported) as caught:
        world.served["duckdb"].table(text)
    written = str(caught.value.hint).removeprefix("write ")
    answer = world.served["duckdb"].table(written)
    assert 0 < answer.num_rows <= 1001
    assert answer.num_columns >= 2


def test_a_preview_that_could_mean_two_things_is_told_in_words(world):
    for text in (
        # Whether rows or sums are meant by the condition; and stock is not summed over months.
        "SELECT region, revenue FROM metrics WHERE region = 'East' LIMIT 5",
        "SELECT region, on_hand FROM metrics LIMIT 5",
    ):
        with pytest.raises(NotSupported) as caught:
            world.served["duckdb"].table(text)
        assert str(caught.value.hint).startswith("ask for metrics beside GROUP BY, as MEASURE(")
