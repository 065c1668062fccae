"""Does the Polars back-end keep the protocol: types, signs, batches, order, time limits, errors?"""

import datetime
import threading
import time
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.algebra.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    DataType,
    Kind,
    decimal,
)
from flightframe_server.backends.polars import parquet_file
from flightframe_server.backends.polars import running as running_module
from flightframe_server.backends.polars.backend import PolarsBackend
from flightframe_server.backends.polars.frames import LazyQuery
from flightframe_server.backends.polars.gate import Gate
from flightframe_server.backends.polars.running import PolarsRunning, translated
from flightframe_server.backends.protocol import BATCH_ROWS
from flightframe_server.backends.registry import open_backend
from flightframe_server.catalog.installation import BackendSettings
from flightframe_server.errors import (
    ArithmeticOverflow,
    BackendCancelled,
    BackendError,
    FDViolation,
    SetupError,
)
from flightframe_server.planner.hops import FunctionHop, TableHop
from flightframe_server.planner.source import (
    FetchedRead,
    FrameQuery,
    LevelRead,
    SourceQuery,
    StoredRead,
)
from flightframe_server.resolver.question import Ordering, Window
from flightframe_server.resolver.terms import (
    Apply,
    ColumnTerm,
    Constant,
    LevelTerm,
    Metric,
    MetricTerm,
)

TO_REGION = TableHop("shop -> region", "region", "shops", "id", "area", TEXT, TEXT)
SHOP = LevelRead("shop", TEXT, "shop", TEXT, "shop")
REGION = LevelRead("region", TEXT, "shop", TEXT, "shop", (TO_REGION,))


@pytest.fixture
def backend(tmp_path):
    write(
        tmp_path,
        "shops",
        id=["S1", "S2", "S1", "S3", None],
        area=["East", "East", "East", None, "X"],
    )
    write(
        tmp_path,
        "sales",
        shop=pa.array(["S1", "S2", "S3", "S9", None, "S1"]).dictionary_encode(),
        amount=pa.array([1, 2, 4, 8, 16, None], pa.int16()),
        price=pa.array([Decimal("1.50"), None, Decimal("0.25"), None, Decimal("2.00"), None]),
    )
    write(tmp_path, "stock", shop=["S1", None, "S7"], held=[5, 6, 7])
    found = PolarsBackend(tmp_path)
    yield found
    found.close()


def write(folder, name, **columns):
    """Write a table beside its place and rename it there, as sources are replaced."""
    unfinished = folder / f"{name}.new"
    pq.write_table(pa.table(columns), unfinished)
    unfinished.replace(folder / f"{name}.parquet")


def metric(operator, column=None, type_=INTEGER, schema="sales", **more):
    argument = None if column is None else ColumnTerm(type_, schema, column)
    return Metric(column or "rows", Operator(operator), schema, argument, INTEGER, **more)


def source(metrics, anchor=(), others=(), where=(), table="sales", columns=("shop", "amount")):
    reads = tuple(StoredRead(name, name, INTEGER) for name in columns)
    return SourceQuery(table, table, anchor, others, where, metrics, reads)


def rows(backend, query):
    running = backend.run(query)
    table = pa.Table.from_batches(list(running), schema=running.schema)
    return [tuple(row.values()) for row in table.to_pylist()]


def test_declared_types(tmp_path):
    moment, zoned = pa.timestamp("ms"), pa.timestamp("us", "UTC")
    write(
        tmp_path,
        "all",
        small=pa.array([1], pa.uint8()),
        huge=pa.array([2**64 - 1], pa.uint64()),
        money=pa.array([None], pa.decimal128(12, 2)),
        wide=pa.array([None], pa.decimal256(50, 2)),
        half=pa.array([1.5], pa.float32()),
        text=pa.array(["a"], pa.large_string()),
        code=pa.array(["a"]).dictionary_encode(),
        day=pa.array([0], pa.date32()),
        moment=pa.array([0], moment),
        zoned=pa.array([0], zoned),
        flag=pa.array([True]),
        bytes=pa.array([b"a"]),
        many=pa.array([[1]]),
    )
    (tmp_path / "notes.txt").write_text("no table")
    found = {name: str(of) for name, of in PolarsBackend(tmp_path).tables()["all"].items()}
    assert found == {
        "small": "integer",
        "huge": "decimal(38,0)",
        "money": "decimal(12,2)",
        "half": "double",
        "text": "text",
        "code": "text",
        "day": "date",
        "moment": "timestamp",
        "zoned": "timestamp[UTC]",
        "flag": "boolean",
    }


def test_each_table_has_a_sign_of_its_own(backend, tmp_path):
    before = backend.fingerprints(("sales", "shops", "gone"))
    assert before["gone"] is None
    assert before["sales"] != before["shops"]
    write(tmp_path, "shops", id=["S1", "S2", "S3", None], area=["East", "West", None, "Nowhere"])
    after = backend.fingerprints(("sales", "shops"))
    assert after["sales"] == before["sales"]
    assert after["shops"] != before["shops"]
    query = source((metric("COUNT"),), (REGION,))
    assert sorted(rows(backend, query), key=str) == [("East", 2), ("West", 1), (None, 3)]


def test_a_fact_without_a_parent_is_neither_lost_nor_doubled(backend):
    query = source((metric("SUM", "amount"), metric("COUNT")), (REGION,))
    assert sorted(rows(backend, query), key=str) == [("East", 3, 3), (None, 28, 3)]
    running = backend.run(query)
    assert running.schema == pa.schema(
        [("region", pa.string()), ("m0_value", pa.int64()), ("m1_value", pa.int64())]
    )
    running.close()


def test_a_map_broken_meanwhile_is_refused(backend, tmp_path):
    write(tmp_path, "shops", id=["S1", "S1"], area=["East", "West"])
    with pytest.raises(FDViolation):
        rows(backend, source((metric("COUNT"),), (REGION,)))


def test_a_fetched_value_that_doubles_is_refused_and_repeated_rows_are_one(backend, tmp_path):
    fetched = FetchedRead("area", "shops", "area", (("shop", "id", TEXT, TEXT),), TEXT)
    query = source((metric("COUNT", "area", TEXT), metric("SUM", "amount")))
    query = replace(query, columns=(*query.columns, fetched))
    assert rows(backend, query) == [(3, 31)]
    write(tmp_path, "shops", id=["S1", "S1"], area=["East", "West"])
    with pytest.raises(FDViolation):
        rows(backend, query)


def test_filters_stand_after_the_look_up(backend):
    region = LevelTerm(TEXT, "region")
    tests = {
        "is_null": (Apply(BOOLEAN, "is_null", (region,)), 28),
        "eq": (Apply(BOOLEAN, "eq", (region, Constant(TEXT, "East"))), 3),
        "ne": (Apply(BOOLEAN, "ne", (region, Constant(TEXT, "East"))), None),
    }
    for where, wanted in tests.values():
        query = source((metric("SUM", "amount"),), (), (REGION,), (where,))
        assert rows(backend, query) == [(wanted,)]


def test_a_metric_filter_empties_a_cell_and_keeps_the_point(backend):
    only = (Apply(BOOLEAN, "eq", (LevelTerm(TEXT, "shop"), Constant(TEXT, "S2"))),)
    asked = (metric("SUM", "amount", filter=only), metric("COUNT", filter=only))
    found = rows(backend, source(asked, (REGION,), (SHOP,)))
    assert sorted(found, key=str) == [("East", 2, 1), (None, None, 0)]


def test_the_last_value_is_that_of_the_last_whole_key(tmp_path):
    columns = {
        "shop": ["S1", "S1", "S1", "S2", "S2", None, "S3"],
        "day": [1, 2, None, 5, 4, 7, None],
        "turn": [1, 1, 9, 1, 9, 1, 1],
        "amount": [10, None, 99, 50, 40, 70, 80],
    }
    write(tmp_path, "sales", **columns)
    day, turn = (LevelRead(name, INTEGER, name, INTEGER, name) for name in ("day", "turn"))
    order = (LevelTerm(INTEGER, "day"), LevelTerm(INTEGER, "turn"))
    only = (Apply(BOOLEAN, "ne", (order[0], Constant(INTEGER, 5))),)
    asked = (
        metric("LAST", "amount", order=order),
        metric("FIRST", "amount", order=order),
        metric("LAST", "amount", order=order, filter=only),
    )
    backend = PolarsBackend(tmp_path)
    names = ("shop", "day", "turn", "amount")
    found = rows(backend, source(asked, (SHOP,), (day, turn), columns=names))
    assert sorted(found, key=str) == [
        ("S1", None, 2, 1, 10, 1, 1, None, 2, 1),
        ("S2", 50, 5, 1, 40, 4, 9, 40, 4, 9),
        ("S3", None, None, None, None, None, None, None, None, None),
        (None, 70, 7, 1, 70, 7, 1, 70, 7, 1),
    ]
    backend.close()


def test_members_alone(backend):
    members = Metric("m", Operator("MEMBERS"), "sales", None, INTEGER, domain=Domain.QM)
    found = rows(backend, source((members,), (REGION,)))
    assert sorted(found, key=str) == [("East",), (None,)]


def test_the_grand_total_is_one_row_even_without_columns(backend):
    assert rows(backend, source((metric("COUNT"),), columns=())) == [(6,)]


def frame(ordering, anchor=("shop",), window=None):
    sold = source((metric("SUM", "amount"),), (SHOP,))
    held = source(
        (metric("SUM", "held", schema="stock"),), (SHOP,), (), (), "stock", ("shop", "held")
    )
    return FrameQuery((sold, held), (), anchor, None, ordering, window)


def test_frames_are_merged_null_safely_and_ordered(backend):
    sold = MetricTerm(INTEGER, metric("SUM", "amount"))
    by = Apply(INTEGER, "modulo", (sold, Constant(INTEGER, 8)))
    query = frame((Ordering(by, descending=True, nulls_first=False),))
    assert rows(backend, query) == [
        ("S3", 4, None),
        ("S2", 2, None),
        ("S1", 1, 5),
        ("S9", 8, None),
        (None, 16, 6),
        ("S7", None, 7),
    ]
    query = frame((Ordering(by, descending=False, nulls_first=True),))
    assert [row[0] for row in rows(backend, query)] == ["S7", "S9", None, "S1", "S2", "S3"]
    query = frame((), window=Window(1))
    assert [row[0] for row in rows(backend, query)] == ["S1", "S2", "S3", "S7", "S9", None]


def ordered_by(asked, read, where=()):
    by = Ordering(MetricTerm(asked.type, asked), descending=False, nulls_first=False)
    return FrameQuery((source((asked,), (read,), (), where),), (), (read.level,), None, (by,), None)


def test_frames_are_ordered_by_finished_values(backend):
    shop = LevelTerm(TEXT, "shop")

    def among(*names):
        return Apply(BOOLEAN, "in", (shop, *(Constant(TEXT, name) for name in names)))

    # One value has a count, and no spread: NULL comes last.
    spread = ordered_by(metric("STDDEV", "amount"), REGION, (among("S1", "S2", "S9"),))
    spread = replace(spread, sources=(replace(spread.sources[0], filter_levels=(SHOP,)),))
    assert [row[0] for row in rows(backend, spread)] == ["East", None]
    # S1 is emptied and filled with 3, which stands between 2 and 4.
    some = among("S1", "S2", "S3")
    no_s1 = Apply(BOOLEAN, "ne", (shop, Constant(TEXT, "S1")))
    filled = metric("SUM", "amount", fill=3, filter=(no_s1,))
    found = [row[0] for row in rows(backend, ordered_by(filled, SHOP, (some,)))]
    assert found == ["S2", "S1", "S3"]


def test_large_answers_come_in_bounded_batches(tmp_path):
    count = 3 * BATCH_ROWS + 5
    write(tmp_path, "sales", shop=pa.array(range(count)), amount=pa.array(range(count)))
    backend = PolarsBackend(tmp_path)
    read = LevelRead("shop", INTEGER, "shop", INTEGER, "shop")
    running = backend.run(source((metric("SUM", "amount"),), (read,)))
    sizes, total = [], 0
    for batch in running:
        assert batch.schema == running.schema
        sizes.append(batch.num_rows)
        total += sum(batch["m0_value"].to_pylist())
    assert sum(sizes) == count
    assert max(sizes) <= BATCH_ROWS
    assert total == count * (count - 1) // 2
    given_up = backend.run(source((metric("SUM", "amount"),), (read,)))
    assert next(iter(given_up)).num_rows > 0
    given_up.cancel()
    with pytest.raises(BackendCancelled):
        list(given_up)
    backend.close()


def slow(let):
    def sleeping(series):
        assert let.wait(60)
        return series

    frame = pl.LazyFrame({"a": [1]}).select(pl.col("a").map_batches(sleeping, pl.Int64))
    return LazyQuery(frame, (("a", INTEGER),))


def test_giving_up_frees_the_caller():
    let = threading.Event()
    running = PolarsRunning(slow(let))
    try:
        running.cancel()
        with pytest.raises(BackendCancelled):
            list(running)
    finally:
        let.set()


def test_giving_up_stops_the_computation_at_the_next_batch_of_a_table(monkeypatch, tmp_path):
    """A query over a hundred batches is given up at its first, and no more than a few pass."""
    monkeypatch.setattr(parquet_file, "READ_ROWS", 1000)
    write(tmp_path, "sales", amount=range(100_000))
    passed, at_first = [], threading.Event()
    passing = Gate.passed

    def counted(self, batch):
        passed.append(batch.height)
        at_first.set()
        time.sleep(0.02)
        return passing(self, batch)

    monkeypatch.setattr(Gate, "passed", counted)
    backend, over = PolarsBackend(tmp_path), threading.Event()
    running = backend.run(source((metric("SUM", "amount"),), columns=("amount",)))
    running.add_done_callback(over.set)
    assert at_first.wait(60)
    assert not over.is_set()
    running.cancel()
    with pytest.raises(BackendCancelled):
        list(running)
    assert over.wait(60)
    assert len(passed) < 50
    assert set(passed) == {1000}
    # Told at once to whoever asks after the end.
    again = threading.Event()
    running.add_done_callback(again.set)
    assert again.is_set()


def test_of_rows_that_no_filter_takes_the_other_columns_are_not_read(monkeypatch, tmp_path):
    """Of ten groups of rows one is taken, so that the other column is read from one group only."""
    read = []
    reading = pq.ParquetFile.iter_batches

    def counted(self, *given, row_groups, columns, **more):
        read.extend((column, group) for column in columns for group in row_groups)
        return reading(self, *given, row_groups=row_groups, columns=columns, **more)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    table = pa.table({"shop": [str(at // 100) for at in range(1000)], "amount": range(1000)})
    pq.write_table(table, tmp_path / "sales.parquet", row_group_size=100)
    backend = PolarsBackend(tmp_path)
    only = Apply(BOOLEAN, "eq", (LevelTerm(TEXT, "shop"), Constant(TEXT, "7")))
    query = source((metric("SUM", "amount"),), (), (SHOP,), (only,))
    assert rows(backend, query) == [(sum(range(700, 800)),)]
    assert [group for column, group in read if column == "shop"] == list(range(10))
    assert [group for column, group in read if column == "amount"] == [7]
    backend.close()


def test_a_panic_reaches_the_call_that_waits(monkeypatch):
    class Panic(BaseException):
        pass

    def panic(query):
        raise Panic("index out of bounds")

    monkeypatch.setattr(running_module, "narrow", panic)
    with pytest.raises(BackendError, match="could not be read"):
        list(PolarsRunning(slow(threading.Event())))


def test_errors_of_polars_become_ours():
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        pl.select(pl.lit(2**40).cast(pl.Int32))
    assert isinstance(translated(caught.value), ArithmeticOverflow)
    assert type(translated(pl.exceptions.ComputeError("/srv/secret"))) is BackendError
    assert "secret" not in str(translated(OSError("/srv/secret")))


def test_after_closing_nothing_runs(backend):
    backend.close()
    backend.close()
    with pytest.raises(BackendError):
        backend.run(source((metric("COUNT"),)))


def test_the_plan_as_text_shows_no_folder(backend, tmp_path):
    shown = backend.text(source((metric("SUM", "amount"),), (REGION,)))
    assert "sales.parquet" in shown
    assert "shops.parquet" in shown
    assert str(tmp_path) not in shown


def test_edge_maps_are_distinct_and_have_no_null_source(backend):
    known = backend.edge_map(TO_REGION)
    assert known.schema == pa.schema([("source", pa.string()), ("target", pa.string())])
    found = sorted(zip(known["source"].to_pylist(), known["target"].to_pylist(), strict=True))
    assert found == [("S1", "East"), ("S2", "East"), ("S3", None)]


def test_duplicates_are_found_null_safely(backend, tmp_path):
    assert backend.duplicate("sales", ("shop",)) == ("S1",)
    assert backend.duplicate("sales", ("shop", "amount")) is None
    write(tmp_path, "stock", shop=["S1", None, None], held=[5, 6, 6])
    assert backend.duplicate("stock", ("shop", "held")) == (None, 6)
    assert backend.duplicate("stock", ()) == ()


def test_statistics(backend):
    found = backend.statistics("sales", ("shop", "price"))
    assert found.rows == 6
    # NULL may be counted as a member: an estimate is never too small by it.
    assert 4 <= found.members["shop"] <= 5
    assert 3 <= found.members["price"] <= 4
    assert backend.statistics("sales", ()).rows == 6


def test_a_timestamp_is_a_date_only_at_midnight(tmp_path):
    midnight = datetime.datetime(2024, 2, 3)
    read = LevelRead(
        "day", DATE, "day", DATE, "day", (FunctionHop("e", "month", "MONTH_OF", DATE),)
    )
    query = source((metric("COUNT"),), (read,), columns=("day",))
    write(tmp_path, "sales", day=pa.array([midnight, None]))
    backend = PolarsBackend(tmp_path)
    assert sorted(rows(backend, query), key=str) == [(None, 1), (datetime.date(2024, 2, 1), 1)]
    write(tmp_path, "sales", day=pa.array([midnight + datetime.timedelta(microseconds=1)]))
    with pytest.raises(ArithmeticOverflow):
        rows(backend, query)
    backend.close()


def test_decimal_levels_meet_at_one_scale(tmp_path):
    fine = decimal(6, 2)
    read = LevelRead("price", fine, "price", fine, "price")
    query = source((metric("COUNT"),), (read,), columns=("price",))
    write(tmp_path, "sales", price=pa.array([Decimal("1.5"), Decimal("-2.5"), None]))
    backend = PolarsBackend(tmp_path)
    found = sorted(rows(backend, query), key=str)
    assert found == [(Decimal("-2.50"), 1), (Decimal("1.50"), 1), (None, 1)]
    write(tmp_path, "sales", price=pa.array([Decimal("99999.5")]))
    with pytest.raises(ArithmeticOverflow):
        rows(backend, query)
    backend.close()


def test_constants_of_38_digits_are_exact(tmp_path):
    wide = decimal(38, 2)
    large = Decimal("999999999999999999999999999999999999.99")
    write(
        tmp_path, "sales", price=pa.array([large, large.copy_negate(), None], pa.decimal128(38, 2))
    )
    price = ColumnTerm(wide, "sales", "price")
    asked = tuple(
        metric("COUNT", filter=(Apply(BOOLEAN, function, (price, Constant(wide, large))),))
        for function in ("eq", "lt", "ge", "distinct")
    )
    backend = PolarsBackend(tmp_path)
    assert rows(backend, source(asked, columns=("price",))) == [(1, 1, 1, 2)]
    backend.close()


def test_zoned_moments_are_cut_on_their_own_clock(tmp_path):
    paris = DataType(Kind.TIMESTAMP, zone="Europe/Paris")
    moment = datetime.datetime(2024, 2, 1, 23, 30, tzinfo=datetime.UTC)
    write(tmp_path, "sales", at=pa.array([moment, None], pa.timestamp("ms", "Europe/Paris")))
    at = LevelRead("at", paris, "at", paris, "at")
    day = LevelRead("day", DATE, "at", paris, "at", (FunctionHop("e", "day", "DAY_OF", DATE),))
    later = Apply(
        BOOLEAN,
        "lt",
        (LevelTerm(paris, "at"), Constant(paris, moment + datetime.timedelta(minutes=1))),
    )
    backend = PolarsBackend(tmp_path)
    found = backend.run(source((metric("COUNT"),), (at, day), (), (later,), columns=("at",)))
    [batch] = list(found)
    assert batch.schema.field("at").type == pa.timestamp("us", "Europe/Paris")
    assert batch.to_pylist() == [{"at": moment, "day": datetime.date(2024, 2, 2), "m0_value": 1}]
    backend.close()


def test_hours_of_days_are_timestamps(tmp_path):
    read = LevelRead(
        "hour", TIMESTAMP, "day", DATE, "day", (FunctionHop("e", "hour", "HOUR_OF", TIMESTAMP),)
    )
    write(tmp_path, "sales", day=pa.array([datetime.date(2024, 2, 3)]))
    backend = PolarsBackend(tmp_path)
    query = source((metric("COUNT"),), (read,), columns=("day",))
    assert rows(backend, query) == [(datetime.datetime(2024, 2, 3), 1)]
    backend.close()


def test_what_is_not_there(backend, tmp_path):
    for table in ("gone", "../sales", "nested/sales"):
        with pytest.raises(BackendError) as caught:
            backend.run(source((metric("COUNT"),), table=table))
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(BackendError):
        backend.run(source((metric("COUNT"),), columns=("nothing",)))
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(BackendError):
        backend.tables()


def test_opened_by_an_installation(tmp_path):
    (tmp_path / "data").mkdir()
    found = open_backend(BackendSettings("polars", "data"), tmp_path)
    assert isinstance(found, PolarsBackend)
    assert found.id == "polars:data"
    assert found.capabilities().answers
    with pytest.raises(SetupError):
        open_backend(BackendSettings("polars", "nowhere"), tmp_path)
    with pytest.raises(SetupError):
        open_backend(BackendSettings("polars", "data", {"threads": 2}), tmp_path)
