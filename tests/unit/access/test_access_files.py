"""The files of users and tokens: read, edited, and read again when they change."""

from __future__ import annotations

import datetime

import pytest
import structlog

from flightframe_server.access.editing import with_token, with_user
from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.reloading import Reloading
from flightframe_server.errors import CatalogError, SetupError

HASH = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
OTHER = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "B" * 43
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
DIGITS = "1" * 63 + "2"
USERS = f"# who may ask\nusers:\n  alice: {HASH}  # since May\n  'bob smith': {OTHER}\n"


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


class File:
    """A file that changes, by hand."""

    def __init__(self, text: str) -> None:
        self.text, self.sign, self.read = text, 0, 0
        self.now = 0.0

    def load(self) -> dict[str, str]:
        self.read += 1
        return dict(read_users(self.text))

    def write(self, text: str) -> None:
        self.text, self.sign = text, self.sign + 1


def followed(file: File) -> Reloading[dict[str, str]]:
    return Reloading(file.load, lambda: file.sign, {}, lambda: file.now)


def test_a_file_is_read_again_when_it_changed_and_not_before_a_second():
    file = File(USERS)
    value = followed(file)
    file.write("users: {}")
    assert "alice" in value()
    file.now = 1.0
    assert value() == {}
    for _ in range(5):
        file.now += 1.0
        value()
    assert file.read == 2


def test_a_mistake_in_an_edit_changes_nothing_and_is_told():
    file = File(USERS)
    value = followed(file)
    file.write("users: {alice: oops}")
    file.now = 1.0
    with structlog.testing.capture_logs() as logged:
        assert "alice" in value()
    (event,) = logged
    assert event["log_level"] == "error"
    assert "oops" not in str(event)
    file.write("users: {}")
    file.now = 2.0
    assert value() == {}


def test_a_file_that_is_gone_leaves_nobody_until_it_is_back():
    file = File(USERS)
    value = followed(file)
    file.sign, file.now = None, 1.0
    with structlog.testing.capture_logs() as logged:
        assert value() == {}
    assert [(event["event"], event["log_level"]) for event in logged] == [
        ("access.file_gone", "error")
    ]
    file.sign, file.now = 5, 2.0
    assert "alice" in value()


def test_a_file_that_is_wrong_to_begin_with_is_refused():
    with pytest.raises(CatalogError):
        followed(File("users: 5"))
