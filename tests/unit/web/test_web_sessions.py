"""Sessions belong to their users, and there are not too many of them."""

from __future__ import annotations

import pytest
from web_shop import CHANGING, shop

from flightframe_server.call_context import Caller
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import LimitExceeded, UnknownName
from flightframe_server.statements.runner import Statements
from flightframe_server.web.sessions import WebSessions

ALICE, BOB = Caller("alice"), Caller("bob")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sessions(clock: Clock, **limits: object) -> WebSessions:
    return WebSessions(Statements(Limits(**limits)), clock)


def test_a_session_is_its_users_alone():
    web_sessions = sessions(Clock())
    session = web_sessions.begin(ALICE, "shop")
    assert web_sessions.find(session.id, ALICE) == session
    for name, caller in ((session.id, BOB), (session.id, Caller("")), ("x", ALICE)):
        with pytest.raises(UnknownName, match="no session of that id"):
            web_sessions.find(name, caller)
    with pytest.raises(UnknownName):
        web_sessions.end(session.id, BOB)
    web_sessions.end(session.id, ALICE)
    with pytest.raises(UnknownName):
        web_sessions.find(session.id, ALICE)


def test_a_session_ends_some_time_after_its_last_use():
    clock = Clock()
    web_sessions = sessions(clock, session_seconds=10.0)
    session = web_sessions.begin(ALICE, "shop")
    for clock.now in (9.0, 18.0):
        assert web_sessions.find(session.id, ALICE)
    clock.now = 28.0
    with pytest.raises(UnknownName):
        web_sessions.find(session.id, ALICE)


def test_a_caller_with_too_many_loses_the_one_not_used_for_longest():
    web_sessions = sessions(Clock(), sessions=10, sessions_per_caller=2)
    first, second = web_sessions.begin(ALICE, "shop"), web_sessions.begin(ALICE, "shop")
    others = web_sessions.begin(BOB, "shop")
    web_sessions.find(first.id, ALICE)
    third = web_sessions.begin(ALICE, "shop")
    with pytest.raises(UnknownName):
        web_sessions.find(second.id, ALICE)
    for session, caller in ((first, ALICE), (third, ALICE), (others, BOB)):
        assert web_sessions.find(session.id, caller)
    assert web_sessions.shares() == {ALICE.key: 2, BOB.key: 1}


def test_all_callers_together_have_no_more_than_may_be():
    web_sessions = sessions(Clock(), sessions=2, sessions_per_caller=1)
    kept = web_sessions.begin(ALICE, "shop")
    web_sessions.begin(BOB, "shop")
    with pytest.raises(LimitExceeded):
        web_sessions.begin(Caller("carol"), "shop")
    assert web_sessions.find(kept.id, ALICE)


def test_ids_are_not_guessed():
    web_sessions = sessions(Clock())
    ids = {web_sessions.begin(ALICE, "shop").id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(name) >= 22 for name in ids)


def test_a_session_over_http(client):
    begun = client.post("/sessions")
    assert begun.status_code == 201
    session = begun.json()["id"]
    assert begun.headers["location"] == f"/sessions/{session}"
    assert begun.json() == {"id": session, "collection": "shop", "expires_in": 3600.0}
    assert client.post("/sessions", json={"collection": "SHOP"}).json()["collection"] == "shop"
    assert client.get(f"/sessions/{session}/engine/manifest").status_code == 200
    assert client.delete(f"/sessions/{session}", headers=CHANGING).json() == {"ended": True}
    for answer in (
        client.get(f"/sessions/{session}/engine/manifest"),
        client.delete(f"/sessions/{session}", headers=CHANGING),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UNKNOWN_NAME")


@pytest.mark.parametrize(
    ("body", "status"),
    [({"collection": "shp"}, 404), ({"colection": "shop"}, 400), ({"collection": 1}, 400)],
)
def test_a_session_of_nothing_is_refused(client, body, status):
    assert client.post("/sessions", json=body).status_code == status


def test_a_body_needs_its_content_type_and_no_body_needs_none(client):
    refused = client.post("/sessions", content=b'{"collection": "shop"}')
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")
    assert client.post("/sessions", content=b"").status_code == 201


def test_one_of_several_collections_must_be_named(tmp_path):
    with shop(tmp_path) as running:
        other = (tmp_path / "ac.yaml").read_text().replace("name: shop\n", "name: other\n", 1)
        (tmp_path / "other.yaml").write_text(other)
        manifest = tmp_path / "installation.yaml"
        text = manifest.read_text().replace("[ac.yaml]", "[ac.yaml, other.yaml]")
        manifest.write_text(text)
        with running.client(headers=CHANGING) as client:
            assert client.post("/runtime/reload").json()["collections"] == ["other", "shop"]
            refused = client.post("/sessions")
            assert refused.status_code == 400
            assert refused.json()["error"]["hint"] == "name one of other, shop"
            begun = client.post("/sessions", json={"collection": "other"})
            assert begun.json()["collection"] == "other"
