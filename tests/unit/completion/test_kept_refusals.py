"""What was found of a draft is kept for the next letter, and no longer than it is right."""

import gc
import weakref

from engine_shop import COLLECTION, collection, opened, write
from resolving import completed, options

from flightframe_server.answer import Runtime
from flightframe_server.catalog import read_collection
from flightframe_server.completion import kept_refusals as module
from flightframe_server.completion.alike import AlikeFamilies
from flightframe_server.completion.kept_refusals import KeptRefusals
from flightframe_server.completion.trial import Trial
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.errors import UnknownName

DRAFTS = (
    "SELECT |",
    "SELECT re| AT month",
    "SELECT revenue AT month HAVING |",
    "SELECT SUM(| AT month",
    "SELECT revenue, on_hand AT month ORDER BY |",
)


def told(runtime, draft):
    return [(one.label, one.code, one.reason) for one in completed(runtime, draft).options]


def test_what_is_kept_is_what_is_found(shop):
    first = [told(shop, draft) for draft in DRAFTS]
    assert [told(shop, draft) for draft in DRAFTS] == first
    module._BY_ENGINE.clear()
    assert [told(shop, draft) for draft in reversed(DRAFTS)] == first[::-1]


def test_the_next_letter_asks_the_resolver_nothing_again(shop, monkeypatch):
    asked = []
    refusal = Trial.refusal

    def counted(trial, statement):
        asked.append(statement)
        return refusal(trial, statement)

    monkeypatch.setattr(Trial, "refusal", counted)
    module._BY_ENGINE.clear()
    completed(shop, "SELECT SUM(| AT month")
    assert asked
    asked.clear()
    completed(shop, "SELECT SUM(re| AT month")
    assert asked == []


def test_nothing_is_kept_over_data_that_break_a_promise(tmp_path):
    backend = opened(tmp_path)
    engine = MetricEngine(collection(), tmp_path / "store", backend)
    runtime = Runtime("shop", {"shop": engine})
    draft = "SELECT | AT region"
    engine.attested()
    assert options(runtime, draft, "metric")["revenue"].legal
    write(tmp_path / "shop.duckdb", "INSERT INTO stores VALUES ('S1', 'West', 'Z1');")
    engine.attested()
    assert options(runtime, draft, "metric")["revenue"].code == "FD_VIOLATION"
    engine.close()


def test_decimals_that_are_equal_and_of_two_types_are_kept_apart(shop):
    kept = KeptRefusals(None, {})
    engine = next(iter(shop.engines.values()))
    module._BY_ENGINE[engine] = kept
    kept.typed = engine.typed
    for digits in ("1.5", "1.50"):
        completed(shop, f"SELECT SUM(|), {digits} * revenue AS x AT month")
    drafts = {draft for draft, _ in kept._kept}
    assert len(drafts) == 2


def test_what_is_kept_is_bounded_and_holds_no_frames():
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)

    def fail(keeps):
        raise UnknownName("no")

    def find(keeps=held):
        try:
            fail(keeps)
        except UnknownName as error:
            return error

    kept = KeptRefusals(None, {}, most=3)
    for at in range(7):
        assert kept.of(at, find).message == "no"
        assert len(kept) <= 3
    del held, find
    gc.collect()
    assert gone() is None


def test_one_family_stands_for_those_that_no_rule_tells_apart(tmp_path):
    more = """
  - {name: income, family_root: {schema: tx, column: revenue}, ip_reducers: [{operator: SUM}]}
  - {name: earned, family_root: {schema: tx, column: revenue}, ip_reducers: [{operator: SUM}]}
  - {name: late, family_root: {schema: tx, column: revenue}, ip_reducers: [{operator: SUM}],
     filter: "region = 'East'"}
  - {name: longest, family_root: {schema: tx, column: revenue}, ip_reducers: [{operator: MAX}]}
"""
    declared = read_collection(COLLECTION + more)
    engine = MetricEngine(declared, tmp_path / "store", opened(tmp_path))
    names = lambda families: [family.name for family in families]  # noqa: E731
    alike = AlikeFamilies(engine.typed, "")
    # By hand: income stands for earned; revenue has a sibling, and price is looked up.
    kinds = ["revenue", "price", "on_hand", "income", "late", "longest"]
    assert names(alike.one_of_each) == kinds
    written = AlikeFamilies(engine.typed, "Name(parts=('INCOME',))")
    assert names(written.one_of_each) == [*kinds[:4], "earned", *kinds[4:]]
    assert names(alike.likely_first("MAX"))[:2] == ["revenue", "longest"]
    engine.close()
