"""SQL on the page: answered as Frame-QL is, with badge and chips and its plan."""

from __future__ import annotations

import pytest
from browsing import run_query
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

BY_REGION = "SELECT region, SUM(revenue) AS r FROM metrics GROUP BY region ORDER BY r DESC"
RANKED = f"WITH q AS ({BY_REGION}) SELECT region, RANK() OVER (ORDER BY r DESC) AS k FROM q"


def cells(page: Page) -> list[str]:
    return page.locator(".grid .drawn [role=gridcell]").all_inner_texts()


def test_a_question_of_sql_has_rows_chips_and_a_plan(retail, watch):
    page = watch(retail).open()
    run_query(page, BY_REGION)
    expect(page.locator(".badge").first).to_contain_text("Engine")
    assert cells(page) == ["Central", "3868636.36", "West", "3316449.82", "East", "2901857.26"]
    expect(page.get_by_text("SUM(revenue) AS r").first).to_be_visible()
    page.get_by_role("tab", name="Plan").click()
    expect(page.locator(".panel svg")).to_contain_text("SUM(revenue)")


def test_sql_of_several_questions_has_a_plan_of_all_of_them(retail, watch):
    page = watch(retail).open()
    run_query(page, RANKED)
    assert sorted(zip(cells(page)[::2], cells(page)[1::2], strict=True)) == [
        ("Central", "1"),
        ("East", "3"),
        ("West", "2"),
    ]
    page.get_by_role("tab", name="Plan").click()
    drawn = page.locator(".panel svg")
    expect(drawn).to_contain_text("window[rank]")
    question = drawn.locator("[data-kind=island]")
    expect(question).to_have_count(1)
    question.click()
    expect(page.locator(".panel .detail")).to_contain_text("SELECT region, SUM(revenue)")
    page.get_by_role("tab", name="SQL").click()
    expect(page.locator(".panel")).to_contain_text("The back-end is not asked")


def test_what_the_catalogue_answers_says_that_it_has_no_plan(retail, watch):
    page = watch(retail).open()
    run_query(page, "SELECT table_name FROM information_schema.tables")
    page.get_by_role("tab", name="Plan").click()
    expect(page.locator(".panel")).to_contain_text("has no plan")


def test_what_is_wrong_in_sql_is_said_in_the_words_of_sql(retail, watch):
    page = watch(retail).open()
    run_query(page, "SELECT regio, SUM(revenue) FROM metrics GROUP BY regio")
    expect(page.get_by_role("alert")).to_contain_text("did you mean region")
