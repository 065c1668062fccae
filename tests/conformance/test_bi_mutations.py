"""Every part of every shape changed: the text is refused, or gives what the oracle gives for it.

Arguments that no module reads are set in the tree, and must be refused. Those read are left
out or turned round, and the text that comes of it is asked of both. Where only levels are left, the
reference is over the points of every table that reaches them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import duckdb
import pytest
from bi_points import over_points
from bi_world import World, same_rows
from sqlglot import exp
from test_bi_shapes import SHAPES

from flightframe_server.errors import FlightframeError, InternalError, NotSupported
from flightframe_server.sql.allowed_sql import QUESTION, check_question
from flightframe_server.sql.parse import parse_sql

CHANGES = int(os.environ.get("BI_SQL_CHANGES", "150"))
SEED = int(os.environ.get("BI_SQL_SEED", "20261129"))
FLAT = [
    shape
    for shape in SHAPES
    if shape.get("flat") and shape["tier"] == "T" and "pending" not in shape
]


def _tree(sql: str) -> exp.Select:
    parsed = parse_sql(sql)
    assert parsed is not None
    return parsed.select.copy()


@pytest.mark.parametrize("shape", FLAT, ids=lambda shape: shape["id"])
def test_an_argument_that_no_module_reads_is_refused(shape):
    tree = _tree(shape["sql"])
    for node in list(tree.walk()):
        for name in sorted(set(node.arg_types) - QUESTION[type(node)]):
            before = node.args.get(name)
            node.args[name] = True
            with pytest.raises(NotSupported):
                check_question(tree)
            node.args[name] = before
    check_question(tree)


def _changed(sql: str) -> Iterator[str]:
    """Yield the text with one part left out, turned round, or put in the place of another."""
    tree = _tree(sql)
    for at, node in enumerate(list(tree.walk())):
        for name, value in list(node.args.items()):
            for other in _others(node, name, value):
                copy = _tree(sql)
                place = list(copy.walk())[at]
                place.set(name, other.copy() if isinstance(other, exp.Expr) else other)
                try:
                    yield copy.sql(dialect="duckdb")
                except Exception:
                    # What sqlglot cannot write is no text of anyone's.
                    continue


def _others(node: exp.Expr, name: str, value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case list() if len(value) > 1:
            yield [part.copy() for part in value[1:]]
            yield [part.copy() for part in reversed(value)]
        case exp.Expr():
            if name in ("where", "having", "order", "limit", "group", "default", "distinct"):
                yield None
            other = node.args.get("expression" if name == "this" else "this")
            if isinstance(other, exp.Expr) and type(other) is not type(value):
                yield other
        case None if name in ("negate", "desc", "nulls_first"):
            yield True


def _reference(sql: str) -> str:
    return over_points(_tree(sql)).sql(dialect="duckdb")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("bi"))
    yield world
    world.close()


@pytest.mark.slow
def test_a_changed_text_is_refused_or_gives_what_the_oracle_gives(world):
    texts = sorted({text for shape in FLAT for text in _changed(shape["sql"])})
    Random(SEED).shuffle(texts)
    both = 0
    for sql in texts[:CHANGES]:
        if "LIMIT" in sql or "OFFSET" in sql:
            # Which rows a limit leaves is for chance to say where nothing orders them all.
            continue
        try:
            answer = world.served["duckdb"].table(sql)
        except InternalError:
            raise
        except FlightframeError:
            continue
        try:
            expected = world.expected(_reference(sql))
        except duckdb.Error:
            continue
        difference = same_rows(answer, expected, ordered=False)
        assert difference is None, f"{sql}\n{difference}"
        both += 1
    assert both > min(CHANGES, len(texts)) // 12
