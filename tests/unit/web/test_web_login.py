"""A cookie lets the page in, and no other site's page."""

from __future__ import annotations

import pytest
from web_shop import CHANGING, PASSWORDS, TOTAL

from flightframe_server.web.session_cookie import cookie_name, session_cookie, token_in

LOGIN = "/runtime/login"
ALICE = {"user": "alice", "password": PASSWORDS["alice"]}


def test_a_password_is_exchanged_for_a_cookie_that_lets_in(secured):
    with secured.client() as client:
        answer = client.post(LOGIN, json=ALICE, headers=CHANGING)
        assert answer.json() == {"user": "alice", "expires_in": 12 * 3600}
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        token = next(iter(client.cookies.values()))
        assert token not in answer.text
        # What changes nothing needs the cookie alone; the rest the header as well.
        assert client.get("/runtime/queries").status_code == 200
        query = {"source": TOTAL}
        assert client.post("/runtime/query", json=query).status_code == 401
        assert client.post("/runtime/query", json=query, headers=CHANGING).status_code == 200
        assert client.post("/runtime/reload", headers=CHANGING).status_code == 200
        # The same token is good as a header, and over Flight.
        bearer = {"authorization": f"Bearer {token}"}
        assert client.post("/runtime/query", json=query, headers=bearer).status_code == 200
        ended = client.post("/runtime/logout", headers=CHANGING)
        assert ended.json() == {"ended": True}
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert not client.cookies
    with secured.client(headers=bearer) as client:
        assert client.get("/runtime/queries").status_code == 401


def test_a_wrong_password_is_refused_without_a_browsers_own_question(secured):
    with secured.client() as client:
        body = {"user": "alice", "password": "a guess"}
        refused = client.post(LOGIN, json=body, headers=CHANGING)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        assert "basic" not in refused.headers["www-authenticate"].lower()
        assert "set-cookie" not in refused.headers
        unknown = client.post(LOGIN, json={**body, "user": "nobody"}, headers=CHANGING)
        assert unknown.json() == refused.json()


def test_too_many_guesses_are_told_to_wait(secured):
    with secured.client() as client:
        body = {"user": "mallory", "password": "a guess"}
        answers = [client.post(LOGIN, json=body, headers=CHANGING) for _ in range(12)]
    assert [answer.status_code for answer in answers[:10]] == [401] * 10
    assert answers[-1].status_code == 429
    assert "retry-after" in answers[-1].headers
    assert "set-cookie" not in answers[-1].headers


@pytest.mark.parametrize("body", [{}, {"user": "alice"}, {"user": 1, "password": "x"}, {"x": 1}])
def test_what_is_no_login_is_refused(secured, body):
    with secured.client() as client:
        assert client.post(LOGIN, json=body, headers=CHANGING).status_code == 400


def test_a_server_without_users_needs_no_login(client):
    answer = client.post(LOGIN, json=ALICE, headers=CHANGING)
    assert answer.json() == {"user": "", "expires_in": None}
    assert "set-cookie" not in answer.headers


def test_credentials_in_a_header_come_before_the_cookie(secured):
    with secured.client() as client:
        client.post(LOGIN, json=ALICE, headers=CHANGING)
        wrong = {**CHANGING, "authorization": "Bearer wrong"}
        assert client.get("/runtime/queries", headers=wrong).status_code == 401


def test_a_cookie_of_another_installation_is_none():
    name = cookie_name("one")
    assert name != cookie_name("other")
    header = session_cookie(name, "ffs_x", 60.0, True)
    assert header.endswith("; Secure")
    assert token_in(f"{name}=ffs_x; other=1", name) == "ffs_x"
    for cookies in ("", "other=1", f"{name}=", "=;=", "x" * 10_000):
        assert token_in(cookies, name) is None
