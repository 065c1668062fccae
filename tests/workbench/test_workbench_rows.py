"""A million rows, exact numbers, and texts that would like to be markup."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browsing import run_query
from playwright.sync_api import Page, expect
from served import HOSTILE, LONG_NAME, MILLION, RIGHT_TO_LEFT

pytestmark = pytest.mark.slow

ALL = "SELECT point, size, weight, large AT point ORDER BY point"


def test_a_million_rows_are_scrolled_to_the_last_and_sorted(odd, watch, tmp_path):
    page = watch(odd).open()
    run_query(page, ALL)
    expect(page.locator(".rows .tools")).to_contain_text(f"{MILLION:,} rows, all of them")
    grid = page.get_by_role("grid")
    assert grid.get_attribute("aria-rowcount") == str(MILLION + 1)
    grid.focus()
    page.keyboard.press("Control+End")
    last = page.get_by_role("row").filter(has_text=str(MILLION - 1)).first
    expect(last).to_be_visible()
    # (MILLION - 1) / 100, by hand; and an integer that no double is.
    assert "10460.45" in last.inner_text()
    assert "9007199254740993" in last.inner_text()
    drawn = page.locator(".grid .drawn .line").count()
    assert drawn < 80
    frames = page.evaluate(
        """async () => {
          const grid = document.querySelector('.grid');
          const started = performance.now();
          let count = 0;
          while (performance.now() - started < 1000) {
            grid.scrollTop = (grid.scrollHeight * (count % 97)) / 97;
            await new Promise(requestAnimationFrame);
            count += 1;
          }
          return [count, document.querySelectorAll('.grid .drawn .line').length];
        }"""
    )
    assert frames[0] >= 5, "the table does not follow the hand"
    assert frames[1] > 5
    page.screenshot(path=tmp_path / "million.png")


def test_null_is_a_sign_of_its_own_and_markup_is_text(odd, watch):
    watched = watch(odd)
    page = watched.open()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    run_query(page, "SELECT kind, size AT kind ORDER BY size")
    texts = page.locator(".grid .drawn [role=gridcell]").all_inner_texts()
    assert texts[::2][:3] == [HOSTILE, "∅", RIGHT_TO_LEFT]
    assert texts[1::2][:3] == ["0.00", "0.01", "0.02"]
    page.get_by_role("tab", name="Chart").click()
    expect(page.locator("svg.plot")).to_be_visible()
    page.get_by_role("tab", name="Code").click()
    expect(page.locator("#panel pre").first).to_be_visible()
    for path in ("/catalogue", "/catalogue/metric/size", f"/catalogue/metric/{LONG_NAME}",
                 "/catalogue/level/kind", "/catalogue/metric/%3Cimg%3E", "/engine"):  # fmt: skip
        page = watched.open(path)
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        expect(page.locator("h1").last).to_be_visible()
        assert page.locator("img").count() == 0
    assert dialogs == []


FILES = "SELECT point, kind, size, weight, large AT (point, kind) ORDER BY point LIMIT 40000"


def saved(page: Page, button: str, folder: Path) -> Path:
    """Press a button that offers a file; return the file."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_parquet_file_has_the_rows_and_the_types_that_the_server_sent(odd, watch, tmp_path):
    page = watch(odd).open()
    run_query(page, FILES)
    expect(page.locator(".rows .tools")).to_contain_text("40,000 rows, all of them")
    table = pq.read_table(saved(page, "Parquet", tmp_path))
    with pa.ipc.open_stream(saved(page, "Arrow", tmp_path).read_bytes()) as stream:
        sent = stream.read_all()
    assert table.schema == sent.schema
    assert table.equals(sent)
    assert b"flightframe" in table.schema.metadata
    with duckdb.connect(str(odd.folder / "odd.duckdb"), read_only=True) as database:
        rows = database.execute(
            "SELECT id, kind, size, weight, large FROM points ORDER BY id LIMIT 40000"
        ).fetchall()
    assert [tuple(row.values()) for row in table.to_pylist()] == rows

    page.get_by_label("Find in these rows only").fill(RIGHT_TO_LEFT)
    expect(page.locator(".rows .tools")).to_contain_text("1 row of 40,000 rows")
    found = pq.read_table(saved(page, "Parquet", tmp_path))
    assert found.column("kind").to_pylist() == [RIGHT_TO_LEFT]
    assert found.column("point").to_pylist() == [2]


def test_a_parquet_file_has_days_and_moments_and_no_rows_where_there_are_none(
    retail, watch, tmp_path
):
    page = watch(retail).open()
    for query in (
        "SELECT day, store, revenue, margin AT (day, store)",
        "SELECT day, revenue WHERE region = 'nowhere' AT day",
    ):
        run_query(page, query)
        expect(page.locator(".outcome .badge")).to_be_visible()
        table = pq.read_table(saved(page, "Parquet", tmp_path))
        with pa.ipc.open_stream(saved(page, "Arrow", tmp_path).read_bytes()) as stream:
            sent = stream.read_all()
        assert table.schema == sent.schema
        assert table.equals(sent)


def test_the_head_of_a_column_of_numbers_stands_over_its_numbers(odd, watch):
    page = watch(odd).open()
    run_query(page, "SELECT kind, size, weight AT kind")
    for name in ("size", "weight"):
        head = page.get_by_role("columnheader", name=name)
        number = page.locator(".grid .drawn .line").first.locator(
            f"[aria-colindex='{head.get_attribute('aria-colindex')}']"
        )
        above, below = head.bounding_box(), number.bounding_box()
        assert above is not None
        assert below is not None
        assert abs(above["x"] + above["width"] - below["x"] - below["width"]) < 1
        assert abs(above["x"] - below["x"]) < 1


def test_a_filter_and_a_sort_are_of_the_rows_that_are_shown(odd, watch):
    page = watch(odd).open()
    run_query(page, "SELECT kind, size, weight AT kind")
    page.get_by_label("Find in these rows only").fill("plain")
    expect(page.locator(".rows .tools")).to_contain_text("1 row of 4 rows")
    page.get_by_label("Find in these rows only").fill("")
    page.get_by_role("columnheader", name="size").get_by_role("button").click()
    page.get_by_role("columnheader", name="size").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="size")).to_have_attribute(
        "aria-sort", "descending"
    )
    assert page.locator(".grid .drawn [role=gridcell]").all_inner_texts()[0] == "plain"
