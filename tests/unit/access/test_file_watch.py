"""A value that follows its file: read again when it changes, kept when it breaks."""

from __future__ import annotations

import pytest
import structlog
from access_values import USERS

from flightframe_server.access.file_watch import WatchedFile
from flightframe_server.access.files import read_users
from flightframe_server.errors import CatalogError


class File:
    """A file that changes, by hand."""

    def __init__(self, text: str) -> None:
        self.text, self.stamp, self.read = text, 0, 0
        self.now = 0.0

    def load(self) -> dict[str, str]:
        self.read += 1
        return dict(read_users(self.text))

    def write(self, text: str) -> None:
        self.text, self.stamp = text, self.stamp + 1


def watched(file: File) -> WatchedFile[dict[str, str]]:
    return WatchedFile(file.load, lambda: file.stamp, {}, lambda: file.now)


def test_a_file_is_read_again_when_it_changed_and_not_before_a_second():
    file = File(USERS)
    value = watched(file)
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
    value = watched(file)
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
    value = watched(file)
    file.stamp, file.now = None, 1.0
    with structlog.testing.capture_logs() as logged:
        assert value() == {}
    assert [(event["event"], event["log_level"]) for event in logged] == [
        ("access.file_removed", "error")
    ]
    file.stamp, file.now = 5, 2.0
    assert "alice" in value()


def test_a_file_that_is_wrong_to_begin_with_is_refused():
    with pytest.raises(CatalogError):
        watched(File("users: 5"))
