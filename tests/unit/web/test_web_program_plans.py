"""The plan of SQL of several questions: each of them, and what is done with their answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

EXPLAIN = "/runtime/explain"
RANKED = (
    "WITH q AS (SELECT shop, SUM(amount) AS a FROM metrics GROUP BY shop)"
    " SELECT shop, RANK() OVER (ORDER BY a DESC) AS place FROM q"
)
JOINED = (
    "SELECT l.shop, l.a, r.a AS b FROM (SELECT shop, SUM(amount) AS a FROM metrics GROUP BY shop) l"
    " LEFT JOIN (SELECT shop, SUM(amount) AS a FROM metrics WHERE town = 'North' GROUP BY shop) r"
    " ON l.shop = r.shop"
)
CHOSEN = (
    "SELECT town, SUM(amount) AS a FROM metrics WHERE shop IN"
    " (SELECT shop FROM metrics GROUP BY shop HAVING SUM(amount) > 1) GROUP BY town"
)


def planned(client: httpx.Client, text: str) -> dict[str, Any]:
    reply = client.post(EXPLAIN, json={"sql": text})
    assert reply.status_code == 200, reply.text
    plan: dict[str, Any] = reply.json()
    return plan


def labels(plan: dict[str, Any], kind: str) -> list[str]:
    return [node["label"] for node in plan["nodes"] if node["kind"] == kind]


def reached(plan: dict[str, Any], start: str) -> set[str]:
    """Return the nodes that one leads to."""
    found, open_ = {start}, [start]
    while open_:
        node = open_.pop()
        for edge in plan["edges"]:
            if edge["source"] == node and edge["target"] not in found:
                found.add(edge["target"])
                open_.append(edge["target"])
    return found


@pytest.mark.parametrize(
    ("text", "islands", "algebra", "columns"),
    [
        (RANKED, 1, ["window[rank]"], ["shop", "place"]),
        (JOINED, 2, ["left join"], ["shop", "a", "b"]),
        (CHOSEN, 2, [], ["town", "a"]),
    ],
    ids=["window", "join", "members"],
)
def test_every_question_and_every_step_is_a_node(client, text, islands, algebra, columns):
    plan = planned(client, text)
    assert len(labels(plan, "island")) == islands
    assert labels(plan, "algebra") == algebra
    assert labels(plan, "column") == columns
    ids = [node["id"] for node in plan["nodes"]]
    assert len(ids) == len(set(ids))
    assert {edge[end] for edge in plan["edges"] for end in ("source", "target")} <= set(ids)
    # Whatever is read leads to each column, through its question.
    ends = {node["id"] for node in plan["nodes"] if node["kind"] == "column"}
    for node in plan["nodes"]:
        if node["kind"] in ("table", "fetch", "island", "algebra"):
            assert ends <= reached(plan, node["id"]), node["id"]
    # The rows beside the drawing are those of EXPLAIN.
    steps = [step["source"] for step in plan["steps"] if step["route"] == "note"]
    assert sum("in Frame-QL: " in (step or "") for step in steps) == islands


def test_each_query_of_the_back_end_is_told_with_the_node_that_sends_it(client):
    plan = planned(client, JOINED)
    fetches = [node["id"] for node in plan["nodes"] if node["kind"] == "fetch"]
    assert sorted(query["node"] for query in plan["sql"]) == sorted(fetches)
    assert len({query["text"] for query in plan["sql"]}) == 2


def test_a_table_that_two_questions_read_is_one_node(client):
    plan = planned(client, JOINED)
    assert len(labels(plan, "table")) == len(set(labels(plan, "table")))
    tables = {node["id"] for node in plan["nodes"] if node["kind"] == "table"}
    read = [edge["target"] for edge in plan["edges"] if edge["source"] in tables]
    assert {name.partition("/")[0] for name in read} == {"island:1", "island:2"}


def test_a_kept_answer_of_a_question_is_its_entry_with_its_label(client):
    client.post("/runtime/query", json={"sql": RANKED})
    plan = planned(client, RANKED)
    assert labels(plan, "fetch") == []
    assert len(labels(plan, "entry")) == 1
    kinds = {node["kind"]: node["served_from"] for node in plan["nodes"]}
    assert {kinds[kind] for kind in ("entry", "island", "algebra", "column")} == {"engine_cache"}


def test_members_lead_to_the_question_whose_condition_takes_them(client):
    plan = planned(client, CHOSEN)
    (edge,) = [edge for edge in plan["edges"] if edge["label"] == "members"]
    assert edge["target"] == "island:1"
    assert edge["source"] == "island:1.1.1"


def test_what_the_catalogue_answers_has_no_plan(client):
    refused = client.post(EXPLAIN, json={"sql": "SELECT version()"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (501, "NOT_SUPPORTED")
