"""Values that SQLite does not know: exact decimals, dates, moments, and what is refused."""

import datetime
import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_shop import Till, write

from flightframe_server.backends.sqlite.types import array_of, batch_of, declared_type
from flightframe_server.errors import ArithmeticOverflow, BackendError, SetupError

DECLARED = {
    "INTEGER": "integer",
    "int": "integer",
    "BIGINT": "integer",
    "REAL": "double",
    "DOUBLE PRECISION": "double",
    "FLOAT": "double",
    "TEXT": "text",
    "VARCHAR(30)": "text",
    "CHAR(3)": "text",
    "DATE": "date",
    "DATETIME": "timestamp",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "DECIMAL(10,2)": "decimal(10,2)",
    "numeric( 12 , 4 )": "decimal(12,4)",
    "DECIMAL(9)": "decimal(9,0)",
}


@pytest.mark.parametrize("named", DECLARED)
def test_declared_types(named):
    assert str(declared_type(named)) == DECLARED[named]


@pytest.mark.parametrize("named", ["", "BLOB", "DECIMAL", "DECIMAL(40,2)", "DECIMAL(4,6)", "JSON"])
def test_columns_without_a_usable_type(named):
    assert declared_type(named) is None


def test_scaled_integers_become_decimals():
    found = array_of([1250, None, -1, 9_223_372_036_854_775_807], pa.decimal128(38, 2))
    assert [None if value is None else str(value) for value in found.to_pylist()] == [
        "12.50",
        None,
        "-0.01",
        "92233720368547758.07",
    ]


def test_digits_of_more_than_64_bits_become_decimals():
    digits = "-12345678901234567890123456789012345678"
    found = array_of([digits, 5], pa.decimal128(38, 2))
    assert found.to_pylist() == [
        Decimal("-123456789012345678901234567890123456.78"),
        Decimal("0.05"),
    ]


def test_a_decimal_wider_than_its_declaration_is_refused():
    with pytest.raises(ArithmeticOverflow):
        array_of([10_000], pa.decimal128(4, 2))


def test_no_rows_keep_the_schema():
    schema = pa.schema([("a", pa.int64()), ("b", pa.decimal128(38, 2)), ("c", pa.date32())])
    batch = batch_of([], schema)
    assert batch.schema == schema
    assert batch.num_rows == 0


def test_every_type_arrives_as_declared(till):
    row = {
        "line": 1,
        "price": 1250,
        "quantity": 2**62,
        "day": "2024-02-29",
        "moment": "1969-12-31 23:59:59.5",
        "paid": 1,
        "name": "Ä",
        "weight": 0.1,
    }
    found = till([row]).table(
        "SELECT price, quantity, day, moment, paid, name, MAX(mass) AS weight"
        " AT (price, quantity, day, moment, paid, name)"
    )
    assert [str(field.type) for field in found.schema] == [
        "decimal128(12, 2)",
        "int64",
        "date32[day]",
        "timestamp[us]",
        "bool",
        "string",
        "double",
    ]
    assert tuple(found.to_pylist()[0].values()) == (
        Decimal("12.50"),
        2**62,
        datetime.date(2024, 2, 29),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000),
        True,
        "Ä",
        0.1,
    )


MISFITS = {
    "quantity": [1.5, "three", b"\x01"],
    "day": ["2024-1-5", "2024-02-30", "2024-01-05 00:00:00", "0000-01-01", 20240105, "soon"],
    "moment": ["2024-01-05T10", "2024-01-05 25:00:00", "2024-01-05 10:00:00Z", 5, "2024-W01-1"],
    "paid": [2, -1, "yes", 0.5],
    "name": [b"blob"],
    "weight": ["heavy", "nan", b"NaN"],
}


@pytest.mark.parametrize(
    ("column", "value"),
    [pytest.param(column, value) for column, held in MISFITS.items() for value in held],
)
def test_a_stored_value_that_is_not_of_its_type_is_refused(column, value, till):
    level, asked = ("name", "MAX(mass)") if column == "weight" else (column, "n")
    with pytest.raises(BackendError, match=f"lines.{column} is declared"):
        till([{"line": 1, column: value}]).rows(f"SELECT {level}, {asked} AS x AT {level}")


def test_a_column_that_is_not_read_may_hold_anything(till):
    assert till([{"line": 1, "name": b"blob"}]).one("SELECT n AT ()") == 1


@pytest.mark.parametrize("value", [12.5, "12,50", b"12"])
def test_decimals_that_are_not_scaled_are_refused_before_anything_is_asked(value, tmp_path):
    # Most of the rows are whole, and an answer over those alone would be wrong a hundredfold.
    rows = [{"line": at, "price": 12} for at in range(50)] + [{"line": 50, "price": value}]
    write(tmp_path / "natural.sqlite", rows)
    with pytest.raises(SetupError, match=r"lines.price holds .*, which is no scaled integer"):
        Till(tmp_path / "natural.sqlite")


PRICES = [None, -100, -1, 0, 1, 100, 101, 150, 12_345]
OPERATORS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    path = tmp_path_factory.mktemp("priced") / "till.sqlite"
    write(path, [{"line": at, "price": price} for at, price in enumerate(PRICES)])
    shop = Till(path)
    yield shop
    shop.close()


CONSTANTS = st.one_of(
    st.sampled_from(["1.005", "1.00", "1.01", "-0.001", "0", "1.5", "123.449999", "-1.00"]),
    st.decimals(-200, 200, places=4).map(lambda value: f"{value:f}"),
    st.sampled_from(["99999999999999999999.99", "-99999999999999999999.5", "92233720368547758.08"]),
)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(operator=st.sampled_from(sorted(OPERATORS)), written=CONSTANTS)
def test_comparing_with_a_constant_of_any_scale(priced, operator, written):
    held = [Decimal(price).scaleb(-2) for price in PRICES if price is not None]
    expected = sum(OPERATORS[operator](value, Decimal(written)) for value in held)
    assert priced.one(f"SELECT n WHERE price {operator} {written} AT ()") == expected


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(members=st.lists(CONSTANTS, min_size=1, max_size=5))
def test_membership_with_constants_of_any_scale(priced, members):
    held = [Decimal(price).scaleb(-2) for price in PRICES if price is not None]
    expected = sum(any(value == Decimal(member) for member in members) for value in held)
    listed = ", ".join(members)
    assert priced.one(f"SELECT n WHERE price IN ({listed}) AT ()") == expected
    # NULL is in no list, and not outside of one either.
    outside = priced.one(f"SELECT n WHERE NOT (price IN ({listed})) AT ()")
    assert outside == len(held) - expected


def test_null_and_distinct(priced):
    assert priced.one("SELECT n WHERE price IS DISTINCT FROM 1.005 AT ()") == len(PRICES)
    assert priced.one("SELECT n WHERE price IS DISTINCT FROM 1.00 AT ()") == len(PRICES) - 1
    assert priced.one("SELECT n WHERE NOT (price = 1.005) AT ()") == len(PRICES) - 1


def test_a_decimal_beside_a_double_and_a_whole_number(priced):
    assert priced.one("SELECT n WHERE price > 1.0049e0 AT ()") == 3
    assert priced.one("SELECT n WHERE price = 1 AT ()") == 1
    assert priced.one("SELECT n WHERE price IN (1, 1.5e0, 123.45) AT ()") == 3


def test_a_sum_is_exact_past_64_bits(till):
    shop = till([{"line": at, "price": 9_000_000_000_00, "name": "x"} for at in range(3)])
    assert str(shop.one("SELECT total AT ()")) == "27000000000.00"
    large = 9_223_372_036_854_775_807
    wide = till([{"line": 1, "quantity": large}, {"line": 2, "quantity": large}])
    with pytest.raises(ArithmeticOverflow):
        wide.one("SELECT pieces AT ()")


def test_a_sum_whose_parts_pass_64_bits_and_whose_whole_does_not(till):
    large = 9_223_372_036_854_775_807
    rows = [large, large, 5, -large, -large]
    shop = till([{"line": at, "quantity": value} for at, value in enumerate(rows)])
    assert shop.one("SELECT pieces AT ()") == 5


def test_a_decimal_sum_of_more_than_64_bits(till, tmp_path):
    # DECIMAL(12, 2) is a promise that SQLite does not hold anybody to.
    refused = till([{"line": at, "price": 9_000_000_000_000_000_000} for at in range(4)])
    with pytest.raises(BackendError, match=r"lines.price is declared decimal\(12,2\) and holds 9"):
        refused.table("SELECT total AT ()")
    path = tmp_path / "wide.sqlite"
    rows = [{"line": at, "price": 9_000_000_000_000_000_000} for at in range(4)]
    write(path, rows, price="DECIMAL(19, 2)")
    shop = Till(path)
    found = shop.table("SELECT total AT ()")
    assert str(found["total"][0]) == "360000000000000000.00"
    assert str(found.schema.field("total").type) == "decimal128(38, 2)"
    shop.close()


def test_computed_columns_are_exact_or_refused(till):
    shop = till([{"line": 1, "price": 1_01}, {"line": 2, "price": 2_50}, {"line": 3}])
    assert str(shop.one("SELECT doubled AT ()")) == "7.02"
    assert str(shop.one("SELECT fine AT ()")) == "7.2701"
    with pytest.raises(ArithmeticOverflow):
        # 1.01 squared is 1.0201, and no two decimals hold that.
        shop.one("SELECT coarse AT ()")


def test_integer_arithmetic_never_becomes_a_double(till):
    shop = till([{"line": 1, "quantity": 3_037_000_500}])
    with pytest.raises(ArithmeticOverflow):
        shop.one("SELECT squares AT ()")
    fits = till([{"line": 1, "quantity": 3_037_000_499}])
    assert fits.one("SELECT squares AT ()") == 3_037_000_499**2


def test_infinity_and_what_is_no_number(till):
    infinity = float("inf")
    assert till([{"line": 1, "weight": 1e200}]).one("SELECT growth AT ()") == infinity
    assert math.isnan(till([{"line": 1, "weight": infinity}]).one("SELECT lessened AT ()"))
    both = [{"line": 1, "weight": infinity}, {"line": 2, "weight": -infinity}]
    assert math.isnan(till(both).one("SELECT mass AT ()"))
    assert till([{"line": 1}]).one("SELECT mass AT ()") is None


def test_nan_is_text_in_the_file_and_above_every_number(till):
    weights = ["NaN", 1.0, None, float("inf"), -2.0]
    shop = till([{"line": at, "weight": weight} for at, weight in enumerate(weights)])
    (row,) = shop.rows("SELECT MIN(mass) AS a, MAX(mass) AS b, COUNT(mass) AS c AT ()")
    assert (row[0], row[2]) == (-2.0, 4)
    assert math.isnan(row[1])
    for function in ("mass", "AVG(mass)", "VAR(mass)", "growth", "lessened"):
        assert math.isnan(shop.one(f"SELECT {function} AS x AT ()")), function
    # Of -2, 1, infinity, NaN: between the second and the third, and at the second.
    assert shop.one("SELECT MEDIAN(mass) AS m AT ()") == float("inf")
    finite = shop.rows("SELECT line, MAX(mass) AS m AT line HAVING m > 1e300 ORDER BY m DESC")
    assert [line for line, _ in finite] == [0, 3]


def test_text_is_told_apart_by_case_and_code_point(till):
    shop = till([{"line": at, "name": name} for at, name in enumerate(["Zoe", "anna", "Äx", "ÄX"])])
    assert shop.rows("SELECT name, n AT name") == [("Zoe", 1), ("anna", 1), ("ÄX", 1), ("Äx", 1)]
    assert shop.one("SELECT n WHERE name LIKE 'Z%' AT ()") == 1
    assert shop.one("SELECT n WHERE name LIKE 'z%' AT ()") == 0
    assert shop.one("SELECT n WHERE name LIKE '_x' AT ()") == 1
    assert shop.one("SELECT n WHERE name < 'a' AT ()") == 1


def test_values_of_a_client_are_data(till):
    shop = till([{"line": 1, "name": "x'); DROP TABLE lines; --"}, {"line": 2, "name": '"name"'}])
    assert shop.one("SELECT n WHERE name = ? AT ()", "x'); DROP TABLE lines; --") == 1
    assert shop.one("SELECT n WHERE name = ? AT ()", '"name"') == 1
    sql = shop.backend.text(
        shop.engine.plan(_question(shop, "SELECT n WHERE name = 'needle' AT ()")).queries[0]
    )
    assert "needle" not in sql


def _question(shop, query):
    from flightframe_server.language import parse
    from flightframe_server.resolver.resolve import resolve

    return lambda typed: resolve(parse(query), typed)


@pytest.mark.slow
def test_thousands_of_tests_in_one_query(till):
    shop = till([{"line": at, "quantity": at} for at in range(10)])
    listed = ", ".join(str(number) for number in range(5, 1_200))
    assert shop.one(f"SELECT n WHERE quantity IN ({listed}) AT ()") == 5
    joined = " OR ".join(f"quantity = {number}" for number in range(8, 1_100))
    assert shop.one(f"SELECT n WHERE {joined} AT ()") == 2


def monday(day):
    return day - datetime.timedelta(days=day.weekday())


PERIODS = {
    "week": monday,
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    path = tmp_path_factory.mktemp("dated") / "till.sqlite"
    first = datetime.date(1968, 12, 20)
    days = [first + datetime.timedelta(days=at) for at in range(1_600)]
    days += [datetime.date(1, 1, 1), datetime.date(1900, 3, 1), datetime.date(9999, 12, 31)]
    write(path, [{"line": at, "day": day.isoformat()} for at, day in enumerate(days)])
    shop = Till(path)
    yield shop, days
    shop.close()


@pytest.mark.parametrize("period", PERIODS)
def test_periods_start_where_the_calendar_says(period, dated):
    shop, days = dated
    counted = {}
    for day in days:
        start = PERIODS[period](day)
        counted[start] = counted.get(start, 0) + 1
    assert dict(shop.rows(f"SELECT {period}, n AT {period}")) == counted


MOMENTS = [
    "1969-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "2024-02-29 12:34:56.5",
    "2024-02-29T12:34:00",
    "2024-02-29",
    "0001-01-01 00:00:01",
]


@pytest.mark.parametrize(
    ("period", "change"),
    [
        ("second", {"microsecond": 0}),
        ("minute", {"second": 0, "microsecond": 0}),
        ("hour", {"minute": 0, "second": 0, "microsecond": 0}),
    ],
)
def test_periods_of_moments(period, change, till):
    shop = till([{"line": at, "moment": moment} for at, moment in enumerate(MOMENTS)])
    expected = {datetime.datetime.fromisoformat(text).replace(**change) for text in MOMENTS}
    assert {row[0] for row in shop.rows(f"SELECT {period}, n AT {period}")} == expected


def test_the_same_moment_written_in_two_ways_is_one(till):
    rows = ["2024-02-29 12:00:00", "2024-02-29T12:00:00.000", "2024-02-29 12:00"]
    shop = till([{"line": at, "moment": text} for at, text in enumerate(rows)])
    assert shop.one("SELECT n WHERE moment = TIMESTAMP '2024-02-29 12:00:00' AT ()") == 3
    assert len(shop.rows("SELECT moment, n AT moment")) == 1


def test_a_date_beside_a_moment_is_its_midnight(till):
    shop = till([{"line": 1, "day": "2024-02-29", "moment": "2024-02-29 00:00:01"}])
    assert shop.one("SELECT n WHERE day < TIMESTAMP '2024-02-29 00:00:00.000001' AT ()") == 1
    assert shop.one("SELECT n WHERE day IN (DATE '2024-02-29', DATE '2020-01-01') AT ()") == 1
    assert shop.one("SELECT n WHERE moment > DATE '2024-02-29' AT ()") == 1
