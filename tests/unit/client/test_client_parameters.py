"""Values go into one row of Arrow unchanged, or are refused."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flightframe
from flightframe.parameters import encode_parameters


def read(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()


CEST = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "kind", "back"),
    [
        (7, pa.int64(), 7),
        (-(2**63), pa.int64(), -(2**63)),
        (True, pa.bool_(), True),
        (1.5, pa.float64(), 1.5),
        ("a'b\n", pa.string(), "a'b\n"),
        (None, pa.null(), None),
        (Decimal("1.10"), pa.decimal128(3, 2), Decimal("1.10")),
        (Decimal("-0.001"), pa.decimal128(3, 3), Decimal("-0.001")),
        (Decimal("1E+2"), pa.decimal128(3, 0), Decimal("100")),
        (Decimal("9" * 38), pa.decimal128(38, 0), Decimal("9" * 38)),
        (datetime.date(2024, 2, 29), pa.date32(), datetime.date(2024, 2, 29)),
        (
            datetime.datetime(2024, 2, 29, 12, 30, 0, 5),
            pa.timestamp("us"),
            datetime.datetime(2024, 2, 29, 12, 30, 0, 5),
        ),
        (
            datetime.datetime(2024, 2, 29, 12, 30, tzinfo=CEST),
            pa.timestamp("us", "UTC"),
            datetime.datetime(2024, 2, 29, 10, 30, tzinfo=datetime.UTC),
        ),
    ],
)
def test_each_kind_of_value(value, kind, back):
    table = read(encode_parameters([value]))
    assert table.schema.names == ["0"]
    assert table.schema.types == [kind]
    assert table.to_pylist() == [{"0": back}]


def test_a_sequence_binds_in_order():
    assert read(encode_parameters(("x", 2, None))).to_pylist() == [{"0": "x", "1": 2, "2": None}]


def test_eleven_values_keep_their_order():
    assert read(encode_parameters(list(range(11)))).schema.names == [str(n) for n in range(11)]


def test_a_mapping_binds_by_name_and_its_order_does_not_matter():
    one, other = encode_parameters({"b": 1, "a": "x"}), encode_parameters({"a": "x", "b": 1})
    assert one == other
    assert read(one).to_pylist() == [{"a": "x", "b": 1}]


@pytest.mark.parametrize("nothing", [None, [], (), {}])
def test_no_values_are_no_bytes(nothing):
    assert encode_parameters(nothing) == b""


@pytest.mark.parametrize(
    "parameters",
    [
        "East",
        b"East",
        7,
        {"East"},
        [b"bytes"],
        pytest.param([object()], id="object"),
        [[[1]]],
        [datetime.time(1)],
        [2**63],
        [float("nan")],
        [float("inf")],
        [Decimal("NaN")],
        [Decimal("Infinity")],
        [Decimal("1E-39")],
        [Decimal("1E+38")],
        ["\ud800"],
        {"$region": 1},
        {"0": 1},
        {"": 1},
        {1: 1},
        {"a b": 1},
        {"région": 1},
    ],
    ids=repr,
)
def test_what_cannot_be_bound_is_refused(parameters):
    with pytest.raises(flightframe.ArgumentError) as caught:
        encode_parameters(parameters)
    assert isinstance(caught.value, ValueError)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-1e20, max_value=1e20)
)
def test_decimals_keep_every_digit_and_their_scale(value):
    (row,) = read(encode_parameters([value])).to_pylist()
    assert row["0"] == value
    assert row["0"].as_tuple().exponent == -9
