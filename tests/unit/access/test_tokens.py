"""Tokens: what is signed is read back; what was touched, is over, or lost its proof is not."""

import base64
import re

import pytest
from access_values import Clock

from flightframe_server.access.tokens import (
    LastingToken,
    Session,
    SessionTokens,
    digest_of,
    find_lasting,
    new_lasting_token,
)

KEY = bytes(range(32))
PROOFS = {"alice": "hash of alice", "bob": "hash of bob", "zoë": "z"}


@pytest.fixture
def tokens(clock: Clock) -> SessionTokens:
    return SessionTokens(KEY, 60, clock)


@pytest.mark.parametrize("user", PROOFS)
def test_a_token_names_its_user_and_a_session_of_its_own(tokens, user):
    first, second = (tokens.issue(user, PROOFS[user]) for _ in range(2))
    found = tokens.read(first, PROOFS.get)
    assert isinstance(found, Session)
    assert (found.user, len(found.session)) == (user, 16)
    assert tokens.read(second, PROOFS.get).session != found.session
    # What HTTP and gRPC carry in a header as it is.
    assert re.fullmatch(r"ffs_[A-Za-z0-9_-]+", first)


def test_a_token_ends_with_its_time(tokens, clock):
    token = tokens.issue("alice", PROOFS["alice"])
    clock.now += 59
    assert tokens.read(token, PROOFS.get) is not None
    clock.now += 1
    assert tokens.read(token, PROOFS.get) is None


def test_a_token_ends_with_the_password_and_with_the_user(tokens):
    token = tokens.issue("alice", PROOFS["alice"])
    assert tokens.read(token, {**PROOFS, "alice": "another hash"}.get) is None
    assert tokens.read(token, {"bob": "hash of bob"}.get) is None
    assert tokens.read(token, PROOFS.get) is not None


def test_every_bit_of_a_token_counts(tokens):
    token = tokens.issue("alice", PROOFS["alice"])
    signed = base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4))
    for bit in range(len(signed) * 8):
        spoilt = bytearray(signed)
        spoilt[bit // 8] ^= 1 << bit % 8
        forged = "ffs_" + base64.urlsafe_b64encode(spoilt).decode().rstrip("=")
        assert tokens.read(forged, PROOFS.get) is None, bit


def test_a_name_cannot_be_put_in_the_place_of_another(tokens):
    # The user stands last in what is signed: bytes moved between name and signature must not do.
    token = tokens.issue("alice", "the same")
    signed = base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4))
    for forged in (signed[:-1], signed + b"x", signed.replace(b"alice", b"bob"), signed[:24]):
        text = "ffs_" + base64.urlsafe_b64encode(forged).decode().rstrip("=")
        assert tokens.read(text, lambda user: "the same") is None


def test_another_key_reads_nothing(tokens, clock):
    token = tokens.issue("alice", PROOFS["alice"])
    assert SessionTokens(KEY[::-1], 60, clock).read(token, PROOFS.get) is None
    assert SessionTokens(KEY, 60, clock).read(token, PROOFS.get) is not None


@pytest.mark.parametrize("token", ["", "ffs_", "ffs_!", "ffs_AAAA", "ffs_" + "A" * 96, "ffs_é"])
def test_what_is_no_token(tokens, token):
    assert tokens.read(token, PROOFS.get) is None


def test_a_lasting_token_is_found_by_its_hash_until_it_ends():
    token = new_lasting_token()
    # SHA-256 of "abc", FIPS 180-2.
    assert digest_of("abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    known = {digest_of(token): LastingToken("grafana", digest_of(token), 100.0)}
    assert find_lasting(token, known, 99.9).user == "grafana"
    assert find_lasting(token, known, 100.0) is None
    assert find_lasting(token[:-1], known, 0.0) is None
    assert find_lasting("", known, 0.0) is None
    assert token not in repr(known)
    assert digest_of(token).hex() not in repr(known[digest_of(token)])


def test_lasting_tokens_are_random():
    made = {new_lasting_token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"fft_[A-Za-z0-9_-]{43}", token) for token in made)
