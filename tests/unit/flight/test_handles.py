"""A handle is good for its owner, until its time is over, as it was made; and for nobody else."""

import pytest

from flightframe_server.flight.handles import HANDLE_BYTES, LIFE_SECONDS, Bounds, Handles

BOUNDS = Bounds(1000, 1 << 30, 60.0)


def test_a_handle_is_good_for_its_owner_alone():
    held: Handles[str] = Handles(BOUNDS)
    handle = held.keep("value", 0, "alice")
    assert held.get(handle, "alice") == "value"
    assert [held.get(handle, other) for other in ("bob", "", "Alice")] == [None, None, None]
    assert not held.replace(handle, "another", 0, "bob")
    held.drop(handle, "bob")
    assert held.get(handle, "alice") == "value"


def test_a_handle_of_another_store_is_none():
    handle = Handles[str](BOUNDS).keep("value", 0, "alice")
    assert Handles[str](BOUNDS).get(handle, "alice") is None


@pytest.mark.parametrize("at", range(HANDLE_BYTES))
def test_no_byte_of_a_handle_can_be_changed(at):
    held: Handles[str] = Handles(BOUNDS)
    handle = bytearray(held.keep("value", 0, "alice"))
    handle[at] ^= 1
    assert held.get(bytes(handle), "alice") is None


@pytest.mark.parametrize("length", [0, 16, HANDLE_BYTES - 1, HANDLE_BYTES + 1])
def test_a_handle_of_another_length_is_none(length):
    held: Handles[str] = Handles(BOUNDS)
    handle = held.keep("value", 0, "alice")
    assert held.get((handle + b"x")[:length], "alice") is None


def test_handles_have_256_bits_that_no_two_share():
    held: Handles[int] = Handles(BOUNDS)
    handles = [held.keep(number, 0, "alice") for number in range(1000)]
    assert {len(handle) for handle in handles} == {HANDLE_BYTES} == {32}
    # Of 1,000 random bytes at a place, far more than half of the 256 that there are occur.
    assert all(len({handle[at] for handle in handles}) > 200 for at in range(HANDLE_BYTES))


def test_a_value_in_use_ends_with_the_life_of_its_handle():
    now = [0.0]
    held: Handles[str] = Handles(Bounds(3, 100_000, LIFE_SECONDS), lambda: now[0])
    handle = held.keep("value", 0, "alice")
    assert held.get(handle, "bob") is None
    now[0] = LIFE_SECONDS - 1
    assert held.get(handle, "alice") == "value"
    assert held.replace(handle, "new", 0, "alice")
    now[0] = LIFE_SECONDS
    assert held.get(handle, "alice") is None
    assert len(held) == 0


def test_other_bounds_hold_for_what_comes_and_what_is_held_makes_room():
    held: Handles[str] = Handles(Bounds(4, 1 << 30, 60.0), lambda: 0.0)
    handles = [held.keep(str(at), 1000) for at in range(4)]
    before = held.held_bytes
    held.change_bounds(Bounds(2, 1 << 30, 60.0))
    assert [held.get(handle) for handle in handles] == ["0", "1", "2", "3"]
    newest = held.keep("4", 1000)
    assert [held.get(handle) for handle in handles] == [None, None, None, "3"]
    assert held.get(newest) == "4"
    assert held.held_bytes == before // 2


def test_bytes_are_counted_anew_where_the_share_of_a_caller_is_another():
    held: Handles[str] = Handles(Bounds(8, 1 << 30, 60.0, bytes_of_caller=5000), lambda: 0.0)
    handle = held.keep("large", 100_000, caller="one")
    assert held.held_bytes == 5000
    held.change_bounds(Bounds(8, 1 << 30, 60.0, bytes_of_caller=50_000))
    assert held.held_bytes == 50_000
    held.drop(handle)
    assert held.held_bytes == 0
