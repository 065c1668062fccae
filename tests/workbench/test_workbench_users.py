"""Users of one server, each at a page: signing in and out, and nothing of one at the other's."""

from __future__ import annotations

import re

import pytest
from browsing import Watched, badge, run_query
from playwright.sync_api import Page, expect
from served import PASSWORDS, Served

pytestmark = pytest.mark.slow

SECRET = "SELECT region, revenue WHERE store = 'S07' AT region -- alices own words"
ELSEWHERE = "SELECT month, cost WHERE store = 'S07' AT month -- not on that page"
MARKS = ("S07", "alices own words", "alice")
"""What is alice's: a value that she compares with, her words, her name."""


def sign_in(page: Page, user: str, password: str | None = None) -> None:
    form = page.locator("form", has=page.get_by_role("heading", name="Who asks?"))
    form.get_by_label("User").fill(user)
    form.get_by_label("Password").fill(password or PASSWORDS[user])
    form.get_by_role("button", name="Sign in").click()


def read_all(watched: Watched) -> list[tuple[str, str]]:
    """Return what the pages of a context are sent from now on, as it comes."""
    came: list[tuple[str, str]] = []

    def note(response) -> None:
        if "/assets/" not in response.url and "/runtime/events" not in response.url:
            came.append((response.url, response.text()))

    watched.context.on("requestfinished", lambda request: note(request.response()))
    return came


def look_at_every_page(page: Page, served: Served, after: str) -> str:
    """Go through the pages as a reader does; return all that was seen."""
    seen = []
    pages = {
        "/": ".cm-content",
        "/catalogue": ".matrix button",
        "/engine?min_hits=0&min_age_days=0&min_hits_per_day=0": "#last-title",
    }
    for path, ready in pages.items():
        page.goto(f"{served.page}{path}")
        page.locator(ready).first.wait_for()
        page.wait_for_function("document.body.innerText.length > 100")
        seen.append(page.locator("body").inner_text())
        seen.append(page.locator(".cm-content").inner_text() if path == "/" else "")
    # The engine's page has asked for all of its lists by now.
    expect(page.get_by_text(re.compile("of all users"))).to_be_visible()
    expect(page.locator("section", has=page.locator("#last-title"))).to_contain_text(after)
    seen.append(page.locator("body").inner_text())
    return "\n".join(seen)


def test_the_page_asks_who_asks_and_keeps_the_text(guarded, watch):
    page = watch(guarded).open()
    expect(page.get_by_role("heading", name="Who asks?")).to_be_visible()
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    editor.click()
    page.keyboard.insert_text("SELECT region, revenue AT region")
    sign_in(page, "alice", "a guess")
    expect(page.locator("form .refused")).to_contain_text("wrong")
    sign_in(page, "alice")
    expect(page.locator(".user")).to_have_text("alice")
    expect(page.get_by_role("heading", name="Who asks?")).to_have_count(0)
    assert editor.inner_text() == "SELECT region, revenue AT region"
    run_query(page)
    assert badge(page) == "Engine cache"
    page.reload()
    expect(page.locator(".user")).to_have_text("alice")
    assert editor.inner_text() == "SELECT region, revenue AT region"


def test_a_refusal_for_want_of_credentials_is_no_dialog_of_the_browser(guarded, watch):
    page = watch(guarded).open()
    with page.expect_response("**/runtime/describe*") as waiting:
        page.reload()
    assert waiting.value.status == 401
    assert not waiting.value.headers["www-authenticate"].lower().startswith("basic")


def test_nothing_of_one_user_is_at_the_page_of_another(guarded, watch):
    first = watch(guarded)
    page = first.open()
    sign_in(page, "alice")
    expect(page.locator(".user")).to_have_text("alice")
    for _ in range(2):
        run_query(page, SECRET)
    page.get_by_role("link", name="Engine").click()
    expect(page.locator("section", has=page.locator("#last-title"))).to_contain_text(MARKS[1])

    second = watch(guarded)
    came = read_all(second)
    other = second.open()
    sign_in(other, "bob")
    expect(other.locator(".user")).to_have_text("bob")
    run_query(other, "SELECT category, cost AT category")
    seen = look_at_every_page(other, guarded, "SELECT category, cost")
    asked = {url.removeprefix(guarded.page) for url, _ in came}
    assert {"/runtime/queries", "/runtime/statements"} <= asked
    assert any("/engine/manifest" in url for url, _ in came)
    assert any("/engine/recommendations" in url for url, _ in came)
    for mark in MARKS:
        assert [url for url, text in came if mark in text] == []
        assert mark not in seen
    # Both pages do have what is the reader's own, and what is everybody's.
    assert "revenue" in seen
    assert "store" in seen


def test_who_signs_out_leaves_nothing_for_the_next(guarded, watch):
    watched = watch(guarded)
    page = watched.open()
    sign_in(page, "alice")
    expect(page.locator(".user")).to_have_text("alice")
    run_query(page, SECRET)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who asks?")).to_be_visible()
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    assert MARKS[0] not in editor.inner_text()
    sign_in(page, "bob")
    expect(page.locator(".user")).to_have_text("bob")
    for mark in MARKS:
        assert mark not in page.locator("body").inner_text()
    assert MARKS[0] not in editor.inner_text()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who asks?")).to_be_visible()
    sign_in(page, "alice")
    expect(editor).to_contain_text(MARKS[1])


def test_a_session_that_ends_takes_its_answers_along_and_its_text_comes_back(guarded, watch):
    watched = watch(guarded)
    page = watched.open()
    sign_in(page, "alice")
    expect(page.locator(".user")).to_have_text("alice")
    run_query(page, SECRET)
    expect(page.locator(".outcome .badge")).to_be_visible()
    other = watched.open(q=ELSEWHERE)
    expect(other.locator(".user")).to_have_text("alice")
    run_query(other)
    expect(other.locator(".outcome .badge")).to_be_visible()

    # Ended by the server, and by no click on either page.
    ended = watched.context.request.post(
        f"{guarded.page}/runtime/logout", headers={"x-flightframe": "1"}
    )
    assert ended.ok
    for tab in (page, other):
        expect(tab.get_by_text("The session has ended")).to_be_visible()
        expect(tab.locator(".grid")).to_have_count(0)
        assert_nothing_of_alice(tab)
    sign_in(page, "bob")
    for tab in (page, other):
        expect(tab.locator(".user")).to_have_text("bob")
        expect(tab.get_by_role("heading", name="Who asks?")).to_have_count(0)
        assert_nothing_of_alice(tab)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who asks?")).to_be_visible()
    sign_in(page, "alice")
    # Each tab has its own text again.
    for tab, text in ((page, MARKS[1]), (other, "not on that page")):
        expect(tab.get_by_role("textbox", name="Query in Frame-QL")).to_contain_text(text)


def assert_nothing_of_alice(tab: Page) -> None:
    seen = tab.locator("body").inner_text() + tab.locator(".cm-content").inner_text() + tab.url
    assert [mark for mark in (*MARKS, "not on that page") if mark in seen] == []


def test_who_may_not_promote_is_told_so(guarded, watch):
    page = watch(guarded).open()
    sign_in(page, "bob")
    expect(page.locator(".user")).to_have_text("bob")
    before = guarded.collection.read_text(encoding="utf-8")
    page.goto(f"{guarded.page}/engine?min_hits=0&min_age_days=0&min_hits_per_day=0")
    page.get_by_role("button", name=re.compile("^Refresh")).first.click()
    expect(page.locator(".refused")).to_contain_text("NOT_PERMITTED")
    assert guarded.collection.read_text(encoding="utf-8") == before
