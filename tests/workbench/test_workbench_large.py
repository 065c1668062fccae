"""A collection of 760 metrics and 300 levels: its names are there at once, and the page is fluent.

Times are of the processor, as Chromium counts them for the page's own thread: a machine that is
busy with something else does not count. Its caches are shared all the same, so the best of some
turns counts.
"""

from __future__ import annotations

import json

import large_collection
import pytest
from browsing import Spent, best, run_query
from playwright.sync_api import Page, Response, expect

pytestmark = pytest.mark.slow

MOST_STEP_SECONDS = 0.3
"""A reader sees tasks past a tenth of a second as a jerk; the rest is left to slow machines."""
MOST_SHOWN_SECONDS = 1.5
LINE_PIXELS = 26
DESCRIBE = "/runtime/describe"


def asks_for_cells(response: Response) -> bool:
    """Return whether it answers what the matrix has in view."""
    body = response.request.post_data or ""
    return DESCRIBE in response.url and '"names"' in body and '"at"' in body


def scroll(page: Page, selector: str, spent: Spent) -> float:
    """Scroll from top to bottom by half pages; return what the worst step took."""
    view = page.locator(selector)
    steps = range(0, large_collection.METRICS * LINE_PIXELS, 400)
    script = "(view, top) => { view.scrollTop = top }"
    return max(spent.on(lambda top=top: view.evaluate(script, top)) for top in steps)


def test_the_names_are_shown_as_they_come_and_the_matrix_by_what_is_in_view(large, watch):
    watched = watch(large)
    watched.context.add_init_script(
        """new MutationObserver(() => {
             if (document.querySelector('[role=treeitem]')) window.shown ??= performance.now();
           }).observe(document, {childList: true, subtree: true});"""
    )

    def shown_after() -> float:
        page = watched.context.new_page()
        thread = Spent(page)
        page.goto(f"{large.page}/catalogue")
        page.get_by_role("treeitem", name="Metrics").wait_for()
        wall = page.evaluate(
            "(window.shown - performance.getEntriesByType('resource')"
            ".find((item) => item.name.includes('detail=names')).responseEnd) / 1000"
        )
        # Of the processor, all that the page took since it was opened is counted.
        seconds = min(wall, thread.so_far())
        page.close()
        return seconds

    assert best(shown_after, MOST_SHOWN_SECONDS) <= MOST_SHOWN_SECONDS
    page = watched.context.new_page()
    told: list[Response] = []
    # Playwright marks what handles an event, and a method of a list cannot be marked.
    page.on("response", lambda response: told.append(response))
    # A button of the matrix is there before the cells, which are asked for once scrolling rests.
    with page.expect_response(asks_for_cells):
        page.goto(f"{large.page}/catalogue")
    expect(page.get_by_role("treeitem", name="Metrics")).to_contain_text(
        str(large_collection.METRICS)
    )
    expect(page.locator(".matrix button").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    described = [response for response in told if DESCRIBE in response.url]
    sizes = {response.url: len(response.body()) for response in described}
    assert sum(len(response.body()) for response in described) < 1_000_000, sizes


def test_scrolling_and_finding_never_hold_the_page_up(large, watch):
    page = watch(large).open()
    page.get_by_role("treeitem", name="Metrics").click()
    spent = Spent(page)
    tree = "[role=tree]"
    assert best(lambda: scroll(page, tree, spent), MOST_STEP_SECONDS) <= MOST_STEP_SECONDS
    assert page.get_by_role("treeitem").count() < 80
    find = page.get_by_label("find a metric, a level or a saved frame")

    def write_and_take_back() -> float:
        find.click()
        keys = [*"f39_m1", *["Backspace"] * 6]
        return max(spent.on(lambda key=key: page.keyboard.press(key)) for key in keys)

    assert best(write_and_take_back, MOST_STEP_SECONDS) <= MOST_STEP_SECONDS
    find.fill("f39_rate")
    page.get_by_role("treeitem", name="f39_rate").click()
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    expect(editor).to_contain_text("f39_rate")


def test_the_matrix_is_scrolled_and_tells_why(large, watch):
    page = watch(large).open("/catalogue/matrix")
    spent = Spent(page)
    expect(page.locator(".matrix button").first).to_be_visible()
    assert best(lambda: scroll(page, ".matrix", spent), MOST_STEP_SECONDS) <= MOST_STEP_SECONDS
    last = f"f{large_collection.FACTS - 1}_rate"
    cell = page.get_by_role("button", name=f"{last} at d0_key").first
    page.locator(".matrix").evaluate("(view) => { view.scrollTop = view.scrollHeight }")
    expect(cell).to_be_visible()
    cell.click()
    chosen = page.locator(".chosen").inner_text()
    told = page.request.post(
        f"{large.page}/runtime/describe",
        data=json.dumps({"names": [last], "at": ["d0_key"]}),
        headers={"content-type": "application/json"},
    ).json()
    (anchors, *_) = told["collections"][0]["metrics"][0]["anchors"]
    reasons = [item["reason"] for item in anchors["blocked"]]
    assert all(reason in chosen for reason in reasons)
    assert reasons or "may be asked" in chosen


def test_the_tree_is_walked_by_keys(large, watch):
    page = watch(large).open()
    tree = page.get_by_role("tree")
    expect(page.get_by_role("treeitem", name="Metrics")).to_be_visible()
    tree.focus()
    for key in ("ArrowRight", "ArrowRight", "End", "Home", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("textbox", name="Query in Frame-QL")).to_contain_text("f0_m0")
    tree.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treeitem", name="Metrics")).to_have_attribute("aria-expanded", "false")


def test_pages_of_one_metric_and_one_level_and_a_query(large, watch):
    watched = watch(large)
    page = watched.open("/catalogue/metric/f0_m3")
    row = page.get_by_role("row", name="day calendar")
    expect(row).to_contain_text("may be asked")
    page = watched.open("/catalogue/level/day")
    rows = page.get_by_role("region", name="Metrics at this level").get_by_role("row")
    expect(rows).to_have_count(101)
    page.get_by_role("button", name="more metrics").click()
    expect(rows).to_have_count(large_collection.METRICS + 1)
    page = watched.open()
    run_query(page, "SELECT day, f0_m0 AT day")
    expect(page.locator(".outcome")).to_contain_text("60 rows")
