"""Promotions shown and written, entries brought up to date, evicted and verified."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from market import ONE_MORE_SALE, write_data

from flightframe_server.errors import (
    AmbiguousMetric,
    BlockedReduction,
    CatalogError,
    FanOut,
    NotSupported,
    SetupError,
    TicketRefused,
    UnknownName,
)
from flightframe_server.promotion.stanza import Promotion

BY_DAY = Promotion("revenue", ("day",))


@pytest.fixture
def market(open_market):
    return open_market()


@pytest.fixture
def operations(market):
    return market.operations()


@pytest.fixture
def file(manifest):
    return manifest.parent / "ac.yaml"


def test_what_is_shown_is_what_is_written(market, operations, file, ask):
    ask(market, "SELECT day, revenue AT day", 4)
    before = file.read_text()
    shown = operations.promote([BY_DAY])
    assert (shown.applied, file.read_text()) == (False, before)
    # Hits that come between the two change nothing of what was shown.
    ask(market, "SELECT day, revenue AT day", 4)
    done = operations.promote([BY_DAY], proposal_hash=shown.proposal.hash)
    line = "        - [day]   # Engine-recommended: 3 hits / 1 day = 3.0 hits/day\n"
    assert file.read_text() == before.replace(
        "        - [region, day]\n", f"        - [region, day]\n{line}"
    )
    assert shown.proposal.diff.splitlines() == [
        "--- a/ac.yaml",
        "+++ b/ac.yaml",
        "@@ -21,6 +21,7 @@",
        "       materialize_at:",
        "         - [region]",
        "         - [region, day]",
        f"+{line.rstrip()}",
        " ",
        "   - name: price   # a mean, so that two reducers are kept",
        "     family_root: {schema: sales, column: price}",
    ]
    assert done.to_json() == {
        "applied": True,
        "file": "ac.yaml",
        "hash": shown.proposal.hash,
        "diff": shown.proposal.diff,
        "promotions": [{"family": "revenue", "anchor": ["day"]}],
    }


def test_promoting_twice_changes_nothing(operations, file):
    both = [BY_DAY, Promotion("price", ("stall", "day"))]
    operations.promote([], proposal_hash=operations.promote(both).proposal.hash)
    before = file.read_bytes()
    again = operations.promote(
        [Promotion("REVENUE", ("Day",)), Promotion("price", ("day", "stall"))]
    )
    assert (again.proposal.diff, again.proposal.promotions) == ("", ())
    assert operations.promote([], proposal_hash=again.proposal.hash).applied
    assert file.read_bytes() == before


def test_what_was_promoted_is_made_at_the_next_start(open_market, operations, file):
    operations.promote([], proposal_hash=operations.promote([BY_DAY]).proposal.hash)
    again = open_market()
    made = [str(warmed.hint) for _, warmed in again.warm_up() if warmed.failure is None]
    assert made == ["revenue @ ('region',)", "revenue @ ('day', 'region')", "revenue @ ('day',)"]
    listed = again.operations().manifest()
    assert {entry.anchor for entry in listed.entries if entry.pinned} == {
        ("region",),
        ("day", "region"),
        ("day",),
    }
    assert ("day",) not in [one.anchor for one in again.operations().recommendations().candidates]


def test_a_file_that_changed_since_it_was_shown_is_left_alone(operations, file):
    shown = operations.promote([BY_DAY])
    file.write_text(file.read_text() + "# a colleague's remark\n")
    changed = file.read_text()
    with pytest.raises(TicketRefused, match=r"ac.yaml changed since the difference was shown"):
        operations.promote([], proposal_hash=shown.proposal.hash)
    assert file.read_text() == changed
    again = operations.promote([BY_DAY])
    operations.promote([], proposal_hash=again.proposal.hash)
    assert file.read_text().endswith("# a colleague's remark\n")


def test_of_two_who_were_shown_the_same_file_one_writes(operations, file):
    anchors = [("day",), ("stall",), ("month",), ("stall", "day")]
    shown = [operations.promote([Promotion("revenue", anchor)]).proposal for anchor in anchors]
    outcomes = []

    def write(proposal):
        try:
            operations.apply(proposal.hash)
            outcomes.append(proposal.after)
        except TicketRefused:
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(proposal,)) for proposal in shown]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (written,) = [text for text in outcomes if text is not None]
    assert file.read_text() == written


def test_a_hash_that_was_not_shown_is_refused(operations):
    with pytest.raises(TicketRefused, match="no such difference was shown lately"):
        operations.promote([BY_DAY], proposal_hash="0" * 32)


REFUSED = {
    "an unknown family": (
        Promotion("revenu", ("day",)),
        UnknownName,
        "did you mean revenue or double_revenue?",
    ),
    "an unknown level": (Promotion("revenue", ("dya",)), UnknownName, "did you mean day?"),
    "a derived family": (
        Promotion("double_revenue", ("day",)),
        NotSupported,
        "promote what it is computed from: revenue",
    ),
    "a block": (Promotion("on_hand", ("stall",)), BlockedReduction, None),
    "a level out of reach": (Promotion("on_hand", ("sale",)), FanOut, None),
}


@pytest.mark.parametrize(("promotion", "error", "hint"), REFUSED.values(), ids=list(REFUSED))
def test_what_the_resolver_would_refuse_is_refused(operations, file, promotion, error, hint):
    before = file.read_bytes()
    with pytest.raises(error) as caught:
        operations.promote([BY_DAY, promotion])
    assert hint is None or caught.value.hint == hint
    assert file.read_bytes() == before


def test_a_file_that_cannot_be_edited_is_refused_with_the_stanza(operations, file, open_market):
    text = file.read_text().replace("[region, day]\n", "[region, day]\n", 1)
    text = text.replace("    cache_hint:\n", "    cache_hint: &hint\n")
    file.write_text(text + "  - {name: lines, family_root: {schema: sales}, cache_hint: *hint}\n")
    with pytest.raises(CatalogError) as caught:
        open_market().operations().promote([Promotion("lines", ("stall",))])
    assert caught.value.details["stanza"] == (
        "# Add to metric_family 'lines' in ac.yaml:\ncache_hint:\n  materialize_at:\n    - [stall]"
    )


def test_a_file_that_is_not_what_is_served_is_not_edited(operations, file):
    file.write_text(file.read_text() + "  - {name: lines, family_root: {schema: sales}}\n")
    with pytest.raises(SetupError, match=r"ac.yaml is not the collection that is served"):
        operations.promote([BY_DAY])


def test_mode_link_and_line_breaks_stay(market, operations, file):
    real = file.with_name("real.yaml")
    real.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    real.chmod(0o640)
    file.unlink()
    file.symlink_to("real.yaml")
    before = real.read_bytes()
    operations.promote([], proposal_hash=operations.promote([BY_DAY]).proposal.hash)
    assert file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    after = real.read_bytes()
    assert after == before.replace(
        b"        - [region, day]\r\n", b"        - [region, day]\r\n        - [day]\r\n"
    )
    assert not list(file.parent.glob(".*.tmp"))


def test_a_folder_that_refuses_leaves_the_file_as_it_is(operations, file, monkeypatch):
    shown = operations.promote([BY_DAY])
    before = file.read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SetupError, match=r"ac.yaml cannot be written: No space left") as caught:
        operations.promote([], proposal_hash=shown.proposal.hash)
    assert str(file.parent) not in str(caught.value)
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*.tmp"))


def test_entries_are_brought_up_to_the_data(manifest, market, operations, ask):
    ask(market, "SELECT stall, revenue AT stall")
    ask(market, "SELECT stall, QUANTILE(revenue, 0.5) AS q AT stall")
    ask(market, "SELECT day, revenue AT day WHERE stall = 'S1'")
    write_data(manifest.parent, ONE_MORE_SALE)
    listed = operations.manifest().entries
    assert not any(entry.fresh for entry in listed)
    done = operations.refresh(entry_ids=[entry.id for entry in listed])
    assert {(one.operator, one.fresh, one.failure) for one in done} == {
        ("SUM", False, None),
        ("QUANTILE(0.5)", False, None),
    }
    entries = operations.manifest().entries
    assert [entry.fresh for entry in entries] == [True, True, True]
    assert [one.fresh for one in operations.refresh()] == [False, False]
    assert [one.fresh for one in operations.refresh()] == [True, True]
    (by_month,) = operations.refresh(promotions=[Promotion("revenue", ("month",))])
    assert (by_month.failure, by_month.anchor) == (None, ("month",))
    with pytest.raises(UnknownName):
        operations.refresh(entry_ids=["f" * 32])


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("SELECT day, revenue AT day WHERE stall = 'S1' AND day > DATE '2024-01-31'", 2),
        ("SELECT revenue AT () WHERE stall IN ('S1', 'S3')", 1),
        ("SELECT SUM(revenue) FILTER (WHERE stall = 'S1') AS mine AT month", 2),
        ("SELECT SUM(large) FILTER (WHERE stall = 'S1') AS mine AT month WHERE month <= day", 2),
        ("SELECT large AT stall", 2),
        ("SELECT COUNT(revenue) AS n AT stall WHERE NOT (stall = 'S2')", 1),
        ("SELECT revenue AT (LOWER(stall) AS small, month)", 4),
        ("SELECT revenue AT (CASE WHEN stall = 'S1' THEN 'x' ELSE 'y' END AS size)", 2),
    ],
)
def test_an_entry_under_a_filter_is_made_again_as_it_was(manifest, open_market, ask, source, after):
    market = open_market()
    ask(market, source)
    market.close()
    write_data(manifest.parent, ONE_MORE_SALE)
    # Another process knows of the question what the store remembers, and no more.
    market = open_market()
    operations = market.operations()
    (entry,) = operations.manifest().entries
    assert not entry.fresh
    (done,) = operations.refresh(entry_ids=[entry.id])
    assert (done.failure, done.fresh) == (None, False)
    (made,) = operations.manifest().entries
    assert made.fresh
    again = ask(market, source)
    assert again.provenance.served_from == "engine_cache"
    assert again.rows == after
    assert {part.route for column in again.provenance.columns for part in column.parts} == {"exact"}


def test_what_a_filter_compares_with_is_in_no_failure(manifest, open_market, ask):
    market = open_market()
    ask(market, "SELECT revenue AT () WHERE stall = 'S1'")
    ask(market, "SELECT revenue AT () WHERE region = 'East'")
    market.close()
    file = manifest.parent / "ac.yaml"
    text = file.read_text().replace("levels: [stall, region]", "levels: [stall, area]")
    text = text.replace("to: region", "to: area").replace("region: region", "area: region")
    file.write_text(text.replace("        - [region]\n        - [region, day]\n", "        - []\n"))
    market = open_market()
    operations = market.operations()
    ids = [entry.id for entry in operations.manifest().entries]
    failed, done = sorted(operations.refresh(entry_ids=ids), key=lambda one: one.failure is None)
    assert done.failure is None
    assert isinstance(failed.failure, NotSupported)
    assert "East" not in str(failed.failure.payload())
    assert "evict it" in failed.failure.hint


def test_an_entry_of_rows_is_not_refreshed(market, operations, ask):
    ask(market, "SELECT COUNT(*) AS n FROM sales AT stall")
    (entry,) = operations.manifest().entries
    (done,) = operations.refresh(entry_ids=[entry.id])
    assert isinstance(done.failure, NotSupported)


def test_what_is_answered_and_not_kept_is_not_called_refreshed(manifest, open_market, ask):
    text = manifest.read_text()
    manifest.write_text(text + "metric_engine: {enabled: true, max_bytes_per_ac: 1}\n")
    (done,) = open_market().operations().refresh(promotions=[BY_DAY])
    assert done.failure is not None
    assert "does not fit the store" in done.failure.message


def test_the_list_names_a_filters_levels_and_gives_no_hash_of_its_values(market, operations, ask):
    ask(market, "SELECT day, revenue AT day")
    ask(market, "SELECT day, revenue AT day WHERE stall = 'S1'")
    whole = {
        record.entry_id for record in next(iter(market.runtime.engines.values())).store.records()
    }
    body = operations.manifest().to_json()
    assert "S1" not in str(body)
    by_filter = {tuple(entry["filter"]): entry for entry in body["entries"]}
    assert by_filter[()]["id"] in whole
    assert by_filter[("stall",)]["id"] not in whole
    assert len(by_filter[("stall",)]["id"]) == 32
    assert (body["entry_count"], body["bytes"]) == (2, sum(e["bytes"] for e in body["entries"]))
    assert body["budget_bytes"] == 1 << 30
    assert {
        "family",
        "anchor",
        "operator",
        "filtered",
        "rows",
        "hits",
        "age_seconds",
        "pinned",
        "last_used_seconds",
        "route",
        "from_anchor",
        "fresh",
    } <= set(body["entries"][0])


def test_an_evicted_entry_is_asked_of_the_database_again(market, operations, ask):
    ask(market, "SELECT stall, revenue AT stall", 2)
    ask(market, "SELECT stall, MAX(revenue) AS m AT stall WHERE day = DATE '2024-02-01'", 2)
    ids = [entry.id for entry in operations.manifest().entries]
    with pytest.raises(UnknownName):
        operations.evict([ids[0], "f" * 32])
    assert len(operations.manifest().entries) == 2
    assert operations.evict([ids[0], ids[1][:8] if len(ids[1]) == 32 else ids[1]]) == 2
    assert operations.manifest().entries == ()
    again = ask(market, "SELECT stall, revenue AT stall")
    assert again.provenance.served_from == "engine_backend"


def test_a_damaged_file_is_seen_while_its_table_is_in_memory(manifest, market, operations, ask):
    ask(market, "SELECT stall, revenue AT stall")
    ask(market, "SELECT day, revenue AT day")
    assert operations.verify().sound == 2
    (path, _) = sorted((manifest.parent / "metric_engine").rglob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = operations.verify()
    assert (found.sound, found.damaged) == (1, 1)
    assert operations.verify().damaged == 0


def test_one_of_several_collections_must_be_named(manifest, open_market):
    text = (manifest.parent / "ac.yaml").read_text()
    (manifest.parent / "second.yaml").write_text(text.replace("name: market", "name: fair", 1))
    manifest.write_text(manifest.read_text().replace("[ac.yaml]", "[ac.yaml, second.yaml]"))
    operations = open_market().operations()
    with pytest.raises(AmbiguousMetric, match="several collections"):
        operations.promote([BY_DAY])
    shown = operations.promote([BY_DAY], "FAIR")
    assert shown.proposal.file == "second.yaml"
    operations.promote([], proposal_hash=shown.proposal.hash)
    assert (manifest.parent / "ac.yaml").read_text() == text
    assert "- [day]" in (manifest.parent / "second.yaml").read_text()
