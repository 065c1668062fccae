"""A cast to DOUBLE beside a constant: left out only where no whole number can tell."""

import itertools

import duckdb
import pytest
from sqlglot import exp
from test_written_moments import VISITS

from flightframe_server.algebra.types import DATE, INTEGER, DataType, Kind
from flightframe_server.catalog import read_collection
from flightframe_server.language.syntax import Name
from flightframe_server.resolver.typed import type_collection
from flightframe_server.sql.cast_keys import without_cast
from flightframe_server.sql.parse import parse_sql
from flightframe_server.sql.reading import Clock, Reading
from flightframe_server.sql.scalars import Scalars

EDGE = 2**53
KEYS = [
    *(sign * (base + step) for sign in (1, -1) for base in (0, 47, EDGE) for step in range(-2, 5)),
    *(2**63 - 1, -(2**63) + 1, 2**62 + 1),
]


@pytest.fixture(scope="module")
def left_out():
    """Whether the cast of a comparison is left out."""
    types = {"visits": {"visit": INTEGER, "day": DATE, "moment": DataType(Kind.TIMESTAMP)}}
    visits = type_collection(read_collection(VISITS), types)

    def leaf(node):
        return Name((node.name,)) if isinstance(node, exp.Column) else None

    def read(condition):
        node = parse_sql(f"SELECT 1 FROM visits WHERE {condition}").select.args["where"].this
        scalars = Scalars(Reading(visits, {}, clock=Clock("UTC")), leaf, [])
        made = without_cast(scalars, node)
        assert made is node or not list(made.find_all(exp.Cast))
        return made is not node

    return read


@pytest.mark.parametrize(
    "constant",
    ["47", "-47", "47.5", "0", "47e0", "46.9e0", str(EDGE - 1), str(1 - EDGE), "47.000"],
)
@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"])
def test_no_whole_number_tells_the_two_apart(left_out, constant, operator):
    assert left_out(f"CAST(visit AS DOUBLE) {operator} {constant}")
    both = "SELECT CAST(k AS DOUBLE) {0} {1}, k {0} {1} FROM (SELECT unnest(?::BIGINT[]) AS k)"
    rows = duckdb.execute(both.format(operator, constant), [KEYS]).fetchall()
    assert all(one is other for one, other in rows)


@pytest.mark.parametrize("constant", [str(EDGE), str(-EDGE), str(EDGE + 4), "47.00000000000000001"])
def test_where_one_does_the_cast_stays(left_out, constant):
    for operator, turned in itertools.product(["=", "<"], [False, True]):
        sides = ["CAST(visit AS DOUBLE)", constant]
        assert not left_out(f" {operator} ".join(reversed(sides) if turned else sides))
    both = "SELECT CAST(k AS DOUBLE) = {0}, k = {0} FROM (SELECT unnest(?::BIGINT[]) AS k)"
    rows = duckdb.execute(both.format(constant), [KEYS]).fetchall()
    assert any(one is not other for one, other in rows)


@pytest.mark.parametrize(
    ("condition", "is_left_out"),
    [
        ("CAST(visit AS DOUBLE) IN (1, 2)", True),
        ("(CAST((visit) AS DOUBLE)) BETWEEN 1 AND 2", True),
        ("3 >= CAST(visit AS DOUBLE)", True),
        ("CAST(visit AS DOUBLE) = NULL", True),
        ("CAST(visit AS DOUBLE) IN (1, NULL)", False),
        ("CAST(visit AS DOUBLE) = '47'", False),
        ("CAST(visit AS DOUBLE) = TRUE", False),
        ("CAST(visit AS DOUBLE) = visit", False),
        ("CAST(visit AS DOUBLE) = CAST(visit AS DOUBLE)", False),
        ("CAST(visit + 1 AS DOUBLE) = 47", False),
        ("CAST(day AS DOUBLE) = 47", False),
        ("CAST(visit AS FLOAT) = 47", False),
        ("TRY_CAST(visit AS DOUBLE) = 47", False),
        ("CAST(visit AS DOUBLE) IS NULL", False),
        ("CAST(visit AS DOUBLE) IN (SELECT 1 FROM visits)", False),
    ],
)
def test_a_column_of_whole_numbers_beside_numbers_alone(left_out, condition, is_left_out):
    assert left_out(condition) is is_left_out
