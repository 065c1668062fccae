"""The formats of `flightframe query`: what is written, character by character."""

import datetime
import io
import json
import sys
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from flightframe import Result
from flightframe_server.cli import console as module
from flightframe_server.cli.formats import write_arrow, write_csv, write_json, write_table

Make = Callable[..., Result]

TABLE = pa.table(
    {
        "shop": ["a", None, 'b "x", \x1b[31m'],
        "total": pa.array([Decimal("0.30"), None, Decimal("12345678901234567890.05")]),
        "n": pa.array([1, 2, 9007199254740993]),
        "day": [datetime.date(2024, 2, 1)] * 3,
    }
)


def test_a_table_is_exact_and_flush_right(result: Make, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(result(TABLE))

    def line(shop: str, total: str, n: str, day: str) -> str:
        return f"{shop:15}   {total:>23}   {n:>16}   {day}"

    assert capsys.readouterr().out.splitlines() == [
        line("shop", "total", "n", "day"),
        "─" * (15 + 3 + 23 + 3 + 16 + 3 + 10),
        line("a", "0.30", "1", "2024-02-01"),
        line("NULL", "NULL", "2", "2024-02-01"),
        line('b "x", \\x1b[31m', "12345678901234567890.05", "9007199254740993", "2024-02-01"),
        "3 rows · served_from: engine_cache",
    ]


NOTE = "'west' is no known member of region; did you mean 'West'?"


def test_remarks_stand_below_a_table_and_beside_every_other_format(
    result: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pa.table({"n": [1]})
    write_table(result(rows, notes=(NOTE, "a \x1b[31m red one")))
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"note: {NOTE}",
        "note: a \\x1b[31m red one",
    ]
    for write in (write_json, write_csv):
        write(result(rows, notes=(NOTE,)))
        out, err = capsys.readouterr()
        assert "west" not in out
        assert err == f"note: {NOTE}\n"


def test_a_table_shows_the_first_rows_and_counts_all(
    result: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(result(pa.table({"n": [1, 2, 3, 4, 5]}), "backend"), 3)
    out = capsys.readouterr().out
    assert out.splitlines()[2:] == [
        "1",
        "2",
        "3",
        "5 rows (the first 3 shown) · served_from: backend",
    ]


def test_a_table_of_nothing(result: Make, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(result(TABLE.slice(0, 0)))
    assert capsys.readouterr().out.splitlines()[-1] == "0 rows · served_from: engine_cache"


def test_json_is_the_shape_of_the_walkthrough(
    result: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(result(TABLE))
    assert capsys.readouterr().out == (
        "{\n"
        '  "ac_name": "shop",\n'
        '  "columns": ["shop", "total", "n", "day"],\n'
        '  "rows": [\n'
        '    ["a", 0.30, 1, "2024-02-01"],\n'
        '    [null, null, 2, "2024-02-01"],\n'
        '    ["b \\"x\\", \\u001b[31m", 12345678901234567890.05, 9007199254740993, "2024-02-01"]\n'
        "  ],\n"
        '  "row_count": 3,\n'
        '  "served_from": "engine_cache"\n'
        "}\n"
    )


def test_json_of_no_rows(result: Make, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(result(TABLE.slice(0, 0), "engine_backend"))
    assert json.loads(capsys.readouterr().out) == {
        "ac_name": "shop",
        "columns": ["shop", "total", "n", "day"],
        "rows": [],
        "row_count": 0,
        "served_from": "engine_backend",
    }


class Binary:
    """A stdout with bytes under it."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()

    def flush(self) -> None:
        pass


def written(monkeypatch: pytest.MonkeyPatch, write: Callable[[Result], None], of: Result) -> bytes:
    stdout = Binary()
    monkeypatch.setattr(sys, "stdout", stdout)
    write(of)
    monkeypatch.undo()
    return stdout.buffer.getvalue()


def test_csv_quotes_texts_and_tells_null_from_empty(
    result: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"shop": ["", None, 'b"'], "total": pa.array([Decimal("0.30"), None, None])})
    assert written(monkeypatch, write_csv, result(table)) == (
        b'"shop","total"\n"",0.30\n,\n"b""",\n'
    )


def test_csv_of_no_rows_has_its_header(result: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    none = TABLE.slice(0, 0)
    assert written(monkeypatch, write_csv, result(none)) == b'"shop","total","n","day"\n'


def test_arrow_is_a_whole_stream(result: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, write_arrow, result(TABLE))
    assert pa.ipc.open_stream(stream).read_all() == TABLE


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(8, 90),
    numbers=st.lists(st.decimals(-(10**30), 10**30, places=2), min_size=1, max_size=3),
    text=st.text("abc ", max_size=30),
)
def test_no_terminal_is_too_narrow_for_a_number(
    width: int, numbers: list[Decimal], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr(module, "out", console)
    amounts = pa.array(numbers, pa.decimal128(38, 2))
    table = pa.table({"text": [text] * len(numbers), "m": amounts, "again": amounts})
    module.show_table(module.rows_table(module.first_rows(table.schema, table.to_batches())))
    words = stream.getvalue().replace("─", " ").split()
    for number in numbers:
        assert words.count(format(number, "f")) >= 2
