"""Does each row function give on every back-end, and here, what was written down by hand?

Each expression of the YAML beside this file is a column computed from five rows, asked of DuckDB,
SQLite and Polars as such, and evaluated by the composer over the same rows.
"""

import json
import math
import random
import struct
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml
from conformance_tables import export, open_backends

from flightframe_server.answer import Request, Runtime, answer
from flightframe_server.arrow_types import arrow_type
from flightframe_server.catalog import read_collection
from flightframe_server.catalog.declared_types import read_type
from flightframe_server.composer.evaluate import evaluate
from flightframe_server.composer.row_functions import cast
from flightframe_server.engine import MetricEngine
from flightframe_server.errors import FlightframeError
from flightframe_server.resolver.typed import type_collection

DOCUMENT = yaml.load((Path(__file__).parent / "row_functions.yaml").read_text(), yaml.BaseLoader)
CASES = DOCUMENT["cases"]
COLUMNS = {
    "k": "integer",
    "i": "integer",
    "j": "integer",
    "d": "decimal(12,3)",
    "w": "decimal(18,10)",
    "x": "double",
    "s": "text",
    "n": "text",
    "b": "boolean",
    "day": "date",
    "moment": "timestamp",
}
NAMES = ["duckdb", "sqlite", "polars", "composer"]


def read(written, type_):
    """A value of the YAML, which keeps all of them as text."""
    declared = arrow_type(read_type(type_))
    if written in (None, "null"):
        return pa.scalar(None, declared)
    if pa.types.is_boolean(declared):
        return pa.scalar({"true": True, "false": False}[written], declared)
    if pa.types.is_floating(declared):
        return pa.scalar(float(written.removeprefix(".")), declared)
    if pa.types.is_integer(declared):
        return pa.scalar(int(written), declared)
    return pa.scalar(Decimal(written) if pa.types.is_decimal(declared) else written).cast(declared)


def table_of(columns, rows):
    arrays = [
        pa.array([read(row.get(name), type_).as_py() for row in rows], arrow_type(read_type(type_)))
        for name, type_ in columns.items()
    ]
    return pa.table(arrays, names=list(columns))


def collection_of(columns, computed):
    """A collection of one table whose columns are given, with a family for each computed one."""
    own = {name: name for name in columns}
    made = {f"c{at}": {"expr": expr, "type": type_} for at, (expr, type_) in enumerate(computed)}
    families = [
        {
            "name": f"f{at}",
            "family_root": {"schema": "t", "column": f"c{at}"},
            "ip_reducers": [{"operator": "MAX"}],
        }
        for at in range(len(computed))
    ]
    document = {
        "version": 1,
        "name": "rows",
        "schemas": [{"name": "t", "grain": ["k"], "columns": own | made}],
        "dimension_families": [{"name": "keys", "levels": ["k"]}],
        "metric_families": families,
    }
    return read_collection(json.dumps(document, ensure_ascii=False))


class Rows:
    """One table in every back-end, and expressions over it."""

    def __init__(self, folder, columns, table, computed):
        self.table, self.computed = table, computed
        database = folder / "rows.duckdb"
        with duckdb.connect(str(database)) as connection:
            connection.register("given", table)
            connection.execute("CREATE TABLE t AS SELECT * FROM given")
        self.backends = open_backends(export(database, folder))
        collection = collection_of(columns, computed)
        self.typed = type_collection(collection, self.backends["duckdb"].tables())
        self.engines = {
            name: MetricEngine(collection, folder / name, backend, enabled=False)
            for name, backend in self.backends.items()
        }

    def values(self, at, name):
        """The values of one expression by one way, in the order of k, or the code of its error."""
        try:
            return self._composed(at) if name == "composer" else self._asked(at, name)
        except FlightframeError as error:
            return error.code

    def _asked(self, at, name):
        serving = Runtime("test", {"rows": self.engines[name]})
        found = answer(Request(f"SELECT k, MAX(f{at}) AS v AT k"), serving).table
        return found["v"].combine_chunks().to_pylist()

    def _composed(self, at):
        term, declared = self.typed.computed["t", f"c{at}"], read_type(self.computed[at][1])
        found = evaluate(term, lambda leaf: self.table[leaf.column], self.table.num_rows)
        return cast(found, term.type, declared).to_pylist()

    def close(self):
        for backend in self.backends.values():
            backend.close()


def bits(values):
    """Values of which doubles are told apart to the last bit; every NaN is one."""
    return [
        ("nan" if math.isnan(value) else struct.pack(">d", value).hex())
        if isinstance(value, float)
        else value
        for value in values
    ]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    computed = [(case["expr"], case["type"]) for case in CASES]
    table = table_of(COLUMNS, DOCUMENT["rows"])
    made = Rows(tmp_path_factory.mktemp("rows"), COLUMNS, table, computed)
    yield made
    made.close()


@pytest.mark.parametrize("at", range(len(CASES)), ids=[case["expr"] for case in CASES])
def test_a_row_function_gives_what_was_written_down(at, rows):
    case = CASES[at]
    found = {name: rows.values(at, name) for name in NAMES}
    if "error" in case:
        assert found == dict.fromkeys(NAMES, case["error"])
        return
    wanted = bits([read(value, case["type"]).as_py() for value in case["values"]])
    assert {name: bits(values) for name, values in found.items()} == dict.fromkeys(NAMES, wanted)


def unlike(tmp_path, columns, table, computed):
    """Each expression on which some way differs from the composer, to the last bit."""
    made = Rows(tmp_path, columns, table, computed)
    try:
        found = []
        for at, (expr, _) in enumerate(computed):
            ways = {name: made.values(at, name) for name in NAMES}
            ways = {name: v if isinstance(v, str) else bits(v) for name, v in ways.items()}
            found += [
                (expr, name, table.column(1)[index].as_py(), mine, other)
                for name in NAMES
                for index, (mine, other) in enumerate(
                    zip(ways[name], ways["composer"], strict=True)
                )
                if mine != other
            ]
        return found
    finally:
        made.close()


def test_every_letter_has_one_capital_and_one_small_letter_everywhere(tmp_path):
    letters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    # The final sigma, and what Python would make of several letters, have no say.
    texts = ["".join(letters[at : at + 512]) for at in range(0, len(letters), 512)]
    texts += ["ΟΔΟΣ", "ΟΔΟΣ ΟΔΟΣ.", "ŒUF DIJK", "ﬀ ŉ ΐ", "i̇"]
    table = pa.table({"k": range(len(texts)), "s": texts})
    computed = [("LOWER(s)", "text"), ("UPPER(s)", "text")]
    assert unlike(tmp_path, {"k": "integer", "s": "text"}, table, computed) == []


def test_rounding_and_casting_doubles_is_the_same_to_the_bit_everywhere(tmp_path):
    chance = random.Random(1)
    # A SQLite file keeps no negative zero, so that none is among them; results may well be.
    numbers = [2.675, 1.005, 0.5, -0.5, 0.49999999999999994, 4503599627370497.5, 2.0**53, 0.0]
    numbers += [1e-310, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 9.5, -9.5, 0.285]
    numbers += [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(300)]
    numbers += [round(chance.uniform(-1e6, 1e6), chance.randint(0, 6)) for _ in range(300)]
    table = pa.table({"k": range(len(numbers)), "x": numbers})
    places = (-22, -3, -1, 0, 1, 2, 5, 15, 22)
    computed = [(f"ROUND(x, {count})", "double") for count in places]
    computed += [("x / 1000", "double"), ("1000 / x", "double"), ("x / 3e0 * k", "double")]
    computed += [
        (
            "CASE WHEN x BETWEEN -1e9 AND 1e9 THEN CAST(ROUND(x, 3) AS decimal(18,3)) END",
            "decimal(18,3)",
        ),
        ("CASE WHEN x BETWEEN -1e18 AND 1e18 THEN CAST(ROUND(x) AS integer) END", "integer"),
    ]
    assert unlike(tmp_path, {"k": "integer", "x": "double"}, table, computed) == []


def test_rounding_decimals_is_exact_everywhere(tmp_path):
    chance = random.Random(2)
    digits = [chance.randint(-(10**14), 10**14) for _ in range(200)]
    digits += [5 * 10**power * sign for power in range(14) for sign in (1, -1)]
    numbers = [Decimal(value).scaleb(-4) for value in digits]
    table = pa.table({"k": range(len(numbers)), "d": pa.array(numbers, pa.decimal128(18, 4))})
    places = (-15, -14, -11, -10, -1, 0, 1, 2, 3)
    computed = [(f"ROUND(d, {count})", f"decimal(38,{max(count, 0)})") for count in places]
    assert unlike(tmp_path, {"k": "integer", "d": "decimal(18,4)"}, table, computed) == []


def test_rounding_a_decimal_is_what_arithmetic_says(rows):
    at = next(at for at, case in enumerate(CASES) if case["expr"] == "ROUND(d, 2)")
    numbers = [row.get("d") for row in DOCUMENT["rows"]]
    wanted = [
        None if number is None else Decimal(number).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for number in numbers
    ]
    assert all(rows.values(at, name) == wanted for name in NAMES)
