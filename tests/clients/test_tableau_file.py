"""Tableau's file of capabilities: each name is one that Tableau knows, each value what is answered.

Tableau itself does not run here. What can be held to something is: the names to Tableau's published
list, and each value to a text of SQL that Tableau sends where it believes it.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import pytest

FILE = Path(__file__).parents[2] / "connectors" / "tableau" / "flightframe.tdc"

# Names of docs/capabilities.md in github.com/tableau/connector-plugin-sdk, at 0e7a8fcc6fbe: of its
# sections Metadata to Query, Stored Procedures, Isolation Level and Uncommon.
_PUBLISHED = """
    CAP_FAST_METADATA CAP_QUERY_TOP_0_METADATA CAP_QUERY_WHERE_FALSE_METADATA
    CAP_CREATE_TEMP_TABLES CAP_INDEX_TEMP_TABLES CAP_SELECT_INTO CAP_SELECT_TOP_INTO
    CAP_TEMP_TABLES_NOT_SESSION_SCOPED CAP_SUPPRESS_TEMP_TABLE_CHECKS
    CAP_SUPPORTS_SPLIT_FROM_LEFT CAP_SUPPORTS_SPLIT_FROM_RIGHT CAP_SUPPORTS_INITIAL_SQL
    CAP_QUERY_ALLOW_JOIN_REORDER CAP_QUERY_ALLOW_PARTIAL_AGGREGATION CAP_QUERY_BOOLEXPR_TO_INTEXPR
    CAP_QUERY_GROUP_ALLOW_DUPLICATES CAP_QUERY_GROUP_BY_ALIAS CAP_QUERY_GROUP_BY_BOOL
    CAP_QUERY_GROUP_BY_DEGREE CAP_QUERY_HAVING_REQUIRES_GROUP_BY CAP_QUERY_HAVING_UNSUPPORTED
    CAP_QUERY_INOUT_JOINS CAP_QUERY_JOIN_ACROSS_SCHEMAS CAP_QUERY_NAKED_JOINS CAP_QUERY_SORT_BY
    CAP_QUERY_SORT_BY_DEGREE CAP_QUERY_SORT_BY_NON_NUMERIC CAP_QUERY_SUBQUERIES
    CAP_QUERY_SUBQUERIES_WITH_TOP CAP_QUERY_SUBQUERY_QUERY_CONTEXT CAP_QUERY_TOP_0 CAP_QUERY_TOP_N
    CAP_QUERY_TOP_PERCENT CAP_QUERY_TOP_SAMPLE CAP_QUERY_TOP_SAMPLE_FAST
    CAP_QUERY_TOP_SAMPLE_PERCENT CAP_CONNECT_STORED_PROCEDURE CAP_INSERT_TEMP_EXEC_STORED_PROCEDURE
    CAP_ISOLATION_LEVEL_READ_COMMITTED CAP_ISOLATION_LEVEL_READ_UNCOMMITTED
    CAP_ISOLATION_LEVEL_REPEATABLE_READS CAP_ISOLATION_LEVEL_SERIALIZABLE
    CAP_SET_ISOLATION_LEVEL_VIA_SQL CAP_EXTRACT_ONLY CAP_SUPPORTS_UNION
"""
PUBLISHED = set(_PUBLISHED.split())

_BY_REGION = 'SELECT "metrics"."region" AS "region", SUM("metrics"."revenue") AS "r"'
_FROM = ' FROM "retail_full"."metrics" "metrics"'
_TOP_2 = f"({_BY_REGION}{_FROM} GROUP BY 1 ORDER BY 2 DESC LIMIT 2)"

# What Tableau sends where a capability is on, and how many rows of the demonstration that is.
SENT_WHERE_YES = {
    "CAP_FAST_METADATA": ("SELECT table_name FROM information_schema.tables", 7),
    "CAP_QUERY_WHERE_FALSE_METADATA": ('SELECT * FROM "retail_full"."metrics" WHERE 1 = 0', 0),
    "CAP_QUERY_TOP_0": (f'SELECT * FROM ({_BY_REGION}{_FROM} GROUP BY 1) "q" LIMIT 0', 0),
    "CAP_QUERY_TOP_N": (f"{_BY_REGION}{_FROM} GROUP BY 1 ORDER BY 2 DESC LIMIT 2", 2),
    "CAP_QUERY_SUBQUERIES": (f'SELECT "t"."r" FROM ({_BY_REGION}{_FROM} GROUP BY 1) "t"', 3),
    "CAP_QUERY_SUBQUERIES_WITH_TOP": (f'SELECT "t"."region" FROM {_TOP_2} "t"', 2),
    "CAP_QUERY_SUBQUERY_QUERY_CONTEXT": (
        f'{_BY_REGION}{_FROM} INNER JOIN {_TOP_2} "t0" ON ("metrics"."region" = "t0"."region")'
        " GROUP BY 1",
        2,
    ),
    "CAP_QUERY_GROUP_BY_BOOL": (
        f'SELECT ("metrics"."region" = \'East\') AS "e", SUM("metrics"."units") AS "u"{_FROM}'
        " GROUP BY 1",
        2,
    ),
    "CAP_QUERY_GROUP_BY_DEGREE": (f"{_BY_REGION}{_FROM} GROUP BY 1", 3),
    "CAP_QUERY_SORT_BY": (f'{_BY_REGION}{_FROM} GROUP BY 1 ORDER BY SUM("metrics"."units")', 3),
    "CAP_QUERY_SORT_BY_DEGREE": (f"{_BY_REGION}{_FROM} GROUP BY 1 ORDER BY 2 ASC", 3),
    "CAP_SUPPORTS_UNION": (
        f"{_BY_REGION}{_FROM} GROUP BY 1 UNION ALL {_BY_REGION}{_FROM} GROUP BY 1",
        6,
    ),
}

# The same where one is off: it would be refused, so that it is better not sent.
SENT_IF_IT_WERE_YES = {
    "CAP_CREATE_TEMP_TABLES": 'CREATE LOCAL TEMPORARY TABLE "#t" ("region" VARCHAR)',
    "CAP_INDEX_TEMP_TABLES": 'CREATE INDEX "i" ON "#t" ("region")',
    "CAP_SELECT_INTO": f'{_BY_REGION} INTO "#t"{_FROM} GROUP BY 1',
    "CAP_SELECT_TOP_INTO": f'{_BY_REGION} INTO "#t"{_FROM} GROUP BY 1 LIMIT 2',
    "CAP_SUPPORTS_INITIAL_SQL": "SET search_path = 'retail_full'",
    "CAP_CONNECT_STORED_PROCEDURE": "CALL p()",
    "CAP_INSERT_TEMP_EXEC_STORED_PROCEDURE": 'INSERT INTO "#t" EXEC p',
    "CAP_SET_ISOLATION_LEVEL_VIA_SQL": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "CAP_QUERY_TOP_SAMPLE": 'SELECT * FROM "retail_full"."stores" TABLESAMPLE SYSTEM (10 ROWS)',
    "CAP_QUERY_TOP_SAMPLE_PERCENT": 'SELECT * FROM "retail_full"."stores" TABLESAMPLE SYSTEM (10)',
    "CAP_QUERY_TOP_PERCENT": 'SELECT TOP 10 PERCENT * FROM "retail_full"."stores"',
    "CAP_SUPPORTS_SPLIT_FROM_LEFT": (
        f'SELECT SPLIT_PART("metrics"."region", \'a\', 1) AS "s", SUM("metrics"."units"){_FROM}'
        " GROUP BY 1"
    ),
    "CAP_SUPPORTS_SPLIT_FROM_RIGHT": (
        f'SELECT SPLIT_PART("metrics"."region", \'a\', -1) AS "s", SUM("metrics"."units"){_FROM}'
        " GROUP BY 1"
    ),
    "CAP_QUERY_JOIN_ACROSS_SCHEMAS": (
        'SELECT "a"."region" FROM "retail_full"."stores" "a"'
        ' JOIN "other"."stores" "b" ON ("a"."store" = "b"."store")'
    ),
}

# A level of isolation is set by the driver's call, and these three switch something off.
OTHERS = {
    **dict.fromkeys((name for name in PUBLISHED if name.startswith("CAP_ISOLATION_LEVEL_")), "no"),
    "CAP_SUPPRESS_TEMP_TABLE_CHECKS": "yes",
    "CAP_QUERY_HAVING_UNSUPPORTED": "no",
    "CAP_QUERY_HAVING_REQUIRES_GROUP_BY": "no",
}


def capabilities() -> dict[str, str]:
    root = ElementTree.parse(FILE).getroot()
    found = [(item.get("name"), item.get("value")) for item in root.iter("customization")]
    assert len(dict(found)) == len(found), "a name stands twice"
    return dict(found)


@pytest.fixture(scope="module")
def cursor(server):
    with (
        adbc.connect(f"grpc+tcp://127.0.0.1:{server.port}", autocommit=True) as connection,
        connection.cursor() as opened,
    ):
        yield opened


def test_the_file_is_one_for_the_generic_jdbc_connector():
    root = ElementTree.parse(FILE).getroot()
    assert (root.tag, root.get("class")) == ("connection-customization", "genericjdbc")
    assert root.get("enabled") == "true"
    assert root.find("vendor").get("name") == "genericjdbc"
    # What follows `jdbc:` in the driver's address.
    assert root.find("driver").get("name") == "arrow-flight-sql"


def test_every_name_is_published_and_every_value_is_yes_or_no():
    found = capabilities()
    assert found.keys() <= PUBLISHED
    assert set(found.values()) == {"yes", "no"}


def test_every_capability_is_held_to_something():
    found = capabilities()
    values = {
        **dict.fromkeys(SENT_WHERE_YES, "yes"),
        **dict.fromkeys(SENT_IF_IT_WERE_YES, "no"),
        **OTHERS,
    }
    assert found == values


@pytest.mark.parametrize("name", SENT_WHERE_YES)
def test_what_is_on_is_answered(cursor, name):
    sql, rows = SENT_WHERE_YES[name]
    cursor.execute(sql)
    assert cursor.fetch_arrow_table().num_rows == rows


def test_having_needs_no_group_by(cursor):
    cursor.execute(f'SELECT SUM("metrics"."units") AS "u"{_FROM} HAVING (COUNT(1) > 0)')
    assert cursor.fetch_arrow_table().num_rows == 1


@pytest.mark.parametrize("name", SENT_IF_IT_WERE_YES)
def test_what_is_off_would_be_refused(cursor, name):
    with pytest.raises(adbc.Error, match=r"NOT_SUPPORTED|PARSE|READ_ONLY"):
        cursor.execute(SENT_IF_IT_WERE_YES[name])
