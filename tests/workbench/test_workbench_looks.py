"""Each page in both themes, wide and on a phone: for everybody, and nothing beside the edge."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from browsing import AXE, SIZES, run_query
from playwright.sync_api import expect

pytestmark = pytest.mark.slow

PAGES = {
    "query": ("/", "SELECT region, SUM(revenue) AS total_revenue AT region"),
    "chart": ("/", "SELECT region, month, revenue AT (region, month)"),
    "plan": ("/", "SELECT category, margin AT category"),
    "catalogue": ("/catalogue", None),
    "metric": ("/catalogue/metric/on_hand", None),
    "level": ("/catalogue/level/region", None),
    "frame": ("/catalogue/frame/monthly_sales", None),
    "engine": ("/engine?min_hits=0&min_age_days=0&min_hits_per_day=0", None),
    "help": ("/help/frame-ql", None),
}
SERIOUS = {"serious", "critical"}


def shot_folder(tmp_path: Path) -> Path:
    """Return where the pictures go: `WORKBENCH_SHOTS` keeps them."""
    folder = Path(os.environ.get("WORKBENCH_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_for_everybody(size, theme, retail, watch, tmp_path):
    width, height = SIZES[size]
    watched = watch(retail, color_scheme=theme, viewport={"width": width, "height": height})
    found: list[str] = []
    for name, (path, query) in PAGES.items():
        if query is None:
            page = watched.open(path)
            expect(page.locator("h1").last).to_be_visible()
            page.wait_for_load_state("networkidle") if name != "engine" else expect(
                page.get_by_role("heading", name="Manifest")
            ).to_be_visible()
        else:
            tab = name if name in ("chart", "plan") else "rows"
            page = watched.open(path, q=query, tab=tab)
            run_query(page)
            mark = {"rows": ".grid .drawn .line", "chart": "svg.plot", "plan": "svg .box"}[tab]
            expect(page.locator(mark).first).to_be_visible()
        page.screenshot(path=shot_folder(tmp_path) / f"{name}-{theme}-{size}.png")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if overflow > 0:
            found.append(f"{name}: {overflow} px beside the edge")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{name}: {item['id']} {[node['html'][:120] for node in item['nodes'][:3]]}"
            for item in result["violations"]
            if item["impact"] in SERIOUS
        ]
        page.close()
    assert found == [], json.dumps(found, indent=1, ensure_ascii=False)


def test_everything_is_reached_by_the_keyboard(retail, watch):
    page = watch(retail).open()
    expect(page.locator(".light")).to_contain_text("connected")
    reached: set[str] = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => {
                  let item = document.activeElement;
                  while (item?.shadowRoot?.activeElement) item = item.shadowRoot.activeElement;
                  return (item?.getAttribute('aria-label') ?? item?.textContent ?? '').trim();
                }"""
            )
        )
        if "Query in Frame-QL" in reached:
            break
    assert {"Skip to the page", "Query in Frame-QL", "add to WHERE"} <= reached
    # The editor lets go of the focus: Tab goes on to what runs the query.
    page.keyboard.press("Escape")
    page.keyboard.type("SELECT revenue AT ()")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run"
