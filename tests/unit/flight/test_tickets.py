"""A ticket is read exactly or refused with an error of ours, whatever its bytes are."""

import datetime
import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from google.protobuf.any_pb2 import Any
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flightframe.parameters import encode_parameters
from flightframe.ticket import encode_query, freshness
from flightframe.wire import ticket_pb2
from flightframe_server.errors import (
    FlightframeError,
    FrameQLSyntaxError,
    LimitExceeded,
    NotSupported,
    Status,
    TypeMismatch,
)
from flightframe_server.flight import tickets
from flightframe_server.flight.tickets import (
    FlightSqlTicket,
    QueryTicket,
    ResultTicket,
    TextTicket,
    decode,
    decode_parameters,
    encode,
)
from flightframe_server.planner.plan import Freshness

MAGIC = b"\x00FF1"
SOURCE = "SELECT region, SUM(revenue) AS total_revenue AT region"
MIB = 1 << 20
KINDS = (TextTicket, QueryTicket, ResultTicket, FlightSqlTicket)


def ticket(**query):
    message = ticket_pb2.Ticket(query=ticket_pb2.Query(**query))
    return MAGIC + message.SerializeToString()


def stream(batch, **options):
    sink = pa.BufferOutputStream()
    written = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, batch.schema, options=written) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def row(**columns):
    return pa.RecordBatch.from_pydict(columns)


def any_of(message: str, value: bytes = b"\x0a\x01x") -> bytes:
    url = f"type.googleapis.com/arrow.flight.protocol.sql.{message}"
    return Any(type_url=url, value=value).SerializeToString()


GOOD = [
    SOURCE.encode(),
    ticket(source=SOURCE, parameters=stream(row(a=[1], b=["x"])), collection="retail"),
    MAGIC + ticket_pb2.Ticket(pinned=ticket_pb2.Pinned(handle=b"h" * 16)).SerializeToString(),
    any_of("TicketStatementQuery"),
]


@pytest.mark.parametrize(
    ("data", "kind"), list(zip(GOOD, KINDS, strict=True)), ids=[kind.__name__ for kind in KINDS]
)
def test_the_four_kinds(data, kind):
    assert type(decode(data)) is kind


def test_text_is_taken_as_it_is():
    assert decode("SELECT région AT région -- 東京".encode()) == TextTicket(
        "SELECT région AT région -- 東京"
    )


def test_text_that_looks_a_little_like_a_message_is_text():
    url = "type.googleapis.com/arrow.flight.protocol.sql.X"
    for source in ("\nSELECT", "\n.SELECT", "FF1", url, f"\n{url}", f"SELECT --{url}"):
        assert decode(source.encode()) == TextTicket(source)


@pytest.mark.parametrize(
    "message", ["TicketStatementQuery", "CommandGetTables", "CommandPreparedStatementUpdate"]
)
def test_flight_sql_is_handed_on_whole(message):
    data = any_of(message)
    assert decode(data) == FlightSqlTicket(data)


def test_a_pinned_ticket_comes_back():
    pinned = ResultTicket(bytes(range(256)))
    data = encode(pinned)
    assert decode(data) == pinned
    assert ticket_pb2.Ticket.FromString(data[4:]).pinned.handle == pinned.handle


def test_everything_the_client_says_arrives():
    data = encode_query(
        "SELECT $a",
        parameters=encode_parameters({"b": Decimal("1.10"), "a": True}),
        collection="retail_full",
        installation_id="retail-demo",
        fresh=freshness(0, False, True),
    )
    assert decode(data) == QueryTicket(
        "SELECT $a",
        (("a", True, "bool"), ("b", Decimal("1.10"), "decimal128(3, 2)")),
        "retail_full",
        "retail-demo",
        Freshness(0.0, False, True),
    )


def test_unset_staleness_is_not_zero():
    assert decode(ticket(source=SOURCE)).freshness == Freshness()
    zero = ticket(source=SOURCE, freshness=ticket_pb2.Freshness(max_staleness=0))
    assert decode(zero).freshness == Freshness(max_staleness=0.0)


DAY = datetime.datetime(2024, 2, 29, 12, 30)
ZONE = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("array", "value", "text"),
    [
        (pa.array([7]), 7, "int64"),
        (pa.array([7], pa.uint8()), 7, "uint8"),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1, "uint64"),
        (pa.array([True]), True, "bool"),
        (pa.array([1.5]), 1.5, "double"),
        (pa.array([1.5], pa.float32()), 1.5, "float"),
        (pa.array([Decimal("1.10")]), Decimal("1.10"), "decimal128(3, 2)"),
        (pa.array(["é"]), "é", "string"),
        (pa.array(["é"], pa.large_string()), "é", "string"),
        (pa.array(["é" * 20], pa.string_view()), "é" * 20, "string"),
        (pa.array([datetime.date(2024, 2, 29)]), datetime.date(2024, 2, 29), "date32[day]"),
        (pa.array([datetime.date(2024, 2, 29)], pa.date64()), DAY.date(), "date32[day]"),
        (pa.array([DAY], pa.timestamp("s")), DAY, "timestamp[us]"),
        (pa.array([DAY], pa.timestamp("ns")), DAY, "timestamp[us]"),
        (
            pa.array([DAY.replace(tzinfo=ZONE)], pa.timestamp("us", "Europe/Paris")),
            DAY.replace(hour=10, tzinfo=datetime.UTC),
            "timestamp[us, tz=UTC]",
        ),
        (pa.array([None], pa.null()), None, "null"),
        (pa.array([None], pa.int64()), None, "int64"),
    ],
    ids=str,
)
def test_each_kind_of_value(array, value, text):
    (bound,) = decode_parameters(stream(pa.RecordBatch.from_arrays([array], ["0"])))
    assert bound == ("0", value, text)
    assert type(bound.value) is type(value)


def test_values_by_place_and_by_name():
    parameters = decode_parameters(stream(row(**{"0": ["East"], "low": [1], "1": [2]})))
    assert QueryTicket("q", parameters).values == {0: "East", "low": 1, 1: 2}


@pytest.mark.parametrize(
    "array",
    [
        pa.array([b"x"]),
        pa.array([[[1]]]),
        pa.array([{"a": 1}]),
        pa.array(["x"]).dictionary_encode(),
        pa.array([datetime.timedelta(1)]),
        pa.array([datetime.time(1)]),
        pa.array([1], pa.float16()),
        pa.array([Decimal(1)], pa.decimal256(40, 0)),
        pa.array([Decimal(100)], pa.decimal128(3, -2)),
        pa.array([float("nan")]),
        pa.array([float("-inf")]),
    ],
    ids=lambda array: str(array.type),
)
def test_values_without_a_literal_are_refused(array):
    with pytest.raises(TypeMismatch):
        decode_parameters(stream(pa.RecordBatch.from_arrays([array], ["0"])))


def batch_of(array, names=("0",)):
    return pa.RecordBatch.from_arrays([array] * len(names), names=list(names))


def invalid_text():
    return pa.StringArray.from_buffers(
        1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"\xff\xff\xff\xff",
        stream(row(a=[1]))[:-60],
        stream(row(a=[1])).replace(b"a", b"\xff"),
        stream(row(a=[])),
        stream(row(a=[1, 2])),
        stream(batch_of(pa.array([1]), ("a", "a"))),
        stream(batch_of(pa.array([1]), ("1", "0"))),
        stream(batch_of(pa.array([1]), ("0", "2"))),
        stream(batch_of(pa.array([1]), ("0", "0"))),
        stream(batch_of(pa.array([1]), ("00",))),
        stream(batch_of(pa.array([1]), ("",))),
        stream(batch_of(pa.array([1]), ("$a",))),
        stream(batch_of(pa.array([1]), ("a.b",))),
        stream(batch_of(pa.array(["x" * 1000])), compression="zstd"),
        stream(batch_of(pa.array(["x" * 1000])), compression="lz4"),
        stream(batch_of(pa.array([2**62], pa.timestamp("s")))),
        stream(batch_of(pa.array([2**62], pa.timestamp("us")))),
        stream(batch_of(pa.array([1], pa.timestamp("ns")))),
        stream(batch_of(pa.array([2**31 - 1], pa.date32()))),
        stream(batch_of(invalid_text())),
        row(a=[1]).schema.serialize().to_pybytes(),
        stream(row(a=[1]))[:-8] + stream(row(a=[1]))[-208:],
    ],
)
def test_parameters_that_are_not_one_row_are_refused(data):
    with pytest.raises(FrameQLSyntaxError) as caught:
        decode(ticket(source=SOURCE, parameters=data))
    assert caught.value.status is Status.INVALID_ARGUMENT


def test_two_batches_are_not_one_row():
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, row(a=[1]).schema) as writer:
        writer.write_batch(row(a=[1]))
        writer.write_batch(row(a=[1]))
    with pytest.raises(FrameQLSyntaxError):
        decode_parameters(sink.getvalue().to_pybytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"SELECT \xc3",
        b"SELECT \x00",
        b"\x00SELECT",
        b"\x00FF2" + GOOD[2][4:],
        MAGIC,
        MAGIC + b"junk",
        MAGIC + GOOD[1][4:-3],
        MAGIC + ticket_pb2.Ticket(query=ticket_pb2.Query()).SerializeToString(),
        MAGIC + ticket_pb2.Ticket(pinned=ticket_pb2.Pinned()).SerializeToString(),
        MAGIC + b"\x0a\x03\x0a\x01\xff",
        ticket(source=""),
        ticket(source="SELECT \0"),
        ticket(source=SOURCE, freshness={"only_if_cached": True, "no_cache": True}),
    ],
)
def test_malformed_tickets_are_invalid_arguments(data):
    with pytest.raises(FrameQLSyntaxError) as caught:
        decode(data)
    assert caught.value.status is Status.INVALID_ARGUMENT


@pytest.mark.parametrize("lag", [-1.0, float("nan"), float("inf"), float("-inf")])
def test_staleness_is_a_finite_number_from_zero_on(lag):
    with pytest.raises(TypeMismatch):
        decode(ticket(source=SOURCE, freshness={"max_staleness": lag}))


@pytest.mark.parametrize(
    "data",
    [
        GOOD[2] + b"\x18\x01",
        MAGIC + b"\x0a\x05\x0a\x01Q\x30\x01",
        MAGIC + b"\x0a\x07\x0a\x01Q\x2a\x02\x20\x01",
        MAGIC + b"\x12\x05\x0a\x01h\x10\x01",
    ],
    ids=["ticket", "query", "freshness", "pinned"],
)
def test_fields_of_a_newer_version_are_not_overlooked(data):
    with pytest.raises(NotSupported):
        decode(data)


def test_bounds_hold_on_both_sides():
    assert decode(b"S" * MIB) == TextTicket("S" * MIB)
    assert decode(ticket(source="S" * MIB)).source == "S" * MIB
    assert len(decode(any_of("X", b"x" * (3 * MIB))).message) > 3 * MIB
    for data in (
        b"S" * (MIB + 1),
        ticket(source="S" * (MIB + 1)),
        ticket(source="é" * (MIB // 2 + 1)),
        any_of("X", b"x" * (4 * MIB)),
        ticket(source=SOURCE, collection="c" * (4 * MIB)),
    ):
        with pytest.raises(LimitExceeded):
            decode(data)


def test_the_number_of_parameters_is_bounded():
    assert len(decode_parameters(encode_parameters([1] * tickets.MAX_PARAMETERS))) == 10_000
    with pytest.raises(LimitExceeded):
        decode_parameters(encode_parameters([1] * (tickets.MAX_PARAMETERS + 1)))


def refused_or_one_of_four(data):
    try:
        found = decode(data)
    except FlightframeError as error:
        text = str(error)
        assert len(text) < 400
        assert "Traceback" not in text
        return
    assert type(found) in KINDS


@given(st.binary(max_size=400))
@example(b"\x00FF1\x0a")
@example(b"\x0a\xff" + b"type.googleapis.com/arrow.flight.protocol.sql.")
def test_any_bytes_are_a_ticket_or_an_error_of_ours(data):
    refused_or_one_of_four(data)


@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic(data):
    refused_or_one_of_four(MAGIC + data)


@given(st.binary(max_size=400))
def test_any_bytes_as_parameters(data):
    refused_or_one_of_four(ticket(source=SOURCE, parameters=data))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dates(),
    st.datetimes(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1e9, max_value=1e9),
)


@given(st.lists(VALUES, max_size=5))
def test_values_arrive_as_they_were_bound(values):
    found = decode(encode_query(SOURCE, parameters=encode_parameters(values), collection="c"))
    assert [bound.name for bound in found.parameters] == [str(n) for n in range(len(values))]
    assert [bound.value for bound in found.parameters] == values
    assert [type(bound.value) for bound in found.parameters] == [type(value) for value in values]


WHOLE = stream(row(**{"0": ["East"], "1": [2**40], "d": [Decimal("1.10")]}))


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 4), st.binary(min_size=1, max_size=4))
def test_damaged_parameters_are_read_or_refused(place, damage):
    data = WHOLE[:place] + damage + WHOLE[place + len(damage) :]
    refused_or_one_of_four(ticket(source=SOURCE, parameters=data))


@pytest.mark.parametrize("place", range(0, len(WHOLE) - 4, 4))
@pytest.mark.parametrize("word", [0, 1, -1, 2**31 - 1, -(2**31)])
def test_no_word_of_the_parameters_can_do_harm(place, word):
    data = WHOLE[:place] + struct.pack("<i", word) + WHOLE[place + 4 :]
    refused_or_one_of_four(ticket(source=SOURCE, parameters=data))
