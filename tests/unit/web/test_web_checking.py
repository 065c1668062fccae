"""Checks carry nothing out, and a fix is a text that passes."""

from __future__ import annotations

import pytest
from web_shop import TOTAL

CHECK, FORMAT = "/runtime/check", "/runtime/format"


def check(client, source, **more):
    response = client.post(CHECK, json={"source": source, **more})
    assert response.status_code == 200
    return response.json()


def test_a_query_that_could_be_answered(client):
    assert check(client, f"{TOTAL}  where town = ?") == {
        "ok": True,
        "ac_name": "shop",
        "canonical": "SELECT town, SUM(amount) AS total WHERE town = ? AT town",
        "columns": [
            {"name": "town", "type": "text", "kind": "level"},
            {"name": "total", "type": "decimal(38,2)", "kind": "metric"},
        ],
        "shelf": {
            "metrics": ["SUM(amount) AS total"],
            "at": ["town"],
            "where": ["town = ?"],
            "having": [],
            "order": [],
            "limit": None,
            "from": None,
        },
    }


def test_a_check_carries_nothing_out(client):
    before = client.get("/runtime/queries").json()
    source = "SELECT MIN(amount) AS least AT shop"
    assert check(client, source)["ok"]
    assert client.get("/runtime/queries").json() == before
    refused = client.post("/runtime/query", json={"source": source, "only_if_cached": True})
    assert refused.json()["error"]["code"] == "NOT_CACHED"


@pytest.mark.parametrize(
    ("source", "code", "fix"),
    [
        ("SELECT amuont AT town", "UNKNOWN_NAME", "SELECT amount AT town"),
        ("SELECT amount AT twon", "UNKNOWN_NAME", "SELECT amount AT town"),
        ("SELECT SUMM(amount) AT town", "UNKNOWN_NAME", "SELECT SUM(amount) AT town"),
        # Two mistakes are mended one after the other.
        ("SELECT amuont AT twon", "UNKNOWN_NAME", "SELECT amuont AT town"),
        ("SELECT COUNT(*) AT ()", "AMBIGUOUS_SCHEMA", "SELECT COUNT(*) FROM shops AT ()"),
        ("SELECT town amount AT town", "PARSE", None),
        ("SELECT", "PARSE", None),
    ],
)
def test_what_is_wrong_and_what_was_meant(client, source, code, fix):
    outcome = check(client, source)
    assert not outcome["ok"]
    (error,) = outcome["errors"]
    assert (error["code"], error["fix"]) == (code, fix)
    if fix is not None and code != "UNKNOWN_NAME":
        assert check(client, fix)["ok"]


def test_a_place_has_an_end(client):
    (error,) = check(client, "SELECT\n  amuont AT town")["errors"]
    place = (error["line"], error["column"], error["end_line"], error["end_column"])
    assert place == (2, 3, 2, 9)


def test_values_are_checked_where_they_are_sent(client):
    source = f"{TOTAL} WHERE sale = ?"
    assert check(client, source)["ok"]
    assert check(client, source, parameters=[1])["ok"]
    assert check(client, source, parameters=["x"])["errors"][0]["code"] == "TYPE"
    assert check(client, source, parameters=[1, 2])["errors"][0]["code"] == "TYPE"


def test_a_text_of_sql_is_checked_too(client):
    body = {"sql": "SELECT source, rows FROM system.last_queries"}
    outcome = client.post(CHECK, json=body).json()
    assert outcome["ok"]
    assert [column["name"] for column in outcome["columns"]] == ["source", "rows"]
    assert outcome["shelf"] is None
    outcome = client.post(CHECK, json={"sql": "SELECT * FROM shops"}).json()
    assert (outcome["ok"], outcome["ac_name"]) == (True, "shop")
    refused = client.post(CHECK, json={"sql": "SELECT * FROM nowhere"}).json()
    assert refused["ok"] is False


def test_a_body_without_a_query_is_no_check(client):
    assert client.post(CHECK, json={}).status_code == 400
    assert client.post(CHECK, json={"source": TOTAL, "collection": "shp"}).json()["errors"]


def test_a_shelf_is_formatted_and_checks_to_itself(client):
    shelf = check(client, TOTAL + " WHERE town = 'North' ORDER BY total DESC LIMIT 2")["shelf"]
    source = client.post(FORMAT, json={"shelf": shelf}).json()["source"]
    assert check(client, source)["shelf"] == shelf


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shelf": 1},
        {"shelf": {}},
        {"shelf": {"metrics": ["amount"], "at": ["town LIMIT 1"]}},
        {"shelf": {"metrics": ["amount"], "nonsense": []}},
        {"shelf": {"metrics": ["amount"]}, "more": 1},
    ],
)
def test_what_is_no_shelf_is_refused(client, body):
    refused = client.post(FORMAT, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")


def test_what_may_stand_at_a_place_and_why_the_rest_may_not(client):
    body = {"source": "SELECT amount AT t", "offset": 18}
    outcome = client.post("/runtime/complete", json=body).json()
    assert (outcome["start"], outcome["end"]) == (17, 18)
    assert "town" in [option["label"] for option in outcome["options"] if option["legal"]]
    legal = [option["legal"] for option in outcome["options"]]
    assert legal == sorted(legal, reverse=True)
    for option in outcome["options"]:
        assert option["legal"] is (option["reason"] is None)
        assert option["legal"] is (option["code"] is None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "PARSE"),
        ({"source": "SELECT"}, 400, "TYPE"),
        ({"source": "SELECT", "offset": -1}, 400, "TYPE"),
        ({"source": "SELECT", "offset": True}, 400, "TYPE"),
        ({"source": "SELECT", "offset": 1.5}, 400, "TYPE"),
        ({"source": 1, "offset": 1}, 400, "TYPE"),
        ({"source": "SELECT", "offset": 1, "collection": "shp"}, 404, "UNKNOWN_NAME"),
        ({"source": "SELECT", "offset": 1, "more": 1}, 400, "PARSE"),
    ],
)
def test_what_names_no_place_is_refused(client, body, status, code):
    refused = client.post("/runtime/complete", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)


def test_a_place_behind_the_text_is_its_end(client):
    body = {"source": "SELECT amount AT t", "offset": 10**6}
    assert client.post("/runtime/complete", json=body).json()["end"] == 18
