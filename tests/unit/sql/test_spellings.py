"""Other spellings: which of them mean a word that is read, and which stay as they are."""

import pytest
import sqlglot
from sqlglot import exp

from flightframe_server.sql.parse import parse_sql
from flightframe_server.sql.spellings import with_known_words


def spelled(text):
    tree = sqlglot.parse_one(f"SELECT {text} AS a FROM t")
    return with_known_words(tree).expressions[0].this.sql()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("IF(a > 1, b, c)", "CASE WHEN a > 1 THEN b ELSE c END"),
        ("IIF(a, b, NULL)", "CASE WHEN a THEN b ELSE NULL END"),
        (
            "IF(a, IF(b, 1, 2), 3)",
            "CASE WHEN a THEN CASE WHEN b THEN 1 ELSE 2 END ELSE 3 END",
        ),
        ("CONCAT(a, '-', b)", "COALESCE(a, '') || '-' || COALESCE(b, '')"),
        ("CONCAT(a)", "COALESCE(a, '')"),
        ("CONCAT(CONCAT(a, 'x'), 'y')", "COALESCE(COALESCE(a, '') || 'x', '') || 'y'"),
        ("DATE_PART('Year', d)", "EXTRACT(YEAR FROM d)"),
        ("DAY(d) + DAYOFMONTH(d)", "EXTRACT(DAY FROM d) + EXTRACT(DAY FROM d)"),
        ("DAYOFWEEK(d)", "EXTRACT(DOW FROM d)"),
        ("ISODOW(d)", "EXTRACT(ISODOW FROM d)"),
        ("DAYOFYEAR(d)", "EXTRACT(DOY FROM d)"),
        ("WEEKOFYEAR(d) + WEEK(d)", "EXTRACT(WEEK FROM d) + EXTRACT(WEEK FROM d)"),
    ],
)
def test_a_spelling_of_a_word_that_is_read(text, means):
    assert spelled(text) == means


@pytest.mark.parametrize(
    "text",
    ["CASE WHEN a THEN b END", "DATE_PART(unit, d)", "DATE_PART('year', d, e)", "WEEK(d, 1)"],
)
def test_what_could_mean_something_else_stays(text):
    assert spelled(text) == sqlglot.parse_one(f"SELECT {text}").expressions[0].sql()


def test_what_is_long_once_it_is_written_out_is_too_deep():
    few, many = (", ".join("region" for _ in range(count)) for count in (20, 200))
    assert parse_sql(f"SELECT CONCAT({few}) AS k FROM metrics GROUP BY 1") is not None
    assert parse_sql(f"SELECT CONCAT({many}) AS k FROM metrics GROUP BY 1") is None


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("DAYOFWEEK", False),
        ("WEEK", False),
        ("DAY", True),
        ("LENGTH", False),
        ("CHAR_LENGTH", True),
        ("CHARACTER_LENGTH", True),
    ],
)
def test_what_odbc_counts_otherwise_is_not_read_in_its_braces(name, read):
    """ODBC's Sunday is 1, and that of the reference dialect is 0; its LENGTH ends before blanks."""
    text = "SELECT {0} AS d, SUM(revenue) AS r FROM metrics GROUP BY 1"
    assert parse_sql(text.format(f"{name}(day)")) is not None
    assert (parse_sql(text.format(f"{{fn {name}(day)}}")) is not None) is read


@pytest.mark.parametrize("clause", ["order", "group"])
def test_a_place_in_parentheses_is_a_place(clause):
    select = parse_sql(f"SELECT a, b FROM metrics {clause} BY ((2)), (a + 1)").select
    keys = [node.this if clause == "order" else node for node in select.args[clause].expressions]
    assert keys == [exp.Literal.number(2), exp.paren("a + 1")]
