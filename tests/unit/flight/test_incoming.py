"""What came over a connection and was taken by no call: by the kernel's counts, and by hand."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import replace

import pytest

from flightframe_server.catalog.limits import Limits
from flightframe_server.flight.incoming import (
    CALL_BYTES,
    SECOND_BYTES,
    SENT_BYTES,
    UNPLACED_SECONDS,
    Connection,
    Incoming,
    IncomingBounds,
)
from flightframe_server.flight.sockets import (
    HELD,
    Counts,
    PortSocket,
    PortSockets,
    cookie_of,
    counts_of,
    end,
)

MIB = 1 << 20
linux = pytest.mark.skipif(not HELD, reason="no other system counts the bytes of a connection")


def opened(
    incoming: Incoming, number: int, host: str = "192.0.2.1", received: int = 0
) -> Connection:
    found = PortSocket(fd=number, cookie=number, host=host, port=1000 + number)
    incoming.opened(found, Counts(received, 0), now=0.0)
    return incoming.connections[number]


def came(incoming: Incoming, one: Connection, size: int, *, acked: int = 0, now: float = 0.0):
    """Note that so many bytes more came, after what calls took until now."""
    taken = incoming.pop_consumed().get(one.endpoint, 0)
    counts = Counts(one.counts.received + size, one.counts.acked + acked)
    incoming.note(one, counts, taken, now)


def test_the_bound_follows_what_one_message_may_lawfully_be():
    assert IncomingBounds.within(Limits()) == IncomingBounds(32 * MIB, 128 * MIB, 512)
    larger = Limits(bound_bytes=100 * MIB)
    assert IncomingBounds.within(larger) == IncomingBounds(200 * MIB, 200 * MIB, 512)
    said = Limits(message_bytes=MIB, incoming_bytes=3 * MIB)
    assert IncomingBounds.within(said) == IncomingBounds(MIB, 3 * MIB, 512)


def test_one_large_message_is_past_the_bound_and_many_that_were_taken_are_not():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    calls, message = opened(incoming, 1), opened(incoming, 2)
    for _ in range(100):
        came(incoming, calls, 100_000)
        incoming.take("ipv4:192.0.2.1:1001", 100_000)
    came(incoming, calls, 0)
    for _ in range(100):
        came(incoming, message, 20_000)
    assert (calls.open_bytes, message.open_bytes) == (0, 2_000_000)
    assert incoming.past() == [message]
    assert message.ended == "message_bytes"
    # It is told once.
    assert incoming.past() == []


def test_a_message_does_not_hide_behind_small_calls():
    """Each takes its own bytes and what headers can be, of what has come."""
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    one = opened(incoming, 1)
    for _ in range(20):
        came(incoming, one, MIB // 10)
        incoming.take("ipv4:192.0.2.1:1001", 10)
    came(incoming, one, 0)
    assert one.open_bytes == 20 * (MIB // 10) - 20 * (10 + CALL_BYTES)
    assert incoming.past() == [one]


def test_what_a_call_may_take_beyond_what_came_is_nothing_in_hand():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    one = opened(incoming, 1)
    for _ in range(1000):
        incoming.take("ipv4:192.0.2.1:1001", 10)
    came(incoming, one, 100)
    came(incoming, one, MIB + 1, now=3600.0)
    assert incoming.past() == [one]


def test_pings_and_words_of_what_was_read_are_no_message():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    one = opened(incoming, 1)
    for second in range(10_000):
        came(incoming, one, SECOND_BYTES, now=float(second + 1))
    assert one.open_bytes <= SECOND_BYTES
    came(incoming, one, 3 * MIB, acked=3 * MIB * SENT_BYTES, now=10_000.0)
    assert one.open_bytes <= SECOND_BYTES


def test_of_all_together_the_largest_of_the_address_with_most_has_to_end():
    incoming = Incoming(IncomingBounds(4 * MIB, 8 * MIB))
    alone = opened(incoming, 1, "192.0.2.1", received=3 * MIB)
    many = [
        opened(incoming, number, "192.0.2.9", received=number * MIB // 2) for number in range(2, 6)
    ]
    assert incoming.past() == [many[-1]]
    assert many[-1].ended == "incoming_bytes"
    assert not alone.ended


def test_of_too_many_connections_the_quietest_of_the_address_with_most_has_to_end():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB, 4))
    alone = [opened(incoming, 1), opened(incoming, 2, "192.0.2.2")]
    assert incoming.past() == []
    many = [opened(incoming, number, "192.0.2.9") for number in range(3, 7)]
    # Something passes over each of them, and last over the first.
    for moment, one in enumerate([*many[1:], many[0]], start=1):
        came(incoming, one, 10, now=float(moment))
    assert incoming.past() == many[1:3]
    assert [one.ended for one in many[1:3]] == ["flight_connections"] * 2
    assert not any(one.ended for one in alone)
    assert incoming.past() == []


def test_what_came_before_a_connection_was_found_counts():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    assert incoming.past() == []
    one = opened(incoming, 1, received=2 * MIB)
    assert incoming.past() == [one]


def test_what_a_call_took_before_its_connection_was_found_is_not_forgotten():
    """The call comes first, and the search that finds its connection some passes later."""
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    incoming.take("ipv4:192.0.2.1:1001", 2 * MIB)
    for now in (0.0, 0.5, 1.0):
        consumed = incoming.pop_consumed()
        assert consumed == {("192.0.2.1", 1001): 2 * MIB + CALL_BYTES}
        incoming.keep_unplaced(consumed, now)
    consumed = incoming.pop_consumed()
    one = opened(incoming, 1, received=2 * MIB + 100)
    incoming.keep_unplaced(consumed, 1.5)
    incoming.note(one, one.counts, consumed[one.endpoint], 1.5)
    assert one.open_bytes == 0
    # It is due once.
    assert incoming.pop_consumed() == {}


def test_what_a_call_took_over_a_connection_that_nobody_finds_is_forgotten():
    incoming = Incoming(IncomingBounds(MIB, 10 * MIB))
    incoming.take("ipv4:192.0.2.1:1001", MIB)
    for now in (0.0, UNPLACED_SECONDS):
        incoming.keep_unplaced(incoming.pop_consumed(), now)
    assert incoming.pop_consumed() == {}


def test_a_message_that_was_taken_while_it_was_counted_ends_no_connection():
    """The watch is late: messages come and are taken after the word of what was taken."""
    incoming = Incoming(IncomingBounds(MIB, 3 * MIB))
    one, other = opened(incoming, 1), opened(incoming, 2)
    consumed = incoming.pop_consumed()
    for _ in range(4):
        incoming.take("ipv4:192.0.2.1:1001", MIB)
    received = Counts(4 * MIB + 1000, 0)
    incoming.note(one, received, consumed.get(one.endpoint, 0), 0.0)
    assert incoming.past() == []
    came(incoming, one, 0)
    assert one.open_bytes == 0
    # What nobody took is past the bound as ever.
    came(incoming, other, 2 * MIB)
    assert incoming.past() == [other]


@linux
def test_the_sockets_of_a_port_are_found_counted_and_ended():
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listening,
        closing(socket.create_connection(listening.getsockname())) as client,
    ):
        sockets = PortSockets(listening.getsockname()[1])
        # It has no descriptor yet: nobody took it.
        assert [one.listens for one in sockets.find()] == [True]
        taken, _ = listening.accept()
        with closing(taken):
            (one,) = [one for one in sockets.find() if not one.listens]
            assert (one.host, one.port) == client.getsockname()
            assert one.cookie == cookie_of(taken.fileno())
            # A watch of another server in this process may have lent it a number for a moment.
            one = replace(one, fd=taken.fileno())
            client.sendall(b"x" * 1000)
            assert taken.recv(10) == b"x" * 10
            assert counts_of(one) == Counts(received=1000, acked=0)
            assert end(one)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert [one.listens for one in sockets.find()] == [True]


@linux
def test_a_number_that_another_connection_got_is_left_alone():
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        first = socket.create_connection(listening.getsockname())
        with closing(first), closing(socket.create_connection(listening.getsockname())) as second:
            taken, _ = listening.accept()
            number, cookie = taken.fileno(), cookie_of(taken.fileno())
            assert cookie is not None
            other, _ = listening.accept()
            # Whatever else this process opens meanwhile cannot get the number first.
            os.dup2(other.fileno(), number)
            with closing(taken), closing(other):
                gone = PortSocket(number, cookie, *first.getsockname())
                assert counts_of(gone) is None
                assert not end(gone)
                other.sendall(b"still here")
                assert second.recv(10) == b"still here"
