"""The files of users and tokens as they are read."""

from __future__ import annotations

import pytest
from access_values import DIGEST, DIGITS, HASH, OTHER, USERS

from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.errors import CatalogError


def test_users():
    assert read_users(USERS) == {"alice": HASH, "bob smith": OTHER}
    assert read_users("users: {}") == {}


def test_tokens_and_their_last_day():
    text = f"""
tokens:
  - {{user: grafana, sha256: "{DIGEST}", expires: 2027-01-31}}
  - {{user: nightly, sha256: "{DIGITS}"}}
"""
    found = read_tokens(text)
    grafana, nightly = found[bytes.fromhex(DIGEST)], found[bytes.fromhex(DIGITS)]
    # The whole of the last day, in UTC: until 2027-02-01 00:00, 1801440000 by `date -u +%s`.
    assert (grafana.user, grafana.ends) == ("grafana", 1_801_440_000.0)
    assert (nightly.user, nightly.ends) == ("nightly", None)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("user: {}", 1, "unknown key 'user'"),
        ("users: [alice]", 1, "expected a mapping"),
        ("users:\n  alice: hunter2", 2, "expected a hash as `flightframe user add` writes it"),
        ("users:\n  alice: 5", 2, "expected text, found a number"),
        (f"users:\n  'al:ice': {HASH}", 2, "a user name holds no colon"),
        (f"users:\n  '': {HASH}", 2, "a name must not be empty"),
        (f"users:\n  alice: {HASH}\n  alice: {HASH}", 3, "alice"),
    ],
)
def test_a_broken_file_of_users(text, line, message):
    with pytest.raises(CatalogError) as caught:
        read_users(text, "who.yaml")
    assert caught.value.line == line
    assert message in caught.value.message
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("tokens: {}", 1, "expected a list"),
        ("tokens:\n  - {user: a, sha256: secret}", 2, "expected a hash as `flightframe token new`"),
        ("tokens:\n  - {user: a}", 2, "'sha256' is missing"),
        (f'tokens:\n  - {{user: a, sha256: "{DIGEST}", expires: soon}}', 2, "expected a date"),
        (f'tokens:\n  - {{user: a, sha256: "{DIGEST}", expiry: 1}}', 2, "unknown key 'expiry'"),
        (
            f'tokens:\n  - {{user: a, sha256: "{DIGEST}"}}\n  - {{user: b, sha256: "{DIGEST}"}}',
            3,
            "twice",
        ),
    ],
)
def test_a_broken_file_of_tokens(text, line, message):
    with pytest.raises(CatalogError) as caught:
        read_tokens(text, "tokens.yaml")
    assert caught.value.line == line
    assert message in caught.value.message
    assert "secret" not in str(caught.value)
