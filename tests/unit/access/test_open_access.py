"""An `Access` opened from the settings of a manifest, and its files."""

from __future__ import annotations

import base64

import pytest
from access_values import cheap_hash

from flightframe_server.access.open_access import open_access, read_text
from flightframe_server.catalog import AuthSettings, ServerSettings
from flightframe_server.errors import CatalogError, NotAuthenticated, SetupError

CORRECT = cheap_hash("correct")
ALICE = ["Basic " + base64.b64encode(b"alice:correct").decode()]


def settings(**auth: object) -> ServerSettings:
    return ServerSettings(auth=AuthSettings(users="users.yaml", **auth))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "users.yaml").write_text(f"users:\n  alice: {CORRECT}\n")
    (tmp_path / "secret").write_bytes(bytes(range(32)))
    return tmp_path


def test_without_settings_there_is_nothing_to_check(tmp_path):
    access = open_access(ServerSettings(), tmp_path)
    assert (access.authenticator, access.tls, access.audit.on) == (None, None, False)


def test_the_users_of_the_file_are_let_in(folder):
    authenticator = open_access(settings(), folder).authenticator
    assert authenticator.authenticate(ALICE).user == "alice"
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate([])


def test_sessions_outlive_the_process_only_with_a_key_and_so_do_their_ends(folder):
    first = open_access(settings(signing_key="secret"), folder).authenticator
    tokens = [[f"Bearer {first.exchange(ALICE)}"] for _ in range(2)]
    assert first.end_session(tokens[0]) is not None
    second = open_access(settings(signing_key="secret"), folder).authenticator
    assert second.authenticate(tokens[1]).user == "alice"
    with pytest.raises(NotAuthenticated):
        second.authenticate(tokens[0])
    without_key = open_access(settings(), folder).authenticator
    with pytest.raises(NotAuthenticated):
        without_key.authenticate(tokens[1])
    assert (folder / "secret.ended").exists()


@pytest.mark.parametrize("key", ["no such file", "short"])
def test_a_bad_key_is_refused_without_a_path(folder, key):
    (folder / "short").write_bytes(b"x" * 31)
    with pytest.raises(SetupError) as caught:
        open_access(settings(signing_key=key), folder)
    assert str(folder) not in str(caught.value) + str(caught.value.hint)


def test_a_bad_file_of_users_is_refused(folder):
    (folder / "users.yaml").write_text("users: {alice: hunter2}")
    with pytest.raises(CatalogError) as caught:
        open_access(settings(), folder)
    assert "hunter2" not in str(caught.value)


def test_a_text_is_read_or_refused_without_a_path(folder):
    assert read_text(folder / "users.yaml").startswith("users:")
    (folder / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing.yaml", "binary"):
        with pytest.raises(SetupError) as caught:
            read_text(folder / name)
        assert name in caught.value.message
        assert str(folder) not in str(caught.value)
