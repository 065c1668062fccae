"""A page in Chromium that is watched: what goes wrong behind the reader's back fails the test.

What comes in: a browser. What goes out: pages, and what was wrong on them: errors on the console,
breaches of the page's policy, and requests to any host but the server's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PAGE = Path(__file__).parents[2] / "server" / "flightframe_server" / "web" / "page"
AXE = Path(__file__).parents[2] / "workbench" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1280, 800), "phone": (390, 844)}

_WATCH_POLICY = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} of ${event.blockedURI}`));
"""


def missing() -> str | None:
    """Return what the tests of the page need and this machine lacks, None where it is all there."""
    if not Path(CHROMIUM).is_file():
        return "there is no Chromium: apt-get install chromium"
    if not (PAGE / "index.html").is_file():
        return "the page is not built: make page"
    return None if AXE.is_file() else "what the page is built with is not there: make page"


_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Watched:
    """A browser context whose pages are watched.

    Args:
        browser: what opens it.
        address: where the server answers.
    """

    def __init__(self, browser: Browser, address: str, **options: object) -> None:
        """Open it; see the class."""
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.away = False
        self._host = urlsplit(address).netloc
        self.address = address
        self.context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
        self.context.set_default_timeout(120_000)
        self.context.add_init_script(_WATCH_POLICY)
        self.context.on("request", self._request)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.wrong.append(f"error: {error.error}"))

    def open(self, path: str = "/", **state: str) -> Page:
        """Open a page; keys are put into its fragment."""
        page = self.context.new_page()
        page.goto(f"{self.address}{path}{'#' + urlencode(state) if state else ''}")
        return page

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.asked.append(request.url)
            if parts.netloc != self._host:
                self.wrong.append(f"asked another host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # A server that is stopped on purpose, and a query that is refused, are told of by Chromium.
        expected = "Failed to load resource" in message.text and (
            self.away or "status of 4" in message.text or "status of 501" in message.text
        )
        if message.type in ("error", "warning") and not expected:
            self.wrong.append(f"console: {message.text}")

    def close(self) -> None:
        """Close it."""
        self.context.close()


class Spent:
    """What the page's own thread spends, in seconds of the processor.

    A machine that is busy with something else does not count.

    Args:
        page: whose thread it is.
    """

    def __init__(self, page: Page) -> None:
        """Count from now on; see the class."""
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def so_far(self) -> float:
        """Return what it has spent so far."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return {item["name"]: item["value"] for item in metrics}["TaskDuration"]

    def on(self, work: Callable[[], object]) -> float:
        """Return what it spends on something, until that is drawn."""
        before = self.so_far()
        work()
        self._page.evaluate(_DRAWN)
        return self.so_far() - before


def best(turn: Callable[[], float], enough: float, turns: int = 5) -> float:
    """Return the least of some turns; one that is good enough is the last."""
    least = turn()
    for _ in range(turns - 1):
        if least <= enough:
            break
        least = min(least, turn())
    return least


def run_query(page: Page, text: str | None = None) -> None:
    """Write a query over the one that stands there, and run it by the keys."""
    editor = page.get_by_role("textbox", name="Query in Frame-QL")
    editor.click()
    if text is not None:
        editor.press("ControlOrMeta+a")
        page.keyboard.insert_text(text)
    page.keyboard.press("ControlOrMeta+Enter")
    page.locator(".outcome .badge, .refused").first.wait_for()


def badge(page: Page) -> str:
    """Return the words of the badge beside the number of rows."""
    return page.locator(".outcome .badge").inner_text().strip()


def cells(page: Page) -> list[list[str]]:
    """Return the rows that are drawn."""
    rows = page.locator(".grid .drawn .line")
    return [line.locator("[role=gridcell]").all_inner_texts() for line in rows.all()]
