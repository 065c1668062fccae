"""Pending tokens: a claim until it is confirmed, a session from then on, and never for ever."""

from __future__ import annotations

import re

import pytest
from access_values import Clock

from flightframe_server.access.pending_tokens import (
    MAX_CONFIRMED,
    MAX_OPEN,
    OPEN_SECONDS,
    PendingTokens,
)


@pytest.fixture
def tokens(clock: Clock) -> PendingTokens:
    return PendingTokens(3600.0, clock)


def test_a_token_stands_for_what_was_claimed_and_shows_none_of_it(tokens):
    token = tokens.issue("alice", "hunter2")
    claim = tokens.find(token)
    assert (claim.user, claim.password, claim.proof) == ("alice", "hunter2", None)
    assert re.fullmatch(r"ffp_[A-Za-z0-9_-]{22}", token)
    assert "hunter2" not in repr(claim)
    assert tokens.find(token[:-1]) is None


def test_two_tokens_for_one_claim_are_two_sessions(tokens):
    first, second = (tokens.issue("alice", "hunter2") for _ in range(2))
    assert first != second
    assert tokens.find(first).session != tokens.find(second).session


def test_an_unconfirmed_token_expires_after_a_minute(tokens, clock):
    token = tokens.issue("alice", "hunter2")
    clock.now += OPEN_SECONDS - 0.1
    assert tokens.find(token) is not None
    clock.now += 0.1
    assert tokens.find(token) is None


def test_a_confirmed_token_forgets_its_password_and_lives_as_long_as_a_session(tokens, clock):
    token = tokens.issue("alice", "hunter2")
    session = tokens.find(token).session
    clock.now += 30.0
    tokens.confirm(token, "the stored hash")
    clock.now += 3599.0
    claim = tokens.find(token)
    assert (claim.user, claim.password, claim.proof) == ("alice", None, "the stored hash")
    assert claim.session == session
    clock.now += 1.0
    assert tokens.find(token) is None


def test_a_token_confirmed_twice_keeps_its_first_end(tokens, clock):
    token = tokens.issue("alice", "hunter2")
    tokens.confirm(token, "the stored hash")
    clock.now += 3000.0
    tokens.confirm(token, "the stored hash")
    clock.now += 600.0
    assert tokens.find(token) is None


def test_an_unknown_token_is_not_confirmed(tokens):
    tokens.confirm("ffp_unknown", "the stored hash")
    assert tokens.find("ffp_unknown") is None


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_discarded_token_is_unknown(tokens, confirmed):
    token = tokens.issue("alice", "hunter2")
    if confirmed:
        tokens.confirm(token, "the stored hash")
    tokens.discard(token)
    assert tokens.find(token) is None


def test_a_flood_of_claims_drops_the_oldest_ones_and_no_confirmed_one(tokens):
    kept = tokens.issue("alice", "hunter2")
    tokens.confirm(kept, "the stored hash")
    first, second = tokens.issue("bob", "1"), tokens.issue("bob", "2")
    for number in range(MAX_OPEN - 1):
        tokens.issue("mallory", str(number))
    assert tokens.find(first) is None
    assert tokens.find(second) is not None
    assert tokens.find(kept) is not None


def test_confirmed_tokens_are_bounded_too(tokens):
    issued = [tokens.issue("alice", "hunter2")]
    tokens.confirm(issued[0], "the stored hash")
    for _ in range(MAX_CONFIRMED):
        issued.append(tokens.issue("alice", "hunter2"))
        tokens.confirm(issued[-1], "the stored hash")
    assert tokens.find(issued[0]) is None
    assert tokens.find(issued[1]) is not None
