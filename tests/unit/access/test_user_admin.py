"""Users and tokens added to the texts of their files."""

from __future__ import annotations

import datetime

import pytest
from access_values import DIGEST, DIGITS, HASH, OTHER, USERS

from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.user_admin import with_token, with_user
from flightframe_server.errors import CatalogError, SetupError


def test_a_user_is_added_and_everything_else_left_alone():
    first = with_user("", "users.yaml", "alice", HASH)
    assert read_users(first) == {"alice": HASH}
    added = with_user(USERS, "users.yaml", 'zoë "z"', HASH)
    assert added.startswith(USERS)
    assert read_users(added) == {**read_users(USERS), 'zoë "z"': HASH}
    without_end = with_user(USERS.rstrip(), "users.yaml", "carol", HASH)
    assert read_users(without_end) == {**read_users(USERS), "carol": HASH}


def test_a_password_is_changed_where_it_stands():
    changed = with_user(USERS, "users.yaml", "bob smith", HASH)
    assert read_users(changed) == {"alice": HASH, "bob smith": HASH}
    assert changed.splitlines()[:3] == USERS.splitlines()[:3]


def test_other_indentations_are_kept():
    text = f"users:\n      alice: {HASH}\n"
    assert with_user(text, "u", "bob", OTHER).splitlines()[2].startswith('      "bob": ')
    flat = f'tokens:\n- {{user: a, sha256: "{DIGEST}"}}\n'
    added = with_token(flat, "t", "b", bytes.fromhex(DIGITS), None)
    assert added.splitlines()[2].startswith("- {")


@pytest.mark.parametrize(
    "text", [f"users: {{alice: {HASH!r}}}\n", f"users:\n  alice: {HASH}\n...\n", "users: {}\n"]
)
def test_a_form_that_no_line_can_be_added_to_is_left_alone(text):
    with pytest.raises(SetupError, match="one entry a line"):
        with_user(text, "users.yaml", "bob", HASH)


def test_a_bad_name_is_told_as_such():
    with pytest.raises(CatalogError, match="colon"):
        with_user(USERS, "users.yaml", "al:ice", HASH)


def test_tokens_are_added():
    digest, other = bytes.fromhex(DIGITS), bytes.fromhex(DIGEST)
    one = with_token("", "t", "grafana", digest, None)
    two = with_token(one, "t", "nightly", other, datetime.date(2027, 1, 31))
    found = read_tokens(two)
    assert found[digest].user == "grafana"
    assert (found[other].user, found[other].ends) == ("nightly", 1_801_440_000.0)
