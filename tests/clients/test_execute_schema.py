"""`execute_schema` of a text of each tier is the schema that its answer has."""

from __future__ import annotations

import adbc_driver_flightsql.dbapi as adbc
import pytest

TEXTS = {
    "probe": "SELECT 1 AS one, 'a' AS word",
    "rows of constants": "SELECT n FROM (VALUES (1), (2)) AS t(n)",
    "catalogue": "SELECT table_name FROM information_schema.tables",
    "one question": "SELECT region, SUM(revenue), MEASURE(margin) AS m FROM metrics GROUP BY 1",
    "periods": "SELECT DATE_TRUNC('month', day) AS m, COUNT(*) AS n FROM transactions GROUP BY 1",
    "a set first": """SELECT region, SUM(revenue) AS r FROM metrics WHERE store IN
        (SELECT store FROM metrics GROUP BY store HAVING SUM(revenue) > 900000) GROUP BY region""",
    "algebra": """SELECT region, r, RANK() OVER (ORDER BY r DESC) AS k, r / SUM(r) OVER () AS s
        FROM (SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region) q""",
    "rows of facts": "SELECT * FROM stores",
    "Frame-QL": "SELECT region, revenue, margin AT region",
    "a condition on a metric": "SELECT revenue AT region WHERE revenue @ store > 900000",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_schema_of_a_text_is_that_of_its_answer(server, text):
    with adbc.connect(server.uri, autocommit=True) as connection, connection.cursor() as cursor:
        told = cursor.adbc_execute_schema(text)
        cursor.execute(text)
        table = cursor.fetch_arrow_table()
    assert table.num_rows > 0
    assert [(field.name, field.type) for field in told] == [
        (field.name, field.type) for field in table.schema
    ]


def test_what_is_refused_has_no_schema(server):
    text = "SELECT region, SUM(margin) AS m FROM metrics GROUP BY region"
    with (
        adbc.connect(server.uri, autocommit=True) as connection,
        connection.cursor() as cursor,
        pytest.raises(Exception, match="REDUCER_NOT_DECLARED"),
    ):
        cursor.adbc_execute_schema(text)
