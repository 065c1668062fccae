"""The rules of authentication: which credentials are valid, as whom, and until when."""

from __future__ import annotations

import base64
import threading

import pytest
import structlog
from access_values import cheap_hash

from flightframe_server.access.authenticate import ANONYMOUS_TOKEN, Authenticator
from flightframe_server.access.rate_limit import Bucket, RateLimiter, RateLimits
from flightframe_server.access.tokens import LastingToken, SessionTokens, digest_of
from flightframe_server.errors import NotAuthenticated, TooManyAttempts

LASTING = "fft_" + "a" * 43
EXPIRING = "fft_" + "b" * 43
PEER = "192.0.2.1"


ALICE, BOB = cheap_hash("correct"), cheap_hash("pässword")


def basic(user: str, password: str) -> list[str]:
    return ["Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()]


def bearer(token: str) -> list[str]:
    return [f"Bearer {token}"]


class World:
    """An authenticator, and everything that it learns from outside, to be changed by hand."""

    def __init__(self, *, anonymous: bool = False, limits: RateLimits | None = None) -> None:
        self.now = 1_000_000.0
        self.users = {"alice": ALICE, "bob": BOB}
        self.tokens = {
            digest_of(LASTING): LastingToken("grafana", digest_of(LASTING)),
            digest_of(EXPIRING): LastingToken("nightly", digest_of(EXPIRING), 1_000_100.0),
        }
        self.ended: list[bytes] = []
        self.authenticator = Authenticator(
            lambda: self.users,
            lambda: self.tokens,
            SessionTokens(bytes(range(32)), 60, lambda: self.now),
            anonymous=anonymous,
            limiter=RateLimiter(limits) if limits is not None else None,
            clock=lambda: self.now,
        )
        self.authenticator.on_session_end(self.ended.append)

    def user(self, header: list[str]) -> str:
        caller = self.authenticator.authenticate(header, PEER)
        assert caller.peer == PEER
        return caller.user

    def refusal(self, header: list[str]) -> str:
        with pytest.raises(NotAuthenticated) as caught:
            self.authenticator.authenticate(header, PEER)
        return caught.value.message


@pytest.fixture
def world() -> World:
    return World()


def test_a_password_and_a_lasting_token_name_their_users(world):
    assert world.user(basic("alice", "correct")) == "alice"
    assert world.user(basic("bob", "pässword")) == "bob"
    assert world.user(bearer(LASTING)) == "grafana"


def test_every_wrong_password_is_one_refusal(world):
    refusals = {
        world.refusal(basic(user, password))
        for user, password in [
            ("alice", "wrong"),
            ("alice", ""),
            ("alice", "pässword"),
            ("Alice", "correct"),
            ("mallory", "correct"),
            ("", ""),
        ]
    }
    assert refusals == {"the user name or the password is wrong"}


@pytest.mark.parametrize("token", ["fft_unknown", "ffs_forged", "ffp_unknown", "x", "anonymous"])
def test_every_wrong_token_is_one_refusal(world, token):
    assert world.refusal(bearer(token)) == "the token is unknown or no longer good"


def test_without_credentials_only_an_open_server_lets_a_call_in(world):
    assert world.refusal([]) == "this server asks for credentials"
    open_to_all = World(anonymous=True)
    assert open_to_all.user([]) == ""
    assert open_to_all.user(bearer(ANONYMOUS_TOKEN)) == ""
    # Wrong credentials are no missing ones.
    assert open_to_all.refusal(basic("alice", "wrong")) != ""
    assert open_to_all.refusal(bearer("fft_unknown")) != ""
    assert open_to_all.user(basic("alice", "correct")) == "alice"


def test_a_header_that_cannot_be_read_is_refused_even_by_an_open_server(world):
    for header in (["Digest x"], ["Basic !"], ["Basic YTpi", "Basic YTpi"]):
        for each in (world, World(anonymous=True)):
            assert each.refusal(header) == "the authorization header cannot be read"


def test_a_lasting_token_expires_and_goes_with_its_file(world):
    assert world.user(bearer(EXPIRING)) == "nightly"
    world.now = 1_000_100.0
    assert world.refusal(bearer(EXPIRING)) == "the token is unknown or no longer good"
    assert world.user(bearer(LASTING)) == "grafana"
    world.tokens = {}
    assert world.refusal(bearer(LASTING)) == "the token is unknown or no longer good"


def test_a_password_is_exchanged_for_a_session_of_its_user(world):
    token = world.authenticator.exchange(basic("alice", "correct"))
    assert token.startswith("ffs_")
    assert world.user(bearer(token)) == "alice"
    other = world.authenticator.exchange(basic("alice", "correct"))
    sessions = {world.authenticator.authenticate(bearer(each)).session for each in (token, other)}
    assert len(sessions) == 2


@pytest.mark.parametrize("header", [basic("alice", "wrong"), bearer("fft_unknown"), []])
def test_an_exchange_refuses_what_a_call_refuses(world, header):
    with pytest.raises(NotAuthenticated):
        world.authenticator.exchange(header)


def test_a_token_is_exchanged_for_itself(world):
    session = world.authenticator.exchange(basic("alice", "correct"))
    assert world.authenticator.exchange(bearer(session)) == session
    assert world.authenticator.exchange(bearer(LASTING)) == LASTING
    assert World(anonymous=True).authenticator.exchange([]) == ANONYMOUS_TOKEN


def test_a_session_ends_with_its_time_its_password_and_its_user(world):
    token = bearer(world.authenticator.exchange(basic("alice", "correct")))
    world.now += 59
    assert world.user(token) == "alice"
    world.users = {"alice": cheap_hash("correct"), "bob": BOB}
    world.refusal(token)
    world.users = {"bob": BOB}
    world.refusal(token)
    world.users = {"alice": ALICE, "bob": BOB}
    assert world.user(token) == "alice"
    world.now += 1
    world.refusal(token)


def test_a_session_that_its_user_ends_is_over_and_the_others_are_not(world):
    first, second = (world.authenticator.exchange(basic("alice", "correct")) for _ in range(2))
    session = world.authenticator.authenticate(bearer(first)).session
    assert world.authenticator.end_session(bearer(first)) == session
    assert world.ended == [session]
    world.refusal(bearer(first))
    assert world.user(bearer(second)) == "alice"
    assert world.user(basic("alice", "correct")) == "alice"


@pytest.mark.parametrize(
    "header",
    [[], basic("alice", "correct"), bearer(LASTING), bearer("ffs_forged"), ["Digest x"]],
)
def test_what_is_no_session_is_not_ended(world, header):
    assert world.authenticator.end_session(header) is None
    assert world.ended == []
    assert world.user(bearer(LASTING)) == "grafana"
    assert world.user(basic("alice", "correct")) == "alice"


@pytest.fixture
def guessed() -> World:
    """A server whose Handshakes have used up the guesses of alice: one of each name passes."""
    world = World(limits=RateLimits(per_name=Bucket(1, 1e6), per_peer=Bucket(100, 1e6)))
    with pytest.raises(NotAuthenticated):
        world.authenticator.exchange(basic("alice", "wrong"))
    return world


def test_guesses_of_others_do_not_shut_a_handshake_out(guessed):
    token = guessed.authenticator.exchange(basic("alice", "correct"))
    assert token.startswith("ffp_")
    # The call that brings it is counted by its own peer.
    assert guessed.user(bearer(token)) == "alice"
    assert guessed.user(bearer(token)) == "alice"
    assert guessed.authenticator.exchange(bearer(token)) == token


def test_guesses_by_handshake_are_not_those_of_calls_without_a_peer(guessed):
    assert guessed.authenticator.authenticate(basic("alice", "correct")).user == "alice"


def test_a_pending_token_is_no_faster_way_to_guess(guessed):
    tokens = [guessed.authenticator.exchange(basic("alice", f"guess {n}")) for n in range(3)]
    guessed.refusal(bearer(tokens[0]))
    for token in tokens:
        with pytest.raises(TooManyAttempts):
            guessed.authenticator.authenticate(bearer(token), PEER)


def test_a_pending_session_ends_with_its_password_and_when_its_user_ends_it(guessed):
    token = bearer(guessed.authenticator.exchange(basic("alice", "correct")))
    session = guessed.authenticator.authenticate(token, PEER).session
    guessed.users = {"alice": cheap_hash("another")}
    guessed.refusal(token)
    guessed.users = {"alice": ALICE}
    assert guessed.user(token) == "alice"
    assert guessed.authenticator.end_session(token) == session
    assert guessed.ended == [session]
    guessed.refusal(token)


def test_only_passwords_and_pending_tokens_depend_on_the_peer(world):
    needs_peer = world.authenticator.needs_peer
    assert needs_peer(basic("alice", "correct"))
    assert needs_peer(bearer("ffp_x"))
    assert not needs_peer(bearer(LASTING))
    assert not needs_peer([])
    with pytest.raises(NotAuthenticated):
        needs_peer(["Digest x"])


def test_a_refusal_comes_from_the_future_and_is_logged_without_an_unknown_name(world):
    with structlog.testing.capture_logs() as logged:
        futures = [
            world.authenticator.begin(header, PEER)
            for header in (basic("alice", "wrong"), basic("hunter2", "x"), bearer("fft_unknown"))
        ]
        for future in futures:
            assert isinstance(future.exception(30), NotAuthenticated)
        done = threading.Event()
        futures[-1].add_done_callback(lambda _: done.set())
        assert done.wait(30)
    refused = [event for event in logged if event["event"] == "access.refused"]
    assert sorted(str(event["user"]) for event in refused) == ["None", "None", "alice"]
    assert {event["peer"] for event in refused} == {PEER}
    assert "hunter2" not in str(logged)
    assert "wrong" not in str(logged)


def test_a_claimed_user_is_named_only_where_there_is_one(world):
    claimed = world.authenticator.claimed_user
    assert claimed(basic("alice", "wrong")) == "alice"
    assert claimed(basic("hunter2", "x")) is None
    assert claimed(bearer(LASTING)) is None
    assert claimed(["Digest x"]) is None
