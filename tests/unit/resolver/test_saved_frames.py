"""Saved frames on the types of the data: each is a question that may be asked, or is refused."""

from __future__ import annotations

import pytest

from flightframe_server.algebra.types import DATE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.errors import CatalogError, UnknownName
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.saved_frames import fitted_collection, frame_question

TYPES = {
    "stores": {"store_id": TEXT, "region": TEXT},
    "sales": {"id": INTEGER, "store_id": TEXT, "day": DATE, "amount": decimal(10, 2)},
    "stock": {"store_id": TEXT, "day": DATE, "held": INTEGER},
}
PLAIN = """\
version: 1
name: shop
schemas:
  - {name: stores, grain: [store], columns: {store: store_id, region: region}}
  - {name: sales, grain: [sale], columns: {sale: id, store: store_id, day: day, amount: amount}}
  - {name: stock, grain: [store, day], columns: {store: store_id, day: day, held: held}}
dimension_families:
  - {name: location, levels: [store, region], edges: [{from: store, to: region, via: stores}]}
  - {name: calendar, levels: [day, month], edges: [{from: day, to: month, derived_by: MONTH_OF}]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
  - name: held
    family_root: {schema: stock, column: held}
    closed: true
    ip_reducers: [{operator: SUM, a_block: [calendar]}]
frames:
"""
"""Ends with line 16."""


def fitted(*queries: str):
    frames = [f'  - {{name: f{at}, query: "{query}"}}\n' for at, query in enumerate(queries)]
    return fitted_collection(read_collection(PLAIN + "".join(frames)), TYPES)


def columns(query: str) -> list[tuple[str, str]]:
    typed = fitted(query)
    question = frame_question(typed.collection.frames["f0"], typed)
    return [(column.name, str(column.term.type)) for column in question.columns]


def test_the_columns_of_a_frame_are_those_of_its_answer():
    assert columns("SELECT region, amount, COUNT(amount) AS n, AVG(amount) AS mean AT region") == [
        ("region", "text"),
        ("amount", "decimal(38,2)"),
        ("n", "integer"),
        ("mean", "double"),
    ]
    assert columns("SELECT amount AT (month, region)") == [
        ("month", "date"),
        ("region", "text"),
        ("amount", "decimal(38,2)"),
    ]


def test_a_frame_may_read_the_day_on_which_it_is_asked():
    assert columns("SELECT amount WHERE day < CURRENT_DATE AT ()") == [("amount", "decimal(38,2)")]


BROKEN = {
    "an unknown metric": ("SELECT amuont AT region", "UNKNOWN_NAME", "did you mean amount"),
    "an unknown level": ("SELECT amount AT regoin", "UNKNOWN_NAME", "did you mean region"),
    "an unknown schema": ("SELECT amount FROM sale AT region", "UNKNOWN_NAME", "sales"),
    "another frame": ("SELECT amount FROM f0 AT region", "UNKNOWN_NAME", "line 1, column 20"),
    "a blocked sum": ("SELECT held AT region", "BLOCKED_REDUCTION", "add day to AT"),
    "a reducer that is not declared": ("SELECT MAX(held) AT day", "REDUCER_NOT_DECLARED", ""),
    "a type": ("SELECT amount WHERE region = 5 AT ()", "TYPE", ""),
    "two columns of a name": (
        "SELECT amount, COUNT(amount) AS Amount AT region",
        "AMBIGUOUS_METRIC",
        "rename one with AS",
    ),
}


@pytest.mark.parametrize(("query", "code", "hint"), BROKEN.values(), ids=BROKEN.keys())
def test_a_frame_that_breaks_a_rule_is_refused_at_its_line(query, code, hint):
    with pytest.raises(CatalogError) as caught:
        fitted("SELECT amount AT ()", query)
    (told,) = caught.value.each()
    assert (told.line, told.path, told.file) == (18, "frames[1].query", "ac.yaml")
    assert told.text.startswith("refused: ")
    assert told.text.endswith(f"({code})")
    assert hint in (told.advice or "")


def test_a_column_of_null_alone_is_refused():
    with pytest.raises(CatalogError, match="the column x is NULL alone, and has no type"):
        fitted("SELECT amount, CASE WHEN amount > 0 THEN NULL END AS x AT region")


def test_every_broken_frame_is_told():
    with pytest.raises(CatalogError) as caught:
        fitted("SELECT amuont AT ()", "SELECT amount AT ()", "SELECT held AT ()")
    assert [one.line for one in caught.value.each()] == [17, 19]


def test_frame_ql_says_that_a_frame_is_asked_in_sql():
    typed = fitted("SELECT region, amount AT region")
    with pytest.raises(UnknownName) as caught:
        resolve(parse("SELECT amount FROM F0 AT region"), typed)
    assert caught.value.message == (
        "there is no schema F0, and the saved frame of that name is asked in SQL, without AT"
    )
    assert caught.value.hint is None
