"""The queries of `typical_queries.yaml`, as seven tools write them, against SQL by hand.

What is refused is refused by a rule of the page on SQL or on Flight SQL.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from bi_world import World, same_rows

from flightframe_server.errors import FlightframeError

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
QUERIES = yaml.safe_load((HERE / "typical_queries.yaml").read_text(encoding="utf-8"))
ANSWERED = [query for query in QUERIES if "refused" not in query]
REFUSED = [query for query in QUERIES if "refused" in query]
TOOLS = {"superset", "metabase", "tableau", "power bi", "grafana", "dbeaver", "plain"}


def page(name: str) -> str:
    """Return a page in one line, as its words stand."""
    return " ".join((DOCS / f"{name}.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("typical"))
    yield world
    world.close()


def check(world: World, query: dict[str, Any]) -> None:
    """Check that a query gives what its tool means, on each back-end, cold and remembered."""
    flat = query.get("flat", query["sql"])
    expected, ordered = world.expected(flat), "ORDER BY" in _outermost(flat).upper()
    for backend, cold in (("duckdb", True), ("duckdb", False), ("sqlite", True), ("polars", True)):
        answer = world.served[backend].table(query["sql"], cold=cold)
        difference = same_rows(answer, expected, ordered=ordered)
        assert difference is None, f"{query['id']} on {backend}: {difference}"


def _outermost(text: str) -> str:
    """Return a text without what stands in parentheses."""
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return text


@pytest.mark.parametrize("query", ANSWERED, ids=lambda query: query["id"])
def test_a_typical_query_gives_what_its_tool_means(world, query):
    check(world, query)


@pytest.mark.parametrize("query", REFUSED, ids=lambda query: query["id"])
def test_what_is_refused_is_refused_by_a_rule_that_is_written(world, query):
    assert any(query["rule"] in page(name) for name in ("sql", "flight-sql")), query["rule"]
    with pytest.raises(FlightframeError) as caught:
        world.served["duckdb"].table(query["sql"])
    assert caught.value.code == query["refused"]


def test_most_of_them_are_answered(capsys):
    assert len({query["id"] for query in QUERIES}) == len(QUERIES) == 72
    assert {query["tool"] for query in QUERIES} == TOOLS
    answered = Counter(query["tool"] for query in ANSWERED)
    with capsys.disabled():
        print(f"\n{len(ANSWERED)} of {len(QUERIES)} typical queries are answered:")
        for tool, count in Counter(query["tool"] for query in QUERIES).items():
            print(f"  {tool}: {answered[tool]} of {count}")
    assert len(ANSWERED) >= 60
