"""Every shape of SQL in `bi_shapes.yaml`: its tier, and its rows against the flat table of facts.

Each is asked of every back-end without a memory, with one that it fills itself, and with one that
holds a finer frame to roll up from.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from bi_world import Served, World, same_rows

from flightframe_server.errors import FlightframeError
from flightframe_server.flight.sql.info import INFO
from flightframe_server.outer.program import OuterQuery
from flightframe_server.request import Request
from flightframe_server.sql.catalogue_query import CatalogueQuery, meaning
from flightframe_server.sql.texts import type_text

SHAPES = yaml.safe_load((Path(__file__).parent / "bi_shapes.yaml").read_text(encoding="utf-8"))
ANSWERED = [shape for shape in SHAPES if "pending" not in shape and shape["tier"] in "TSOP"]
REFUSED = [shape for shape in SHAPES if "pending" not in shape and shape["tier"] == "R"]
PENDING = [shape for shape in SHAPES if "pending" in shape]
BACKENDS = ("duckdb", "sqlite", "polars")
FINER = (
    "SELECT SUM(revenue) AS a, COUNT(revenue) AS b, SUM(units) AS c, SUM(cost) AS d, COUNT(*) AS e"
    " FROM transactions AT (store, product, day)"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


def _named(shape: dict[str, Any]) -> str:
    return str(shape["id"])


def _tier(world: World, shape: dict[str, Any]) -> str:
    runtime, tables = world.served["duckdb"].parts()
    request = Request(shape["sql"], tuple(enumerate(shape.get("values", ()))))
    try:
        made = meaning(request, tables, runtime, "")
    except FlightframeError:
        return "R"
    if isinstance(made, CatalogueQuery):
        return "P"
    if isinstance(made, OuterQuery):
        return "O" if made.program.composed else "S"
    return "T" if made.translation is not None else "R"


@pytest.mark.parametrize("shape", ANSWERED, ids=_named)
def test_a_shape_is_of_its_tier(world, shape):
    assert _tier(world, shape) == shape["tier"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", ANSWERED, ids=_named)
def test_a_shape_gives_what_the_flat_table_gives(world, shape, backend):
    served, values = world.served[backend], shape.get("values", ())
    sql = shape["sql"]
    answers = {"cold": served.table(sql, values)}
    _check_types(served, sql, answers["cold"])
    served.forget()
    served.table(sql, values, cold=False)
    answers["warm"] = served.table(sql, values, cold=False)
    served.forget()
    served.table(FINER, cold=False)
    answers["rolled up"] = served.table(sql, values, cold=False)
    for route, answer in answers.items():
        _check(world, shape, answer, f"{shape['id']} on {backend}, {route}")


def _check_types(served: Served, sql: str, answer: pa.Table) -> None:
    """Check that a text is typed, no parameter bound, as its answer is."""
    typed = type_text(Request(sql), *served.parts())
    assert typed.schema.remove_metadata() == answer.schema.remove_metadata()


def _check(world: World, shape: dict[str, Any], answer: pa.Table, what: str) -> None:
    if "names" in shape:
        assert (answer.column_names, answer.num_rows) == (shape["names"], _rows(shape)), what
        return
    flat = shape.get("flat_sql", shape["sql"] if shape.get("flat") else None)
    ordered = re.search(r"(?<!GROUP \()ORDER BY", shape["sql"].upper()) is not None
    if flat is not None:
        expected = world.expected(flat)
    elif "means" in shape:
        expected = world.served["duckdb"].table(shape["means"])
        answer = answer.cast(expected.schema.with_metadata(answer.schema.metadata))
    else:
        assert answer.num_rows or shape["tier"] == "P", what
        return
    difference = same_rows(answer, expected, ordered=ordered)
    assert difference is None, f"{what}: {difference}"


def _rows(shape: dict[str, Any]) -> int:
    return 1 if shape["id"] == "U10" else 0


@pytest.mark.parametrize("shape", REFUSED, ids=_named)
def test_a_shape_that_is_refused_says_where_and_what_to_write(world, shape):
    served = world.served["duckdb"]
    with pytest.raises(FlightframeError) as caught:
        served.table(shape["sql"], shape.get("values", ()))
    error = caught.value
    assert error.code == shape["status"]
    assert (error.place.column if error.place else None) == shape.get("column")
    written = re.search(r"write (SELECT .*)$", error.hint or "")
    assert written or "number" not in shape
    if written:
        answer = served.table(written[1])
        if "number" in shape:
            difference = same_rows(answer, world.expected(shape["number"]), ordered=False)
            assert difference is None, difference


def test_a_shape_that_is_not_answered_yet_is_refused_as_not_supported(world):
    for shape in PENDING:
        with pytest.raises(FlightframeError) as caught:
            world.served["duckdb"].table(shape["sql"], shape.get("values", ()))
        assert caught.value.code == "NOT_SUPPORTED"
        assert str(caught.value.hint or caught.value.message)


@pytest.mark.parametrize("name", [name for ids in range(509, 513) for name in INFO[ids][1]])
def test_a_function_that_tools_are_told_of_is_answered(name):
    call = re.compile(rf"(?i)\b{name}\b" + ("" if name == "CURRENT_DATE" else r" ?\("))
    assert any(call.search(shape["sql"]) for shape in ANSWERED if shape["tier"] == "T")


def test_what_is_not_answered_yet_is_listed_with_its_reason(capsys):
    reasons = Counter(shape["pending"] for shape in PENDING)
    with capsys.disabled():
        print(f"\n{len(ANSWERED)} of {len(SHAPES)} shapes are answered, {len(REFUSED)} refused")
        for reason, count in reasons.most_common():
            ids = ", ".join(shape["id"] for shape in PENDING if shape["pending"] == reason)
            print(f"  {count} need {reason}: {ids}")
    assert len({shape["id"] for shape in SHAPES}) == len(SHAPES)
