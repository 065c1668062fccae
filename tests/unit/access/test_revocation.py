"""Sessions ended before their time: remembered as long as their tokens would be good."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flightframe_server.access import revocation, revocation_file
from flightframe_server.access.revocation import MAX_PER_USER, RevokedSessions
from flightframe_server.access.revocation_file import Revocation, RevocationFile


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_a_session_has_ended_for_its_user_and_no_other():
    sessions = RevokedSessions(clock=lambda: 100.0)
    sessions.revoke("alice", name(1), 200.0)
    assert sessions.is_revoked("alice", name(1), 200.0)
    assert not sessions.is_revoked("alice", name(2), 200.0)
    assert not sessions.is_revoked("bob", name(1), 200.0)


def test_whoever_ends_more_than_the_bound_ends_own_older_ones_and_no_ended_one_is_forgotten():
    sessions = RevokedSessions(clock=lambda: 0.0)
    count = 3 * MAX_PER_USER
    for number in range(1, count):
        sessions.revoke("alice", name(number), 1000.0 + number)
    sessions.revoke("bob", name(1), 1000.0)
    assert all(sessions.is_revoked("alice", name(n), 1000.0 + n) for n in range(1, count))
    assert len(sessions._by_user["alice"].sessions) <= MAX_PER_USER
    # Of alice's own, the oldest have ended with them; the newest, and those of others, have not.
    assert sessions.is_revoked("alice", name(9999), 1000.5)
    assert not sessions.is_revoked("alice", name(9999), 1000.0 + count)
    assert not sessions.is_revoked("bob", name(9999), 1000.5)


def test_what_is_over_by_itself_makes_room():
    now = [0.0]
    sessions = RevokedSessions(clock=lambda: now[0])
    for number in range(MAX_PER_USER):
        sessions.revoke("alice", name(number), 10.0)
    now[0] = 20.0
    sessions.revoke("alice", name(5000), 30.0)
    assert len(sessions._by_user["alice"].sessions) == 1
    assert not sessions.is_revoked("alice", name(6000), 25.0)


def test_a_file_keeps_them_over_a_restart_and_for_those_that_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(revocation, "CHECK_SECONDS", 0.0)
    file = tmp_path / "key.bin.ended"
    first, beside = RevokedSessions(file, lambda: 0.0), RevokedSessions(file, lambda: 0.0)
    assert not beside.is_revoked("älice", name(1), 50.0)
    first.revoke("älice", name(1), 50.0)
    assert beside.is_revoked("älice", name(1), 50.0)
    beside.revoke("bob", name(2), 50.0)
    assert first.is_revoked("bob", name(2), 50.0)
    assert RevokedSessions(file, lambda: 0.0).is_revoked("älice", name(1), 50.0)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_broken_file_ends_nobody_and_stops_nobody(tmp_path: Path):
    file = tmp_path / "key.bin.ended"
    file.write_bytes(b"\xff not ours\n50 " + name(1).hex().encode() + b" " + b"bob".hex().encode())
    sessions = RevokedSessions(file, lambda: 0.0)
    assert not sessions.is_revoked("bob", name(1), 50.0)
    sessions.revoke("bob", name(2), 50.0)
    assert sessions.is_revoked("bob", name(2), 50.0)


def test_where_it_cannot_be_written_the_session_has_ended_here(tmp_path: Path):
    sessions = RevokedSessions(tmp_path / "no folder" / "key.ended", lambda: 0.0)
    sessions.revoke("alice", name(1), 50.0)
    assert sessions.is_revoked("alice", name(1), 50.0)


def test_a_file_is_rewritten_without_what_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(revocation, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(revocation_file, "COMPACTED_BYTES", 1000)
    now = [0.0]
    file = tmp_path / "key.bin.ended"
    first, beside = (RevokedSessions(file, lambda: now[0]) for _ in range(2))
    first.revoke("alice", name(0), 10_000.0)
    assert beside.is_revoked("alice", name(0), 10_000.0)
    for number in range(1, 200):
        now[0] = 10.0 * number
        one, other = (first, beside) if number % 2 else (beside, first)
        one.revoke("alice", name(number), now[0] + 15.0)
        # Both know it, whichever of them rewrote the file in between.
        assert other.is_revoked("alice", name(number), now[0] + 15.0)
        assert other.is_revoked("alice", name(0), 10_000.0)
    # Two hundred lines of fifty bytes were written; few of them are valid at any time.
    assert file.stat().st_size < 2500
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    again = RevokedSessions(file, lambda: now[0])
    assert again.is_revoked("alice", name(0), 10_000.0)
    assert again.is_revoked("alice", name(199), now[0] + 15.0)


def test_servers_that_share_a_file_lose_no_revocation_while_it_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(revocation_file, "COMPACTED_BYTES", 500)
    file = tmp_path / "key.bin.ended"

    def end_sessions(server: int) -> None:
        # Every second line has expired when it is written, so that there is much to leave out.
        own = RevocationFile(file)
        for number in range(100):
            own.append(Revocation(f"user {server}", name(number), 1.0 + number % 2), now=1.5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end_sessions, range(4)))
    lasting = {
        (f"user {server}", name(number)) for server in range(4) for number in range(1, 100, 2)
    }
    written = [Revocation.of_line(line) for line in file.read_bytes().splitlines()]
    assert {(one.user, one.session) for one in written if one.ends > 1.5} == lasting
    assert len(written) < 400
