"""Law 7: integers and decimals are exact or OVERFLOW, by every route, to the last bit."""

import shutil
import struct
import tempfile
from decimal import Context, Decimal, localcontext
from pathlib import Path

import pytest
from budget import HEAVY
from hypothesis import given
from hypothesis import strategies as st
from rig import NO_CACHE, SHARED, MemoryBackend, MemorySource, rows_of

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.catalog import read_collection
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import ArithmeticOverflow

COLLECTION = read_collection("""
version: 1
name: big
schemas:
  - {name: t, table: t, grain: [k], columns: {k: k, g: g, i: i, j: j, d: d, e: e}}
dimension_families:
  - {name: keys, levels: [k, g]}
metric_families:
  - {name: i, family_root: {schema: t, column: i}, ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: j, family_root: {schema: t, column: j}, ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: d, family_root: {schema: t, column: d}, ip_reducers: [{operator: SUM, a_block: []}]}
  - {name: e, family_root: {schema: t, column: e}, ip_reducers: [{operator: SUM, a_block: []}]}
""")
SOURCE = MemorySource()
KINDS = {"k": "int", "g": "text", "i": "int", "j": "int", "d": (38, 2), "e": (38, 10)}
TOP = 2**63 - 1
BIG = Decimal("9" * 36 + ".99")
LEAST = Decimal("-" + "9" * 36 + ".99")
WIDE = Context(prec=120)

integers = st.sampled_from([None, 0, 1, -1, 2**62, -(2**62), TOP, -TOP - 1, 3, 10**9])
decimals = st.sampled_from(
    [None, BIG, LEAST, *map(Decimal, ("0.01", "-0.01", "12345678901234567.89", "4e35", "-4e35"))]
)
fine = st.sampled_from([None, Decimal("0.0000000001"), Decimal("2.5000000000"), Decimal("9e27")])
rows = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), integers, integers, decimals, fine),
    max_size=6,
)


class Ledger:
    """One engine over the big numbers."""

    def __init__(self, data):
        found = [dict(zip(KINDS, (number, *row), strict=True)) for number, row in enumerate(data)]
        SOURCE.load({"t": KINDS}, {"t": found})
        self.rows = found
        self._folder = Path(tempfile.mkdtemp(dir=SHARED if SHARED.is_dir() else None))
        self.engine = MetricEngine(COLLECTION, self._folder, MemoryBackend(SOURCE))
        self.serving = Runtime("big", {"big": self.engine})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.serving.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, query, **options):
        return rows_of(answer(Request(query, **options), self.serving))

    def by_every_route(self, query):
        """The rows or None for OVERFLOW: cold, streamed, warm, and from finer entries."""
        found = [self._tried(query, freshness=NO_CACHE)]
        self.engine.stream_rows = -1
        found.append(self._tried(query, freshness=NO_CACHE))
        self.engine.stream_rows = 1_000_000
        found.append(self._tried(query))
        self.engine.store.drop(entry.entry_id for entry in self.engine.store.holdings())
        for name in ("i", "j", "d", "e"):
            self._tried(f"SELECT k, g, {name}, COUNT({name}) AS n AT (k, g)")
        found.append(self._tried(query))
        found.append(self._tried(query))
        return found

    def _tried(self, query, **options):
        try:
            return self.ask(query, **options)
        except ArithmeticOverflow:
            return None

    def total(self, name, group=...):
        known = [
            row[name] for row in self.rows if row[name] is not None and group in (..., row["g"])
        ]
        with localcontext(WIDE):
            return sum(known[1:], known[0]) if known else None


def fits(value, kind):
    """The value, or OVERFLOW."""
    if value is None:
        return None
    if kind == "int":
        return value if -TOP - 1 <= value <= TOP else OverflowError
    with localcontext(WIDE):
        unscaled = int(Decimal(value).scaleb(kind))
    return value if abs(unscaled) < 10**38 else OverflowError


OPERATIONS = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
}


@HEAVY
@given(rows)
def test_law_7_sums_are_exact_or_overflow_by_every_route(data):
    with Ledger(data) as ledger:
        for name, kind in (("i", "int"), ("d", 2), ("e", 10)):
            expected = fits(ledger.total(name), kind)
            wanted = None if expected is OverflowError else [(expected,)]
            assert ledger.by_every_route(f"SELECT {name} AT ()") == [wanted] * 5, name
            groups = {row["g"] for row in ledger.rows}
            values = {group: fits(ledger.total(name, group), kind) for group in groups}
            wanted = None if OverflowError in values.values() else values
            found = ledger.by_every_route(f"SELECT g, {name} AT g")
            assert [rows if rows is None else dict(rows) for rows in found] == [wanted] * 5, name


@HEAVY
@given(rows, st.sampled_from("+-*"), st.sampled_from(["ij", "id", "de", "ie", "dd"]))
def test_law_7_formulas_are_exact_or_overflow_by_every_route(data, operator, names):
    scales = {"i": 0, "j": 0, "d": 2, "e": 10}
    one, other = names
    with Ledger(data) as ledger:
        sides = [
            fits(ledger.total(name), "int" if name in "ij" else scales[name]) for name in names
        ]
        kind = scales[one] + scales[other] if operator == "*" else max(scales[one], scales[other])
        if "i" in names and "j" in names:
            kind = "int"
        if OverflowError in sides:
            wanted = None
        elif None in sides:
            wanted = [(None,)]
        else:
            with localcontext(WIDE):
                value = fits(OPERATIONS[operator](*sides), kind)
            wanted = None if value is OverflowError else [(value,)]
        query = f"SELECT {one} {operator} {other} AS x AT ()"
        assert ledger.by_every_route(query) == [wanted] * 5, query


def bits(value):
    """A double to its last bit."""
    return struct.pack("<d", value) if isinstance(value, float) else value


@HEAVY
@given(rows)
def test_law_7_division_and_means_are_of_doubles_null_by_zero_and_the_same_to_the_bit(data):
    with Ledger(data) as ledger:
        for one, other in (("i", "j"), ("d", "i")):
            sides = [
                fits(ledger.total(name), "int" if name in "ij" else {"d": 2, "e": 10}[name])
                for name in (one, other)
            ]
            if OverflowError in sides:
                wanted = None
            elif None in sides or sides[1] == 0:
                wanted = [(None,)]
            else:
                wanted = [(bits(float(sides[0]) / float(sides[1])),)]
            found = ledger.by_every_route(f"SELECT {one} / {other} AS x AT ()")
            found = [rows and [tuple(map(bits, row)) for row in rows] for rows in found]
            assert found == [wanted] * 5, (one, other)
        for name, kind in (("i", "int"), ("e", 10)):
            total = fits(ledger.total(name), kind)
            number = sum(row[name] is not None for row in ledger.rows)
            if total is OverflowError:
                wanted = None
            else:
                wanted = [(bits(float(total) / number) if number else None,)]
            found = ledger.by_every_route(f"SELECT AVG({name}) AS a AT ()")
            found = [rows and [tuple(map(bits, row)) for row in rows] for rows in found]
            assert found == [wanted] * 5, name


def test_law_7_three_times_two_to_the_62nd_does_not_wrap():
    with Ledger([("a", 2**62, None, None, None)] * 3) as ledger:
        assert ledger.by_every_route("SELECT i AT ()") == [None] * 5
        with pytest.raises(ArithmeticOverflow):
            ledger.ask("SELECT SUM(i @ k) AS x AT ()")
        with pytest.raises(ArithmeticOverflow):
            ledger.ask("SELECT k, MAX(i) * 4 AS x AT k")


def test_law_7_the_variance_of_close_large_numbers_survives_a_rollup():
    data = [("a", 10**9 + more, None, None, None) for more in (0, 1, 2)]
    with Ledger(data) as ledger:
        ledger.ask("SELECT k, VAR(i) AS v AT k")
        found = answer(Request("SELECT VAR(i) AS v AT ()"), ledger.serving)
        assert str(found.provenance.served_from) == "engine_cache"
        assert rows_of(found) == [(pytest.approx(1.0, rel=1e-9),)]


def test_law_7_a_part_of_a_sum_may_pass_what_the_whole_does_not():
    data = [("a", None, None, number, None) for number in (LEAST, LEAST, BIG)]
    with Ledger(data) as ledger:
        assert ledger.by_every_route("SELECT d AT ()") == [[(LEAST,)]] * 5
        assert ledger.by_every_route("SELECT g, AVG(d) AS a AT g") == [[("a", -1e36 / 3)]] * 5
