"""The life of sessions, by a clock of our own."""

import pytest

from flightframe.wire import flight_sql_pb2 as sql
from flightframe_server.answer import Runtime
from flightframe_server.call_context import ANONYMOUS, Caller
from flightframe_server.catalog.limits import Limits
from flightframe_server.errors import LimitExceeded, NotSupported, TicketRefused
from flightframe_server.flight.session_options import NO_OPTIONS
from flightframe_server.flight.sessions import Sessions
from flightframe_server.statements.runner import Statements

QUICKLY = {"max_staleness": sql.SessionOptionValue(double_value=5)}
TOKEN = Caller("ann", b"a handshake")


def peer() -> str:
    return "ipv4:127.0.0.1:1"


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def sessions(now) -> Sessions:
    statements = Statements(Limits(sessions=3, sessions_per_caller=2, session_seconds=10))
    return Sessions(Runtime("shop", {}, statements), clock=lambda: now[0])


def test_a_token_is_a_session_without_a_cookie(sessions):
    errors, cookie = sessions.change(TOKEN, peer(), QUICKLY)
    assert (errors, cookie) == ({}, None)
    assert sessions.options(TOKEN, peer).max_staleness == 5
    # Another Handshake of the same user's, and another user who knows the session's name.
    for other in (Caller("ann", b"another"), Caller("bob", b"a handshake"), Caller("ann")):
        assert sessions.options(other, peer) is NO_OPTIONS


def test_a_session_lives_from_its_last_use_and_its_client_hears_of_the_end(sessions, now):
    sessions.change(TOKEN, peer(), QUICKLY)
    for _ in range(3):
        now[0] += 9.0
        assert sessions.options(TOKEN, peer).max_staleness == 5
    now[0] += 10.0
    for _ in range(2):
        with pytest.raises(TicketRefused, match="the session has ended"):
            sessions.options(TOKEN, peer)
    assert len(sessions) == 0
    sessions.change(TOKEN, peer(), {"max_staleness": sql.SessionOptionValue(double_value=6)})
    assert sessions.options(TOKEN, peer).max_staleness == 6


def test_an_end_that_comes_with_somebody_elses_session_is_heard_of_too(sessions, now):
    sessions.change(TOKEN, peer(), QUICKLY)
    now[0] = 10.0
    sessions.change(Caller("bob", b"b"), peer(), QUICKLY)
    with pytest.raises(TicketRefused, match="the session has ended"):
        sessions.options(TOKEN, peer)
    sessions.close(TOKEN, peer())
    assert sessions.options(TOKEN, peer) is NO_OPTIONS


def test_a_connection_is_owed_for_until_its_cookie_comes_back(sessions, now):
    _, cookie = sessions.change(ANONYMOUS, peer(), QUICKLY)
    assert cookie is not None
    with pytest.raises(NotSupported, match="options were set"):
        sessions.options(ANONYMOUS, peer)
    assert sessions.options(ANONYMOUS, lambda: "ipv4:127.0.0.1:2") is NO_OPTIONS
    assert sessions.options(Caller("", cookie), peer).max_staleness == 5
    # Whoever else comes over that connection, through a proxy, is not kept out any more.
    assert sessions.options(ANONYMOUS, peer) is NO_OPTIONS


def test_what_a_connection_owes_is_forgotten_with_the_session(sessions, now):
    sessions.change(ANONYMOUS, peer(), QUICKLY)
    now[0] = 10.0
    assert sessions.options(ANONYMOUS, peer) is NO_OPTIONS


def test_two_cookies_are_two_sessions(sessions):
    cookies = [sessions.change(ANONYMOUS, peer(), QUICKLY)[1] for _ in range(2)]
    assert len(set(cookies)) == len(sessions) == 2
    sessions.close(Caller("", cookies[0]), peer())
    assert sessions.options(Caller("", cookies[1]), peer).max_staleness == 5
    with pytest.raises(TicketRefused):
        sessions.options(Caller("", cookies[0]), peer)


def test_one_caller_cannot_take_all_sessions(sessions, now):
    for number in range(2):
        sessions.change(Caller("ann", b"%d" % number), peer(), QUICKLY)
    with pytest.raises(LimitExceeded, match="a caller has at most 2 sessions with options set"):
        sessions.change(Caller("ann", b"another"), peer(), QUICKLY)
    # What is held can be changed, and others are not in the way of it, nor it in theirs.
    sessions.change(Caller("ann", b"1"), peer(), {"no_cache": sql.SessionOptionValue()})
    sessions.change(Caller("bob", b"1"), peer(), QUICKLY)
    sessions.close(Caller("ann", b"0"), peer())
    sessions.change(Caller("ann", b"another"), peer(), QUICKLY)


def test_callers_without_a_name_are_told_apart_by_their_addresses(sessions, now):
    one, other = Caller("", peer="192.0.2.1"), Caller("", peer="192.0.2.2")
    for port in range(2):
        sessions.change(one, f"ipv4:192.0.2.1:{port}", QUICKLY)
    with pytest.raises(LimitExceeded, match="a caller has at most 2"):
        sessions.change(one, "ipv4:192.0.2.1:3", QUICKLY)
    assert sessions.change(other, "ipv4:192.0.2.2:1", QUICKLY)[1] is not None


def test_who_leaves_connections_owing_makes_the_server_forget_its_own(sessions, now):
    victim = Caller("", peer="192.0.2.2")
    sessions.change(victim, "ipv4:192.0.2.2:1", QUICKLY)
    for port in range(9):
        _, cookie = sessions.change(Caller("", peer="192.0.2.1"), f"ipv4:192.0.2.1:{port}", QUICKLY)
        sessions.close(Caller("", cookie, "192.0.2.1"), "ipv4:192.0.2.1:99")
    with pytest.raises(NotSupported, match="options were set"):
        sessions.options(victim, lambda: "ipv4:192.0.2.2:1")
