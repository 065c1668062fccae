"""Two users: nothing of the one is in any response to the other."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from web_shop import AUTH, CHANGING, PASSWORDS, shop

from flightframe_server.web.description.operations import OPERATIONS

SECRET = "Topsecretville"
ASKED = (
    f"SELECT amount WHERE town = '{SECRET}' AT shop",
    f"SELECT SUM(amount) FILTER (WHERE town = '{SECRET}') AS part AT town",
    f"SELECT amount AS {SECRET.lower()}alias AT town",
)
BODIES = {
    "query": {"source": "SELECT amount WHERE town = 'North' AT shop"},
    "explain": {"source": "SELECT amount WHERE town = 'North' AT shop"},
    "check": {"source": "SELECT amount WHERE town = 'North' AT shop"},
    "format": {"shelf": {"metrics": ["amount"]}},
    "promote": {"promotions": [{"family": "amount", "anchor": ["shop"]}]},
    "session_begin": {},
    "refresh": {},
    "login": {"user": "bob", "password": PASSWORDS["bob"]},
}
KEYS = {"recommendations": {"min_hits": "0", "min_age_days": "0"}}


@pytest.fixture(scope="module")
def bobs(tmp_path_factory):
    """What bob is told by every operation, after alice asked and while she has a session."""
    auth = AUTH.replace("[alice]", "[alice, bob]")
    responses: dict[str, httpx.Response] = {}
    with (
        shop(tmp_path_factory.mktemp("two"), auth) as running,
        running.client("alice", headers=CHANGING) as alice,
        running.client("bob", headers=CHANGING) as bob,
    ):
        for source in ASKED:
            for _ in range(2):
                assert alice.post("/runtime/query", json={"source": source}).status_code == 200
        bound = {"source": "SELECT amount WHERE town = ? AT ()", "parameters": [SECRET]}
        alice.post("/runtime/query", json=bound)
        hers = alice.post("/sessions").json()["id"]
        names = {query["query_id"] for query in alice.get("/runtime/queries").json()["queries"]}
        own = bob.post("/sessions").json()["id"]
        for session, whose in ((own, "own"), (hers, "hers")):
            for operation in OPERATIONS:
                if operation.answers is None or operation.name in ("session_end", "logout"):
                    continue
                path = re.sub(r"\{entry_id\}", "nothing", operation.path)
                answer = bob.request(
                    operation.method,
                    path.format(id=session),
                    json=BODIES.get(operation.name),
                    params=KEYS.get(operation.name),
                )
                responses[f"{operation.name} {whose}"] = answer
        with bob.stream("GET", "/runtime/events") as stream:
            events = next(line for line in stream.iter_lines() if line.startswith("data"))
        seen = bob.get("/runtime/queries").json()["queries"]
    return responses, hers, names, events, seen


@pytest.mark.slow
def test_no_text_value_or_name_of_the_other_is_told(bobs):
    responses, hers, names, events, seen = bobs
    assert len(responses) > 40
    assert names
    for operation, response in responses.items():
        everything = response.text + json.dumps(dict(response.headers))
        assert SECRET.casefold() not in everything.casefold(), operation
        assert hers not in response.text, operation
        assert not any(name in response.text for name in names), operation
        assert "alice" not in everything, operation
    assert SECRET.casefold() not in events.casefold()
    assert {query["source"] for query in seen} == {BODIES["query"]["source"]}


def test_the_others_session_is_one_that_never_was(bobs):
    responses, *_ = bobs
    for name in ("manifest", "recommendations", "promote", "refresh", "evict"):
        answer = responses[f"{name} hers"]
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UNKNOWN_NAME")
        assert answer.json()["error"]["message"] == "there is no session of that id"
        assert responses[f"{name} own"].status_code == (404 if name == "evict" else 200)


def test_what_is_shown_of_the_others_filters_is_which_levels_they_name(bobs):
    responses, *_ = bobs
    entries = responses["manifest own"].json()["entries"]
    filtered = [entry for entry in entries if entry["filtered"]]
    assert filtered
    assert all(entry["filter"] == ["town"] for entry in filtered)
