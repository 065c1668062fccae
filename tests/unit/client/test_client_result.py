"""A result streams or keeps, never half of each, and never ends quietly after a failure."""

import dataclasses
import datetime
import sys
import time
import weakref
from decimal import Decimal
from html.parser import HTMLParser

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from wire_double import METADATA, PROVENANCE, ROWS, SCHEMA, batch

import flightframe
from flightframe import display
from flightframe.result import Result
from flightframe.stream import FlightBatches

NUMBERS = pa.schema([("n", pa.int64())])


def numbers(start, count):
    return pa.RecordBatch.from_arrays([pa.array(range(start, start + count), pa.int64())], ["n"])


def answer(wire, *chunks, schema=None, failure=None):
    """Let the server send these batches, each with the provenance, and then fail, or not."""

    def send(ticket):
        for chunk in chunks:
            yield chunk, METADATA
        if failure is not None:
            raise failure

    wire.answer, wire.schema = send, schema or chunks[0].schema


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Batches:
    """A source of batches without a server."""

    def __init__(self, *batches, schema=NUMBERS):
        self.schema, self.left, self.cancelled = schema, list(batches), False
        self.served_from = "engine_cache"
        self.provenance = flightframe.Provenance(self.served_from)

    def pull(self):
        if not self.left:
            return None
        found = self.left.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    def cancel(self):
        self.cancelled = True


def test_the_walkthrough_answer(connection):
    result = connection.query("SELECT region, SUM(revenue) AS total_revenue AT region")
    assert result.served_from == "engine_cache"
    assert result.columns == ["region", "total_revenue"]
    assert result.rows == ROWS
    assert result.row_count == len(result) == 3
    assert result.schema == SCHEMA
    assert result.to_pylist()[1] == {"region": "East", "total_revenue": Decimal("0.10")}


def test_provenance_is_typed(connection):
    found = connection.query("SELECT x AT y").provenance
    assert (found.query_id, found.collection) == ("q1", "retail_full")
    assert [column.column for column in found.columns] == ["region", "total_revenue"]
    assert found.columns[1].parts == (
        flightframe.PartProvenance(
            family="revenue",
            operator="SUM",
            anchor=("region",),
            route="rollup",
            served_from="engine_cache",
            entry="e7",
            rolled_up_from=("day", "region"),
            edges=("store -> region",),
            version={"transactions": "f1"},
        ),
    )


def test_provenance_of_another_shape_is_refused_when_asked_for(wire, connection):
    wire.answer = lambda ticket: iter([(batch(), METADATA.replace(b'"SUM"', b"1"))])
    result = connection.query("SELECT x AT y")
    assert result.served_from == "engine_cache"
    with pytest.raises(flightframe.ProtocolError, match="operator"):
        _ = result.provenance


def test_conversions_agree(connection):
    result = connection.query("SELECT x AT y")
    assert result.to_arrow().to_pylist() == result.to_pylist()
    polars, pandas = result.to_polars(), result.to_pandas()
    assert isinstance(polars, pl.DataFrame)
    assert polars.rows() == ROWS
    assert isinstance(pandas, pd.DataFrame)
    assert list(pandas["total_revenue"]) == [row[1] for row in ROWS]


def test_streaming_hands_out_every_batch_once(wire, connection):
    answer(wire, numbers(0, 3), numbers(3, 2), numbers(5, 1))
    result = connection.query("SELECT x AT y")
    assert [part.num_rows for part in result] == [3, 2, 1]
    for again in (
        result.to_arrow,
        lambda: next(iter(result)),
        lambda: list(result),
        lambda: result.rows,
        lambda: len(result),
    ):
        with pytest.raises(flightframe.ResultConsumed) as caught:
            again()
        assert "to_arrow()" in caught.value.hint


def test_a_kept_result_can_be_iterated_as_often_as_one_likes(wire, connection):
    answer(wire, numbers(0, 3), numbers(3, 2))
    result = connection.query("SELECT x AT y")
    table = result.to_arrow()
    assert table.column("n").to_pylist() == [0, 1, 2, 3, 4]
    for _ in range(2):
        assert [part.num_rows for part in result] == [3, 2]
    assert result.to_arrow() == table


def test_list_of_a_fresh_result_has_every_batch(wire, connection):
    answer(wire, numbers(0, 3), numbers(3, 2))
    assert [part.num_rows for part in list(connection.query("SELECT x AT y"))] == [3, 2]


def test_streaming_keeps_no_batch(wire, connection):
    answer(wire, *[numbers(0, 10_000)] * 100)
    result = connection.query("SELECT x AT y")
    arrived, rows = [], 0
    for part in result:
        rows += part.num_rows
        arrived.append(weakref.ref(part))
        assert sum(reference() is not None for reference in arrived) <= 2
    assert (len(arrived), rows) == (100, 1_000_000)


def test_an_empty_answer_is_one_empty_batch_with_its_label(wire, connection):
    answer(wire, batch([]))
    result = connection.query("SELECT x AT y")
    assert result.served_from == "engine_cache"
    assert (result.rows, result.row_count, result.columns) == ([], 0, SCHEMA.names)
    assert result.to_polars().shape == (0, 2)
    assert [part.num_rows for part in result] == [0]


def test_a_failure_on_the_way_is_never_a_shorter_answer(wire, connection):
    failure = pa.ArrowInvalid("OVERFLOW: too large.")
    answer(wire, numbers(0, 3), numbers(3, 2), failure=failure)
    result = connection.query("SELECT x AT y")
    for _ in range(2):
        with pytest.raises(flightframe.QueryError, match="OVERFLOW: too large"):
            result.to_arrow()
    seen = []
    with pytest.raises(flightframe.QueryError):
        seen.extend(part.num_rows for part in result)


def test_a_failure_reaches_whoever_streams(wire, connection):
    answer(wire, numbers(0, 3), failure=pa.ArrowInvalid("OVERFLOW: too large."))
    result = connection.query("SELECT x AT y")
    with pytest.raises(flightframe.QueryError):
        for _ in result:
            pass


def test_an_interrupt_leaves_no_gap():
    source = Batches(numbers(0, 3), KeyboardInterrupt(), numbers(3, 2))
    result = Result(source)
    with pytest.raises(KeyboardInterrupt):
        result.to_arrow()
    assert source.cancelled


def test_leaving_the_loop_stops_the_server(wire, connection):
    answer(wire, *[numbers(start, 100_000) for start in range(50)])
    for _ in connection.query("SELECT x AT y"):
        break
    until(lambda: wire.stopped_early == 1)


def test_closing_a_half_read_result_stops_the_server(wire, connection):
    answer(wire, *[numbers(start, 100_000) for start in range(50)])
    with connection.query("SELECT x AT y") as result:
        assert result.served_from == "engine_cache"
    until(lambda: wire.stopped_early == 1)
    with pytest.raises(flightframe.ResultConsumed):
        result.to_arrow()
    assert result.served_from == "engine_cache"


def test_closing_cancels_the_call_once_and_only_before_its_end():
    class EndedCall:
        schema, cancelled = NUMBERS, 0

        def read_chunk(self):
            raise StopIteration

        def cancel(self):
            self.cancelled += 1

    half, whole = EndedCall(), EndedCall()
    unread, read = FlightBatches(half, "here:1"), FlightBatches(whole, "here:1")
    assert read.pull() is None
    for batches in (unread, read, unread, read):
        batches.cancel()
    assert (half.cancelled, whole.cancelled) == (1, 0)
    assert read.pull() is None
    with pytest.raises(flightframe.ResultConsumed):
        unread.pull()


def test_closing_within_the_loop_is_not_the_end_of_the_answer(wire, connection):
    answer(wire, *[numbers(start, 100_000) for start in range(50)])
    result = connection.query("SELECT x AT y")
    stream = iter(result)
    next(stream)
    result.close()
    with pytest.raises(flightframe.ResultConsumed):
        next(stream)


def test_closing_keeps_what_was_kept(connection):
    with connection.query("SELECT x AT y") as result:
        result.to_arrow()
    assert result.rows == ROWS


def test_a_result_outlives_its_connection(wire):
    answer(wire, numbers(0, 3), numbers(3, 2))
    with flightframe.connect(wire.uri) as connection:
        result = connection.query("SELECT x AT y")
    assert result.row_count == 5


def test_the_label_may_stand_in_the_schema(wire, connection):
    wire.schema = SCHEMA.with_metadata({b"flightframe": METADATA})
    wire.answer = lambda ticket: iter([batch()])
    assert connection.query("SELECT x AT y").provenance.query_id == "q1"


@pytest.mark.parametrize(
    "metadata",
    [None, b"", b"engine_cache", b"[]", b"{}", b'{"served_from": 1}', b"[" * 100_000],
    ids=["none", "empty", "text", "list", "no label", "wrong type", "deep"],
)
def test_an_answer_without_a_label_is_refused(wire, connection, metadata):
    wire.answer = lambda ticket: iter([batch() if metadata is None else (batch(), metadata)])
    with pytest.raises(flightframe.ProtocolError):
        connection.query("SELECT x AT y")


def test_a_label_that_changes_on_the_way_is_refused(wire, connection):
    other = METADATA.replace(b"engine_cache", b"backend")
    wire.answer = lambda ticket: iter([(batch(), METADATA), (batch(), other), (batch(), METADATA)])
    result = connection.query("SELECT x AT y")
    for _ in range(2):
        with pytest.raises(flightframe.ProtocolError, match="changed its provenance"):
            result.to_arrow()


def test_the_same_label_written_otherwise_is_the_same(wire, connection):
    respelled = METADATA.replace(b": ", b":")
    wire.answer = lambda ticket: iter([(batch(), METADATA), (batch(), respelled)])
    assert connection.query("SELECT x AT y").row_count == 6


@pytest.mark.parametrize("package", ["polars", "pandas"])
def test_a_missing_package_is_named_with_its_pip_line(connection, monkeypatch, package):
    result = connection.query("SELECT x AT y")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(flightframe.MissingPackage) as caught:
        getattr(result, f"to_{package}")()
    assert caught.value.hint == f"pip install {package}"
    assert isinstance(caught.value, ImportError)


def test_repr_is_an_aligned_table(connection):
    assert repr(connection.query("SELECT x AT y")) == "\n".join(
        [
            "region   total_revenue",
            "───────  ─────────────",
            "Central     3868636.36",
            "East              0.10",
            "West              NULL",
            "3 rows · served_from: engine_cache",
        ]
    )


def test_repr_loses_nothing(wire, connection):
    answer(wire, numbers(0, 3), numbers(3, 2), numbers(5, 1))
    result = connection.query("SELECT x AT y")
    assert "6 rows" in repr(result)
    assert [part.num_rows for part in result] == [3, 2, 1]
    assert repr(result) == "<Result, rows gone · served_from: engine_cache>"


def test_repr_of_a_large_answer_reads_two_batches_at_most():
    source = Batches(*[numbers(start, 1000) for start in range(10)])
    shown = repr(Result(source)).splitlines()
    assert shown[-1] == "at least 2,000 rows · served_from: engine_cache"
    assert shown[-2] == "…"
    assert len(shown) == 2 + display.MAX_ROWS + 2
    assert len(source.left) == 8


def test_repr_survives_a_failing_stream():
    failure = flightframe.QueryError("OVERFLOW", "too large")
    result = Result(Batches(numbers(0, 1), failure))
    assert "at least 1 row ·" in repr(result)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1E+2"), "100"),
        (Decimal("12345678901234567890.10"), "12345678901234567890.10"),
        (0.1, "0.1"),
        (None, "NULL"),
        ("a\x1b[31mb\n", "a\\x1b[31mb\\n"),
        ("x" * 60, "x" * 39 + "…"),
        (datetime.datetime(2024, 2, 29, 1, 2, 3), "2024-02-29 01:02:03"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (True, "True"),
    ],
)
def test_cells(value, shown):
    assert display.cell(value) == shown


def test_wide_letters_stay_aligned():
    schema = pa.schema([("name", pa.string()), ("n", pa.int64())])
    part = pa.RecordBatch.from_arrays(
        [pa.array(["東京", "e\u0301"]), pa.array([1, 2])], schema=schema
    )
    lines = repr(Result(Batches(part, schema=schema))).splitlines()
    assert lines[2:4] == ["東京  1", "e\u0301     2"]


def test_many_columns_are_cut():
    part = pa.RecordBatch.from_arrays([pa.array([1])] * 23, [f"c{n}" for n in range(23)])
    shown = repr(Result(Batches(part, schema=part.schema)))
    assert shown.endswith("1 row · 3 more columns · served_from: engine_cache")
    assert "c19" in shown
    assert "c20" not in shown


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize(
    ("label", "colour"),
    [
        ("engine_cache", display.GREEN),
        ("engine_mixed", display.AMBER),
        ("engine_backend", display.AMBER),
        ("backend", display.GREY),
        ("<b>new", display.GREY),
    ],
)
def test_html_escapes_everything_and_colours_the_badge(label, colour):
    evil = "<script>alert('&')</script>"
    schema = pa.schema([(evil, pa.string())])
    source = Batches(pa.RecordBatch.from_arrays([pa.array([evil])], schema=schema), schema=schema)
    source.served_from = label
    html = Result(source)._repr_html_()
    found = Tags(html)
    assert set(found.tags) == {"div", "table", "thead", "tbody", "tr", "th", "td", "p", "span"}
    assert found.texts.count(evil) == 2
    assert label in found.texts
    assert f"background:{colour};" in html


def test_remarks_stand_below_the_rows_in_text_and_in_html(wire, connection):
    told = METADATA.replace(b'"served_from"', b'"notes":["<no> member"],"served_from"', 1)
    wire.answer = lambda ticket: iter([(batch(), told)])
    result = connection.query("SELECT x AT y")
    assert result.provenance.notes == ("<no> member",)
    assert repr(result).splitlines()[-1] == "note: <no> member"
    assert "note: <no> member" in Tags(result._repr_html_()).texts


def test_rows_of_a_server_that_says_remarks_otherwise_are_shown(wire, connection):
    told = METADATA.replace(b'"served_from"', b'"notes":1,"served_from"', 1)
    wire.answer = lambda ticket: iter([(batch(), told)])
    assert repr(connection.query("SELECT x AT y")).endswith("served_from: engine_cache")


def test_html_of_a_streamed_result(connection):
    result = connection.query("SELECT x AT y")
    list(result.__iter__())
    assert result._repr_html_().startswith("&lt;Result")


def test_the_double_sends_what_the_server_would():
    from flightframe_server import provenance as server

    part = server.PartProvenance(
        "revenue",
        "SUM",
        ("region",),
        server.Route.ROLLUP,
        server.ServedFrom.ENGINE_CACHE,
        "e7",
        ("day", "region"),
        ("store -> region",),
        {"transactions": "f1"},
    )
    label = server.ServedFrom.ENGINE_CACHE
    whole = server.Provenance(
        label,
        "q1",
        "retail_full",
        (
            server.ColumnProvenance("region", label),
            server.ColumnProvenance("total_revenue", label, (part,)),
        ),
    )
    assert whole.to_json() == PROVENANCE
    told = dataclasses.replace(whole, notes=("'west' is no known member of region",))
    assert flightframe.Provenance.from_bytes(told.to_bytes()).notes == told.notes
    found = flightframe.Provenance.from_bytes(whole.to_bytes())
    assert found == flightframe.Provenance.from_bytes(METADATA)


@pytest.mark.parametrize("name", ["Provenance", "ColumnProvenance", "PartProvenance"])
def test_the_client_reads_every_fact_that_the_server_states(name):
    from flightframe_server import provenance as server

    ends = (getattr(flightframe, name), getattr(server, name))
    one, other = ([field.name for field in dataclasses.fields(end)] for end in ends)
    assert one == other


def test_a_part_that_was_moved_says_by_how_much():
    part = {**PROVENANCE["columns"][1]["parts"][0], "shift": "month moved by 12 months"}
    assert flightframe.PartProvenance.from_fields(part).shift == "month moved by 12 months"
