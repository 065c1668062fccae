"""Files that change on disk: renamed over, written in place, half written, broken, gone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, MANIFEST, OTHER

from flightframe_server.reload.watch import ReloadWatch

SETTLE = 0.2


def until(holds, seconds=120.0):
    """Wait for something to hold."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never did"
        time.sleep(0.02)


@pytest.fixture
def reloads(shop, monkeypatch) -> Iterator[list]:
    """What each reload of a watched shop reported."""
    found = []
    reload = shop.opened.reloader.reload

    def noted():
        outcome = reload()
        found.append(outcome)
        return outcome

    monkeypatch.setattr(shop.opened.reloader, "reload", noted, raising=False)
    watch = ReloadWatch(shop.opened.reloader, files=True, poll_seconds=0.02, settle_seconds=SETTLE)
    watch.start()
    yield found
    watch.close()


def test_a_file_that_is_renamed_over_is_served(shop, reloads):
    shop.write("ac.yaml", OTHER)
    until(lambda: shop.totals() == AS_OTHER)
    shop.write("ac.yaml", AC)
    until(lambda: shop.totals() == AS_WRITTEN)
    assert [outcome.changed for outcome in reloads] == [("shop",), ("shop",)]


def test_a_file_that_is_written_in_place_is_served(shop, reloads):
    (shop.folder / "ac.yaml").write_text(OTHER)
    until(lambda: shop.totals() == AS_OTHER)


def test_a_link_that_leads_elsewhere_is_followed(shop, reloads):
    (shop.folder / "v2.yaml").write_text(OTHER)
    os.symlink("v2.yaml", shop.folder / "link")
    os.replace(shop.folder / "link", shop.folder / "ac.yaml")
    until(lambda: shop.totals() == AS_OTHER)


@pytest.mark.slow
def test_a_half_of_a_file_is_never_served(shop, reloads):
    """A half that ends with a line is as valid as the whole, and lacks what follows."""
    half = OTHER[: OTHER.index("  - name: costs")]
    with (shop.folder / "ac.yaml").open("w") as file:
        file.write(half)
        file.flush()
        os.fsync(file.fileno())
        # Far longer than files have to be at rest.
        time.sleep(4 * SETTLE)
        assert reloads == []
        assert shop.totals() == AS_WRITTEN
        file.write(OTHER[len(half) :])
    until(lambda: reloads)
    assert reloads[0].succeeded
    assert shop.totals() == AS_OTHER
    assert "costs" in shop.opened.runtime.engines["shop"].collection.metric_families


@pytest.mark.slow
def test_broken_files_are_tried_once_and_mended_ones_again(shop, reloads):
    shop.write("ac.yaml", OTHER.replace("cache_hint", "cache_hin"))
    until(lambda: reloads)
    time.sleep(3 * SETTLE)
    assert [outcome.succeeded for outcome in reloads] == [False]
    assert shop.totals() == AS_WRITTEN
    shop.write("ac.yaml", OTHER)
    until(lambda: len(reloads) == 2)
    assert shop.totals() == AS_OTHER


def test_a_file_that_is_listed_before_it_is_there_is_waited_for(shop, reloads):
    shop.write("installation.yaml", MANIFEST.replace("[ac.yaml]", "[ac.yaml, second.yaml]"))
    until(lambda: reloads)
    assert reloads[0].errors[0].message == "there is no file second.yaml"
    shop.write("second.yaml", AC.replace("name: shop\n", "name: store\n"))
    until(lambda: len(reloads) == 2)
    assert set(shop.opened.runtime.engines) == {"shop", "store"}


def test_what_was_reloaded_by_another_word_is_not_reloaded_again(shop, reloads):
    shop.reload(OTHER)
    time.sleep(4 * SETTLE)
    assert len(reloads) == 1


def test_files_that_changed_before_the_watch_began_are_served(shop):
    shop.write("ac.yaml", OTHER)
    watch = ReloadWatch(shop.opened.reloader, files=True, poll_seconds=0.02, settle_seconds=0.05)
    watch.start()
    until(lambda: shop.totals() == AS_OTHER)
    watch.close()


def test_without_a_watch_only_a_request_reloads(shop):
    watch = ReloadWatch(shop.opened.reloader, files=False, poll_seconds=0.02, settle_seconds=0.05)
    watch.start()
    shop.write("ac.yaml", OTHER)
    time.sleep(0.3)
    assert shop.totals() == AS_WRITTEN
    watch.request()
    until(lambda: shop.totals() == AS_OTHER)
    watch.close()
