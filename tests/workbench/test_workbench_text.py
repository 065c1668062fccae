"""A text is never lost: over errors, reloads, links with another, and a server that went away."""

from __future__ import annotations

import re
import shutil
import time
from urllib.parse import urlsplit

import pytest
from browsing import Watched, badge, run_query
from playwright.sync_api import Route, expect
from served import serving

pytestmark = pytest.mark.slow

TEXT = "SELECT region, revenue AT region -- ¿é🙂 'x' & #1 %41"
LATE = """
const soon = window.setTimeout;
window.setTimeout = (work, wait, ...more) => (wait === 250 ? 0 : soon(work, wait, ...more));
"""
"""The moment behind a letter, before the address holds it, lasts as long as the page does."""


def written_text(page) -> str:
    return page.get_by_role("textbox", name="Query in Frame-QL").inner_text()


def write(page, text: str) -> None:
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    editor.click()
    editor.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def test_a_text_is_there_after_a_reload_at_once_and_without_its_address(retail, watch):
    watched = watch(retail)
    page = watched.open()
    write(page, TEXT)
    page.reload()
    assert written_text(page) == TEXT
    # Another tab, opened by the bare address.
    assert written_text(watched.open()) == TEXT


def test_a_text_is_there_where_the_address_does_not_hold_it_yet(retail, watch):
    watched = watch(retail)
    page = watched.open(q="SELECT cost AT region")
    watched.context.add_init_script(LATE)
    page.reload()
    write(page, TEXT)
    page.reload()
    assert written_text(page) == TEXT
    # Elsewhere on the page and back, by the browser's own button.
    write(page, "SELECT units AT region")
    page.get_by_role("link", name="Engine").click()
    page.get_by_role("heading", name="Manifest").wait_for()
    page.go_back()
    assert written_text(page) == "SELECT units AT region"
    # Another tab has its own.
    other = watched.open(q="SELECT cost AT region")
    write(other, "SELECT profit AT region")
    page.reload()
    assert written_text(page) == "SELECT units AT region"


def test_a_query_of_the_engines_page_is_opened_by_a_click(retail, watch):
    page = watch(retail).open()
    for text in ("SELECT week, cost AT week", "SELECT week, units AT week"):
        run_query(page, text)
        expect(page.locator(".outcome .badge")).to_be_visible()
    page.get_by_role("link", name="Engine").click()
    page.get_by_role("link", name="SELECT week, cost AT week").first.click()
    expect(page.get_by_role("textbox", name="Query in Frame-QL")).to_have_text(
        "SELECT week, cost AT week"
    )


def test_a_link_with_another_text_puts_the_draft_into_the_history(retail, watch):
    watched = watch(retail)
    write(watched.open(), TEXT)
    page = watched.open(q="SELECT cost AT region")
    assert written_text(page) == "SELECT cost AT region"
    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name=TEXT).click()
    assert written_text(page) == TEXT


def test_a_refused_text_stays_and_its_hint_is_a_click(retail, watch):
    page = watch(retail).open()
    run_query(page, "SELECT region, revenu AT region")
    assert "revenue" in page.locator(".refused").inner_text()
    assert written_text(page) == "SELECT region, revenu AT region"
    page.locator(".cm-lintRange-error").first.hover()
    page.get_by_role("button", name="Write it so").click()
    expect(page.get_by_role("textbox", name="Query in Frame-QL")).to_have_text(
        "SELECT region, revenue AT region"
    )


def cut(route: Route) -> None:
    """Answer with what the server answers, but for its last bytes."""
    answer = route.fetch()
    route.fulfill(status=answer.status, headers=answer.headers, body=answer.body()[:-8])


def test_a_text_stands_over_refusals_and_answers_that_end_in_the_middle(retail, watch):
    watched = watch(retail)
    page = watched.open()
    watched.away = True
    page.route("**/runtime/query", lambda route: route.abort("connectionreset"))
    run_query(page, TEXT)
    assert "does not answer" in page.locator(".refused").inner_text()
    assert written_text(page) == TEXT
    page.unroute("**/runtime/query")
    # Cut behind its rows, it would be read as the whole of an answer.
    page.route("**/runtime/query", cut)
    run_query(page)
    expect(page.locator(".refused")).to_contain_text("ended in the middle")
    assert written_text(page) == TEXT
    page.unroute("**/runtime/query")
    run_query(page, "SELECT region, revenu AT region")
    page.reload()
    assert written_text(page) == "SELECT region, revenu AT region"
    page.get_by_role("button", name="History").click()
    expect(page.get_by_role("button", name=TEXT)).to_be_visible()
    watched.away = False


def test_chips_and_text_are_one_state(retail, watch):
    page = watch(retail).open()
    write(page, "SELECT region, revenue AT region")
    expect(page.locator(".shelf .chip")).to_have_count(2)
    page.get_by_role("button", name="add to WHERE").click()
    page.get_by_label("add to WHERE").fill("region = 'East'")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Query in Frame-QL")).to_contain_text(
        re.compile(r"WHERE region = 'East'")
    )
    write(page, "SELECT region, revenue AT region LIMIT 2 OFFSET 1")
    expect(page.locator(".shelf.grey")).to_be_visible()
    assert written_text(page) == "SELECT region, revenue AT region LIMIT 2 OFFSET 1"


def slowly(route: Route) -> None:
    """Answer as a server does that takes its time."""
    answer = route.fetch()
    time.sleep(2)
    route.fulfill(response=answer)


def test_completion_by_the_keys_comes_while_the_page_may_be_asking_by_itself(retail, watch):
    page = watch(retail).open()
    page.route("**/runtime/complete", slowly)
    page.get_by_role("textbox", name="Query in Frame-QL").click()
    page.keyboard.insert_text("SELECT on_hand AT ")
    # Long enough for the page to have asked, had it wanted to.
    page.wait_for_timeout(500)
    page.keyboard.press("Control+ ")
    options = page.locator(".cm-tooltip-autocomplete li")
    expect(options.first).to_have_text(re.compile("^month"))
    page.unroute("**/runtime/complete")


def test_completion_offers_what_is_lawful_and_says_why_the_rest_is_not(retail, watch):
    page = watch(retail).open()
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    editor.click()
    page.keyboard.insert_text("SELECT on_hand AT ")
    page.keyboard.press("Control+ ")
    options = page.locator(".cm-tooltip-autocomplete li")
    # What is lawful comes first, in the order of the server.
    expect(options.first).to_have_text(re.compile("^month"))
    illegal = page.locator(".cm-tooltip-autocomplete li.illegal", has_text="product")
    expect(illegal).to_be_attached()
    for _ in range(20):
        if "product" in page.locator(".cm-tooltip-autocomplete li[aria-selected]").inner_text():
            break
        page.keyboard.press("ArrowDown")
    expect(page.locator(".cm-completionInfo")).to_contain_text("FAN_OUT")
    assert written_text(page) == "SELECT on_hand AT "


def test_a_server_that_is_restarted_in_between_loses_nothing(written, tmp_path, browser):
    folder = tmp_path / "retail"
    shutil.copytree(written, folder)
    with serving(folder) as served:
        port = urlsplit(served.page).port
        watched = Watched(browser, served.page)
        page = watched.open()
        run_query(page, "SELECT region, revenue AT region")
        assert badge(page) == "Engine cache"
    watched.away = True
    expect(page.locator(".light[data-state=away]")).to_be_visible()
    write(page, TEXT)
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.locator(".refused")).to_contain_text("does not answer")
    assert written_text(page) == TEXT
    with serving(folder, http_port=port):
        expect(page.locator(".light[data-state=ok]")).to_be_visible()
        assert written_text(page) == TEXT
        page.keyboard.press("ControlOrMeta+Enter")
        expect(page.locator(".outcome .badge")).to_have_text(re.compile("Engine cache"))
        page.reload()
        assert written_text(page) == TEXT
        watched.away = False
    assert watched.wrong == []
    watched.close()
