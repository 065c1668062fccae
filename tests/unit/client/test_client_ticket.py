"""The hand-written encoding against the generated protobuf classes, which know nothing of it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flightframe
from flightframe import ticket as wire_ticket
from flightframe.ticket import MAGIC, Freshness, encode_query, freshness
from flightframe.wire import ticket_pb2
from flightframe_server.flight import tickets

SOURCE = "SELECT region, SUM(revenue) AS r AT region"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
LAGS = st.none() | st.floats(0, 1e12)


def parsed(ticket: bytes) -> ticket_pb2.Ticket:
    assert ticket[:4] == b"\x00FF1"
    return ticket_pb2.Ticket.FromString(ticket[4:])


def test_a_plain_query_is_its_own_ticket():
    assert encode_query("SELECT région AT région") == "SELECT région AT région".encode()


def test_client_and_server_agree_on_the_magic():
    assert wire_ticket.MAGIC == tickets.MAGIC == b"\x00FF1"


def test_one_option_by_hand():
    # Ticket{query=1: Query{source=1: "Q", freshness=5: {max_staleness=1: 0.0}}}
    ticket = encode_query("Q", fresh=Freshness(max_staleness=0.0))
    freshness_bytes = b"\x09" + bytes(8)
    query = b"\x0a\x01Q" + b"\x2a\x09" + freshness_bytes
    assert ticket == MAGIC + b"\x0a" + bytes([len(query)]) + query


@given(
    source=TEXT.filter(str.strip),
    parameters=st.binary(max_size=300),
    collection=TEXT,
    installation=TEXT,
    lag=LAGS,
    modes=st.sampled_from([(False, False), (True, False), (False, True)]),
)
def test_protobuf_reads_the_same_fields_and_writes_the_same_bytes(
    source, parameters, collection, installation, lag, modes
):
    ticket = encode_query(
        source,
        parameters=parameters,
        collection=collection,
        installation_id=installation,
        fresh=Freshness(lag, *modes),
    )
    if not (parameters or collection or installation or lag is not None or any(modes)):
        assert ticket == source.encode()
        return
    message = parsed(ticket)
    query = message.query
    assert (query.source, query.parameters) == (source, parameters)
    assert (query.collection, query.installation_id) == (collection, installation)
    assert query.freshness.HasField("max_staleness") == (lag is not None)
    assert query.freshness.max_staleness == (lag or 0.0)
    assert (query.freshness.only_if_cached, query.freshness.no_cache) == modes
    assert message.SerializeToString(deterministic=True) == ticket[4:]


def test_lengths_past_one_byte():
    source = "S" * 70_000
    assert parsed(encode_query(source, collection="c" * 128)).query.source == source


@pytest.mark.parametrize("source", ["", "  \n", "SELECT \0", "\ud800", None, b"SELECT"])
def test_what_is_no_query_is_refused(source):
    with pytest.raises(flightframe.ArgumentError):
        encode_query(source)


@pytest.mark.parametrize(
    ("given_lag", "seconds"),
    [(None, None), (60, 60.0), (0, 0.0), (0.5, 0.5), (timedelta(minutes=2), 120.0)],
)
def test_staleness_is_seconds(given_lag, seconds):
    assert freshness(given_lag, False, True) == Freshness(seconds, False, True)


@pytest.mark.parametrize(
    "options",
    [
        (-1, False, False),
        (timedelta(seconds=-1), False, False),
        (float("nan"), False, False),
        (float("inf"), False, False),
        (10**400, False, False),
        (True, False, False),
        ("60", False, False),
        (None, 1, False),
        (None, False, None),
        (None, True, True),
    ],
)
def test_impossible_freshness_is_refused(options):
    with pytest.raises(flightframe.ArgumentError):
        freshness(*options)
