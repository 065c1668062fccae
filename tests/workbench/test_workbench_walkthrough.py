"""The walkthrough's step 6 and what leads there, by clicks: ask, see where from, promote."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys

import pytest
from browsing import badge, cells, run_query
from playwright.sync_api import expect

pytestmark = pytest.mark.slow

FLAGSHIP = "SELECT region, SUM(revenue) AS total_revenue AT region"
# Written by hand from the walkthrough, step 2.
REGIONS = [["Central", "3868636.36"], ["East", "2901857.26"], ["West", "3316449.82"]]


def test_a_warmed_query_is_of_the_cache_and_a_cold_one_becomes_so(retail, watch):
    page = watch(retail).open()
    run_query(page, FLAGSHIP)
    assert badge(page) == "Engine cache"
    assert cells(page) == REGIONS

    cold = "SELECT region, store, SUM(revenue) AS r FROM transactions AT (region, store)"
    run_query(page, cold)
    expect(page.locator(".outcome .badge")).to_have_text(re.compile("Engine → backend"))
    assert page.locator(".outcome").inner_text().split("\n")[-1].strip().endswith("13 rows")
    run_query(page, cold)
    expect(page.locator(".outcome .badge")).to_have_text(re.compile("Engine cache"))

    run_query(page, "SELECT week, revenue, units AT week")
    expect(page.locator(".outcome .badge")).to_have_text(re.compile(r"Engine \+ backend"))
    labels = page.locator(".provenance article h3").all_inner_texts()
    assert [text.split() for text in labels] == [
        ["revenue", "Engine", "cache"],
        ["units", "Engine", "→", "backend"],
    ]


def test_with_the_engine_off_the_badge_is_grey(plain, watch):
    page = watch(plain).open()
    run_query(page, FLAGSHIP)
    assert badge(page) == "Backend"
    assert cells(page) == REGIONS


def test_every_why_not_of_the_plan_is_that_of_explain(retail, watch):
    page = watch(retail).open(q="SELECT category, cost AT category", tab="plan")
    answer = page.request.post(
        f"{retail.page}/runtime/explain", data={"source": "SELECT category, cost AT category"}
    ).json()
    why = [step["why_not"] for step in answer["steps"] if step["why_not"]]
    assert why
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("svg .box[data-kind=column]")).to_have_count(2)
    expect(page.locator("svg .box[data-kind=fetch]")).to_have_count(1)
    told = page.locator("#panel ul li").all_inner_texts()
    assert "; ".join(told[: len(told)]).startswith("; ".join(why)[: len("; ".join(told))])


def test_an_anchor_with_time_is_a_line_and_the_choice_stands_in_the_address(retail, watch):
    page = watch(retail).open(q="SELECT region, month, revenue AT (region, month)", tab="chart")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("svg.plot path[stroke]").first).to_be_attached()
    assert page.locator(".legend li").all_inner_texts() == ["Central", "East", "West"]
    page.locator(".chart select").first.select_option("heat")
    expect(page).to_have_url(re.compile("chart=heat"))
    expect(page.locator("svg.plot rect").first).to_be_attached()


def test_thresholds_to_zero_then_apply_then_promote_what_is_shown(retail, watch):
    page = watch(retail).open()
    for _ in range(2):
        run_query(page, "SELECT day, SUM(revenue) AS r AT day")
    page.get_by_role("link", name="Engine").click()
    manifest = page.locator("section", has=page.get_by_role("heading", name="Manifest"))
    expect(manifest.get_by_role("row", name=re.compile(r"revenue \(day\) SUM"))).to_be_visible()
    assert "% of 1.0 GiB" in page.locator(".tiles").inner_text()

    expect(page.get_by_text("Nothing is used so much.")).to_be_visible()
    for field in ("min_hits", "min_age_days", "min_hits_per_day"):
        page.locator(f"input[name={field}]").fill("0")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("min_hits=0&min_age_days=0&min_hits_per_day=0"))
    stanza = page.locator("article", has_text="revenue at (day)").locator("pre").inner_text()
    assert stanza.startswith("# Add to metric_family 'revenue' in ac.yaml:\ncache_hint:")
    assert "- [day]   # Engine-recommended:" in stanza

    before = retail.collection.read_text(encoding="utf-8")
    page.get_by_role("button", name="Promote revenue at (day)").click()
    expect(page.locator("dialog .diff .added").first).to_be_visible()
    shown = page.locator("dialog .diff span").all_inner_texts()
    assert retail.collection.read_text(encoding="utf-8") == before
    page.get_by_role("button", name="Write it").click()
    expect(page.get_by_text("Written.")).to_be_visible()
    after = retail.collection.read_text(encoding="utf-8")
    written = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "a/ac.yaml", "b/ac.yaml", lineterm=""
    )
    assert [line.rstrip("\n") for line in shown if line.strip("\n")] == list(written)
    assert any("[day]" in line for line in shown if line.startswith("+"))

    page.get_by_role("button", name="Close").click()
    row = manifest.get_by_role("row", name=re.compile(r"revenue \(day\) SUM"))
    expect(row).to_contain_text("hinted")
    # Read anew, by the server and by the browser: it is there and hinted still.
    reloaded = page.request.post(f"{retail.page}/runtime/reload", headers={"x-flightframe": "1"})
    assert reloaded.ok
    page.reload()
    expect(row).to_contain_text("hinted")
    expect(page.locator("article", has_text="revenue at (day)")).to_have_count(0)


def test_sql_and_code_are_of_the_query_and_the_code_runs(retail, watch):
    cold = "SELECT category, units AT category"
    page = watch(retail).open(q=cold)
    asked = page.request.post(f"{retail.page}/runtime/explain", data={"source": cold}).json()
    texts = [item["text"] for item in asked["sql"]]
    assert texts
    run_query(page)
    expect(page.locator(".outcome .badge")).to_have_text(re.compile("Engine → backend"))
    page.get_by_role("tab", name="SQL").click()
    expect(page.locator("#panel pre").first).to_be_visible()
    shown = page.locator("#panel pre").all_inner_texts()
    assert [" ".join(text.split()) for text in shown] == [" ".join(text.split()) for text in texts]

    run_query(page, FLAGSHIP)
    page.get_by_role("tab", name="Code").click()
    programs = page.locator("#panel section")
    python = programs.filter(has=page.get_by_role("heading", name="Python")).locator("pre")
    done = subprocess.run(
        [sys.executable, "-c", python.inner_text()], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert all(number in done.stdout for _, number in REGIONS)
    assert done.stdout.rstrip().endswith("engine_cache")


def test_answers_over_time_are_drawn_as_they_come(retail, watch):
    watched = watch(retail)
    engine = watched.open("/engine")
    chart = engine.locator("svg.bars")
    expect(chart).to_have_attribute("aria-label", re.compile("^0 answers"))
    page = watched.open()
    for query in (FLAGSHIP, "SELECT quarter, units AT quarter"):
        run_query(page, query)
        expect(page.locator(".outcome .badge")).to_be_visible()
    expect(chart).to_have_attribute("aria-label", re.compile("^[1-9]"))
    assert engine.locator("svg.bars rect").count() > 0


def test_an_answer_may_lag_as_much_as_the_reader_says_and_the_address_has_it(retail, watch):
    page = watch(retail).open(q=FLAGSHIP)
    run_query(page)
    with page.expect_request("**/runtime/query") as waiting:
        page.get_by_label("may lag behind the data").select_option("3600")
    assert waiting.value.post_data_json["max_staleness"] == 3600
    expect(page).to_have_url(re.compile("lag=3600"))
    page.reload()
    with page.expect_request("**/runtime/query") as waiting:
        run_query(page)
    assert waiting.value.post_data_json["max_staleness"] == 3600


def test_a_statement_can_be_evicted_and_the_last_queries_are_the_readers_own(retail, watch):
    page = watch(retail).open()
    run_query(page, "SELECT quarter, cost AT quarter")
    page.get_by_role("link", name="Engine").click()
    row = page.get_by_role("row", name=re.compile(r"cost \(quarter\) SUM"))
    expect(row).to_be_visible()
    row.get_by_role("button", name=re.compile("Evict")).click()
    expect(row).to_have_count(0)
    last = page.locator("section", has=page.get_by_role("heading", name="Your last queries"))
    expect(last.get_by_role("link", name="SELECT quarter, cost AT quarter").first).to_be_visible()


SAVED = "SELECT * FROM monthly_sales LIMIT 10"
COLUMNS = ["region", "month", "revenue", "units", "profit", "margin"]


def test_a_saved_frame_is_found_in_the_catalogue_and_asked_from_there(retail, watch):
    page = watch(retail).open("/catalogue")
    tables = page.get_by_role("region", name="Saved frames")
    expect(
        tables.get_by_role("row", name=re.compile("monthly_sales region, month"))
    ).to_be_visible()
    tables.get_by_role("link", name="monthly_sales").click()
    expect(page.locator("h1").last).to_have_text("monthly_sales")
    columns = page.get_by_role("region", name="Columns").locator("tbody tr")
    assert [line.split() for line in columns.all_inner_texts()] == [
        ["region", "text"], ["month", "date"], ["revenue", "decimal(38,2)"], ["units", "integer"],
        ["profit", "decimal(38,2)"], ["margin", "double"],
    ]  # fmt: skip
    page.get_by_role("link", name=SAVED).click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".grid .drawn .line")).to_have_count(10)
    asked = {"sql": SAVED}
    told = page.request.post(f"{retail.page}/runtime/query", data=asked).json()
    assert told["columns"] == COLUMNS
    assert [row[0] for row in cells(page)] == [row[0] for row in told["rows"]]


def test_a_saved_frame_of_the_tree_is_asked_and_the_text_before_goes_to_the_history(retail, watch):
    page = watch(retail, viewport={"width": 1280, "height": 800}).open()
    run_query(page, FLAGSHIP)
    page.get_by_role("treeitem", name="monthly_sales").click()
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    expect(editor).to_have_text(SAVED)
    run_query(page)
    expect(page.locator(".grid .drawn .line")).to_have_count(10)
    page.go_back()
    expect(editor).to_have_text(FLAGSHIP)
