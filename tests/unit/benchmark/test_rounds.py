"""Clients are processes that check before they are timed."""

import duckdb
import pytest

from flightframe_server.benchmark.processes import cpu_seconds, peak_bytes, running
from flightframe_server.benchmark.rounds import in_turns
from flightframe_server.benchmark.targets import Target, Way, digest
from flightframe_server.errors import SetupError


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "some.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS x")
    return Target(Way.IN_PROCESS, str(file), ("SELECT x FROM t", "SELECT x + 1 FROM t"))


@pytest.mark.slow
def test_each_side_is_asked_in_each_round_by_each_client(target):
    expected = [digest(duckdb.sql(f"SELECT {n}").to_arrow_table()) for n in (42, 43)]
    sides = {"one": target, "other": target}
    times = in_turns(sides, {}, expected, clients=2, rounds=2, seconds=0.01)
    assert {name: len(rounds) for name, rounds in times.items()} == {"one": 2, "other": 2}
    for rounds in times.values():
        for one in rounds:
            assert len(one.nanoseconds) >= 2
            assert one.server_cpu_seconds is None
            assert one.client_cpu_seconds > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "message"),
    [("SELECT x + 1 FROM t", "the values differ"), ("SELECT y FROM t", "y")],
)
def test_who_answers_otherwise_is_never_timed(target, question, message):
    wrong = Target(target.way, target.address, (question,))
    with pytest.raises(SetupError, match=message):
        in_turns({"one": wrong}, {}, [[1, [["42"]]]], clients=1, rounds=1, seconds=0.01)


@pytest.mark.slow
def test_a_process_that_ends_or_is_not_there_is_told():
    with pytest.raises(SetupError, match="ended before it was ready"), running(["true"]):
        pass
    with pytest.raises(SetupError, match="cannot be started"), running(["/no/such/program"]):
        pass
    with running(["sh", "-c", "echo ready; sleep 60"]) as found:
        assert found.line == "ready"
        assert cpu_seconds(found.pid) >= 0
        assert peak_bytes(found.pid) > 0
    assert cpu_seconds(found.pid) is None
    assert peak_bytes(found.pid) is None
