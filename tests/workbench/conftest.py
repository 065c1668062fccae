"""A browser, two servers whose pages it looks at, and a watch over what goes wrong there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import CHROMIUM, Watched, missing
from playwright.sync_api import Browser, expect, sync_playwright
from served import (
    Served,
    serving,
    with_users,
    without_engine,
    write_large,
    write_odd,
    write_retail,
)

expect.set_options(timeout=60_000)
"""A busy machine takes its time, and what is expected comes in the end or never."""

RAN = "foreign client"
"""The property under which the end of the run counts what could not be exercised."""


@pytest.fixture(autouse=True)
def needed(record_property: Callable[[str, object], None]) -> None:
    """Skip loudly where the browser or the page is missing; in CI, fail."""
    reason = missing()
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    record_property(RAN, ["the page", None, reason])
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retail demonstration, written once."""
    return write_retail(tmp_path_factory.mktemp("retail"))


@pytest.fixture(scope="module")
def retail(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The retail demonstration, served anew for each module."""
    folder = tmp_path_factory.mktemp("served") / "retail"
    shutil.copytree(written, folder)
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="module")
def plain(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The retail demonstration with the engine off."""
    with serving(without_engine(written, tmp_path_factory.mktemp("plain") / "retail")) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The retail demonstration, for alice and bob alone."""
    with serving(with_users(written, tmp_path_factory.mktemp("guarded") / "retail")) as served:
        yield served


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A collection of 760 metrics and 300 levels."""
    with serving(write_large(tmp_path_factory.mktemp("large"))) as served:
        yield served


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A million rows, and hostile texts."""
    with serving(write_odd(tmp_path_factory.mktemp("odd"))) as served:
        yield served


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Return what opens a watched context; at the end nothing may have gone wrong in any."""
    opened: list[Watched] = []

    def begin(served: Served, **options: object) -> Watched:
        watched = Watched(browser, served.page, **options)
        opened.append(watched)
        return watched

    yield begin
    wrong = [item for watched in opened for item in watched.wrong]
    for watched in opened:
        watched.close()
    assert wrong == []
