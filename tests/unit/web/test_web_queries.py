"""Answers as JSON and as Arrow, plans as graphs, and one's own last queries."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from web_shop import ROWS, TOTAL, shop

from flightframe_server.answer import Request, answer
from flightframe_server.errors import LimitExceeded
from flightframe_server.web.reply import AnswerReply, ArrowReply, ReplyLimits

ARROW = "application/vnd.apache.arrow.stream"
QUERY, EXPLAIN = "/runtime/query", "/runtime/explain"


def table_of(response) -> pa.Table:
    with pa.ipc.open_stream(response.content) as stream:
        return stream.read_all()


def test_an_answer_as_arrow_is_the_answer_with_its_provenance(client):
    response = client.post(QUERY, json={"source": TOTAL}, headers={"accept": ARROW})
    assert response.headers["content-type"] == ARROW
    table = table_of(response)
    assert [[row["town"], float(row["total"])] for row in table.to_pylist()] == ROWS
    assert table.schema.field("total").type == pa.decimal128(38, 2)
    provenance = json.loads(table.schema.metadata[b"flightframe"])
    assert provenance["served_from"] == response.headers["x-flightframe-served-from"]
    same = client.post(QUERY, json={"source": TOTAL})
    assert same.json()["rows"] == ROWS
    assert same.headers["x-flightframe-served-from"] == same.json()["served_from"]
    assert same.headers["vary"] == "accept"


def test_an_answer_without_rows_is_a_stream_with_its_types(client):
    body = {"source": f"{TOTAL} WHERE town = 'Nowhere'"}
    table = table_of(client.post(QUERY, json=body, headers={"accept": ARROW}))
    assert (table.num_rows, table.schema.names) == (0, ["town", "total"])


def test_a_refusal_is_json_whatever_is_wanted(client):
    refused = client.post(QUERY, json={"source": "SELECT x"}, headers={"accept": ARROW})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "PARSE"


def test_a_streamed_answer_is_one_too(tmp_path):
    with shop(tmp_path) as running:
        (engine,) = running.opened.runtime.engines.values()
        engine.stream_rows = -1
        with running.client() as client:
            response = client.post(QUERY, json={"source": TOTAL}, headers={"accept": ARROW})
        assert [row["town"] for row in table_of(response).to_pylist()] == ["North", "South"]


def test_the_bound_on_bytes_is_told_as_it_is(open_shop):
    rows_of_sales = answer(Request("SELECT sale, amount AT sale"), open_shop.opened.runtime)
    for form in (AnswerReply, ArrowReply):
        with pytest.raises(LimitExceeded, match="100 bytes") as refused:
            form(rows_of_sales, ReplyLimits(bytes=100))
        assert "0 MiB" not in refused.value.message
    with pytest.raises(LimitExceeded, match="at most 2 rows and 256 MiB"):
        AnswerReply(rows_of_sales, ReplyLimits(rows=2))
    # Arrow is bounded by bytes alone.
    ArrowReply(rows_of_sales, ReplyLimits(rows=2)).close()


@pytest.mark.parametrize(
    "body",
    [
        {"source": TOTAL, "parameters": [1]},
        {"source": f"{TOTAL} WHERE town = ?", "parameters": ["North", "South"]},
        {"source": f"{TOTAL} WHERE town = $t", "parameters": {"t": "North", "u": "South"}},
        {"sql": "SELECT 1", "parameters": [1]},
        {
            "sql": "SELECT source FROM system.last_queries WHERE source = ?",
            "parameters": ["a", "b"],
        },
    ],
)
@pytest.mark.parametrize("path", [QUERY, EXPLAIN])
def test_values_without_a_parameter_are_refused(client, body, path):
    if path == EXPLAIN and "sql" in body:
        return
    refused = client.post(path, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "TYPE")
    assert "parameter" in refused.json()["error"]["message"]


def test_a_plan_is_drawn_with_the_reasons_that_explain_gives(client):
    client.post(QUERY, json={"source": "SELECT amount AT town"})
    client.post(QUERY, json={"source": "SELECT amount WHERE town = 'North' AT ()"})
    source = "SELECT double, amount, MAX(amount) AS most AT shop"
    plan = client.post(EXPLAIN, json={"source": source}).json()
    steps = [step for step in plan["steps"] if step["route"] != "note"]
    assert [step["column"] for step in steps] == ["double", "amount", "most"]
    for step in steps:
        reasons = [
            node["detail"]["text"]
            for node in plan["nodes"]
            if node["kind"] == "rejected"
            and step["column"] in node["detail"]["columns"]
            and (node["detail"]["family"], node["detail"]["operator"])
            == (step["family"], step["operator"])
        ]
        assert step["why_not"] == "; ".join(reasons)
    rejected = [node for node in plan["nodes"] if node["kind"] == "rejected"]
    assert rejected
    assert all(node["reason"] in node["detail"]["text"] for node in rejected)
    ids = {node["id"] for node in plan["nodes"]}
    assert {edge[end] for edge in plan["edges"] for end in ("source", "target")} <= ids
    assert {text["node"] for text in plan["sql"]} <= ids
    columns = [node["label"] for node in plan["nodes"] if node["kind"] == "column"]
    assert columns == ["shop", "double", "amount", "most"]


def test_a_value_of_another_query_is_in_no_plan(client):
    client.post(QUERY, json={"source": "SELECT amount WHERE town = 'Secretville' AT shop"})
    plan = client.post(EXPLAIN, json={"source": "SELECT amount WHERE town = 'South' AT shop"})
    assert "Secretville" not in plan.text
    assert "eq(town,…)" in plan.text


def test_the_last_queries_are_told_newest_first(client):
    for source in (TOTAL, "SELECT amount AT ()"):
        client.post(QUERY, json={"source": source})
    first, second, *_ = client.get("/runtime/queries").json()["queries"]
    assert (first["source"], second["source"]) == ("SELECT amount AT ()", TOTAL)
    assert first["rows"] == 1
    assert first["provenance"]["query_id"] == first["query_id"]
