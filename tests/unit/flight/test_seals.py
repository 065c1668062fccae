"""A handle is good for its owner, until its moment, as it was made; and for nobody else."""

import hashlib
import hmac

import pytest

from flightframe_server.flight.handles import LIFE_SECONDS, Bounds, Handles
from flightframe_server.flight.seals import HANDLE_BYTES, Seal


def test_a_handle_is_good_for_its_owner_until_its_moment():
    seal = Seal()
    handle = seal.sealed("alice", 10.0)
    assert len(handle) == HANDLE_BYTES == 40
    assert seal.holds(handle, "alice", 9.999)
    assert not seal.holds(handle, "alice", 10.0)
    assert not seal.holds(handle, "bob", 0.0)
    assert not Seal().holds(handle, "alice", 0.0)


@pytest.mark.parametrize("at", range(HANDLE_BYTES))
def test_no_byte_of_a_handle_can_be_changed(at):
    seal = Seal()
    handle = bytearray(seal.sealed("alice", 1e300))
    handle[at] ^= 1
    assert not seal.holds(bytes(handle), "alice", 0.0)


@pytest.mark.parametrize("length", [0, 16, HANDLE_BYTES - 1, HANDLE_BYTES + 1])
def test_a_handle_of_another_length_is_none(length):
    assert not Seal().holds(b"x" * length, "alice", 0.0)


def test_the_seal_is_an_hmac_over_the_bits_the_moment_and_the_owner():
    seal = Seal()
    handle = seal.sealed("älice", 10.0)
    wanted = hmac.new(seal._key, handle[:24] + "älice".encode(), hashlib.sha256).digest()[:16]
    assert handle[24:] == wanted


def test_a_value_in_use_ends_with_the_life_of_its_handle():
    now = [0.0]
    held: Handles[str] = Handles(Bounds(3, 100_000, LIFE_SECONDS), lambda: now[0])
    handle = held.keep("value", 0, "alice")
    assert held.get(handle, "bob") is None
    now[0] = LIFE_SECONDS - 1
    assert held.get(handle, "alice") == "value"
    now[0] = LIFE_SECONDS
    assert held.get(handle, "alice") is None
