"""An answer is held for its time after its last use, and a FlightInfo never promises less."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow import flight

from flightframe_server.answer import Answer
from flightframe_server.call_context import ANONYMOUS, Caller
from flightframe_server.errors import LimitExceeded, TicketRefused
from flightframe_server.flight.handles import Bounds, Handles
from flightframe_server.flight.result_handles import ResultHandles
from flightframe_server.provenance import Provenance, ServedFrom

TABLE = pa.table({"x": [1]})
COMMAND = flight.FlightDescriptor.for_command(b"q")


def answered(*, hot: bool) -> Answer:
    provenance = Provenance(ServedFrom.ENGINE_CACHE, "id", "shop")
    state = ("shop", 0, ()) if hot else None
    return Answer(TABLE.schema, provenance, TABLE, state=state)


def test_renewing_holds_an_answer_beyond_its_time():
    now = [0.0]
    results = ResultHandles(Bounds(10, 1 << 20, 10.0), lambda: now[0])
    handle = results.hold(answered(hot=False), ANONYMOUS).handle
    for _ in range(5):
        now[0] += 9.0
        assert results.find(handle, ANONYMOUS).answer.rows == 1
    now[0] += 10.0
    with pytest.raises(TicketRefused):
        results.find(handle, ANONYMOUS)


def test_renewing_does_not_make_an_answer_the_first_to_go():
    results = ResultHandles(Bounds(2, 1 << 20, 10.0))
    kept = results.hold(answered(hot=False), ANONYMOUS).handle
    other = results.hold(answered(hot=False), ANONYMOUS).handle
    results.find(kept, ANONYMOUS)
    results.hold(answered(hot=False), ANONYMOUS)
    assert results.find(kept, ANONYMOUS)
    with pytest.raises(TicketRefused):
        results.find(other, ANONYMOUS)


def test_the_flight_info_of_a_hot_answer_is_made_anew_before_half_its_time_is_over():
    now, hot = [0.0], answered(hot=True)
    results = ResultHandles(Bounds(10, 1 << 20, 10.0), lambda: now[0])

    def info() -> flight.FlightInfo:
        return results.hold(hot, ANONYMOUS).info(COMMAND, b"q", flight_sql=False)

    first = info()
    (endpoint,) = first.endpoints
    left = endpoint.expiration_time.as_py() - datetime.now(UTC)
    assert timedelta(seconds=9) < left <= timedelta(seconds=10)
    now[0] = 4.9
    assert info() is first
    now[0] = 5.0
    again = info()
    assert again is not first
    assert again.endpoints[0].ticket == endpoint.ticket
    assert again.endpoints[0].expiration_time.as_py() > endpoint.expiration_time.as_py()


def test_a_session_cannot_push_out_what_others_hold():
    results = ResultHandles(Bounds(100, 1 << 20, 60.0, of_one=2))
    one, other = Caller("ann", b"1"), Caller("bob", b"2")
    mine = results.hold(answered(hot=False), one).handle
    theirs = [results.hold(answered(hot=False), other).handle for _ in range(5)]
    assert results.find(mine, one)
    held = [len(results) == 3, *(handle in results._handles._entries for handle in theirs)]
    assert held == [True, False, False, False, True, True]


def test_nobody_in_particular_is_bounded_only_with_all():
    results = ResultHandles(Bounds(4, 1 << 20, 60.0, of_one=2))
    for _ in range(9):
        results.hold(answered(hot=False), ANONYMOUS)
    assert len(results) == 4


def test_a_holder_is_refused_one_more_until_it_lets_go_or_time_does():
    now = [0.0]
    held: Handles[int] = Handles(Bounds(100, 1 << 20, 10.0, 2, refuses=True), lambda: now[0])
    first = held.keep(1, 0, "ann", b"s")
    held.keep(2, 0, "ann", b"s")
    with pytest.raises(LimitExceeded, match="a session holds at most 2 of these"):
        held.keep(3, 0, "ann", b"s")
    assert held.replace(first, 11, 0, "ann")
    held.keep(3, 0, "ann", b"other")
    held.drop(first, "ann")
    held.keep(4, 0, "ann", b"s")
    now[0] = 10.0
    held.keep(5, 0, "ann", b"s")
    assert len(held) == 1


def shares(count: int, size: int, **more: object) -> Handles[int]:
    bounds = Bounds(count, size, 60.0, of_caller=count // 2, bytes_of_caller=size // 2, **more)
    return Handles(bounds)


def test_one_caller_cannot_push_out_what_another_holds():
    held = shares(8, 1 << 20)
    mine = [held.keep(number, 0, "ann", None, "user ann") for number in range(3)]
    theirs = [held.keep(number, 0, "bob", None, f"session {number}") for number in range(3)]
    for number in range(50):
        held.keep(number, 0, "bob", None, "user bob")
    # Four are the share of one; but six of all eight were others' before.
    assert [held.get(handle, "ann") for handle in mine] == [0, 1, 2]
    assert [held.get(handle, "bob") for handle in theirs] == [0, 1, 2]
    assert len(held) == 8


def test_one_caller_has_its_share_of_bytes_alone():
    held = shares(100, 100_000)
    mine = held.keep(1, 30_000, "ann", None, "user ann")
    for number in range(20):
        held.keep(number, 20_000, "bob", None, "user bob")
    assert held.get(mine, "ann") == 1
    # 50,000 bytes of 22,048 each are two.
    assert len(held) == 3
    huge = held.keep(5, 500_000, "bob", None, "user bob")
    assert (held.get(huge, "bob"), held.get(mine, "ann"), len(held)) == (5, 1, 2)
    held.drop(huge, "bob")
    held.drop(mine, "ann")
    assert (len(held), held.held_bytes, held._of_caller, held._of_holder) == (0, 0, {}, {})


def test_a_share_that_refuses_lets_nothing_go():
    held = shares(4, 100_000, refuses=True)
    first = held.keep(1, 0, "ann", None, "user ann")
    held.keep(2, 0, "ann", None, "user ann")
    with pytest.raises(LimitExceeded, match="a caller holds at most 2 of these and 50,000 bytes"):
        held.keep(3, 0, "ann", None, "user ann")
    with pytest.raises(LimitExceeded):
        held.replace(first, 11, 60_000, "ann")
    assert (held.get(first, "ann"), len(held)) == (1, 2)
    assert held.replace(first, 11, 40_000, "ann")
    assert held.get(first, "ann") == 11
