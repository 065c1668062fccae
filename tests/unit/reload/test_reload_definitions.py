"""Laws 1, 6 and 9 over a reload: no answer of a former definition under the name of a new one."""

from __future__ import annotations

import threading

import pytest
from reloaded_shop import AC, AS_OTHER, AS_WRITTEN, BY_TOWN, COSTS, OTHER

from flightframe_server.answer import Request, explain
from flightframe_server.call_context import SERVER_CALL
from flightframe_server.catalog import read_collection
from flightframe_server.planner.plan import Freshness
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import answer_text

BY_SHOP = "SELECT shop, SUM(taken) AS total AT shop"


def test_entries_of_a_former_definition_answer_nothing_of_the_new_one(shop):
    assert shop.totals() == AS_WRITTEN
    # A finer entry as well, which could be rolled up, and a hot answer.
    shop.answer(BY_SHOP)
    assert shop.label() == "engine_cache"
    assert shop.reload(OTHER).changed == ("shop",)
    assert shop.totals() == AS_OTHER


def test_nor_does_a_hot_answer(shop):
    shop.opened.reloader.warms = False
    shop.answer()
    assert shop.answer().hot
    assert shop.totals() == AS_WRITTEN
    shop.reload(OTHER)
    assert shop.totals() == AS_OTHER


def test_nor_after_a_restart(shop):
    shop.opened.reloader.warms = False
    assert shop.totals() == AS_WRITTEN
    shop.answer(BY_SHOP)
    shop.reload(OTHER)
    shop.restart()
    assert shop.label() == "engine_backend"
    assert shop.totals() == AS_OTHER
    shop.reload(AC)
    # What was made under this very definition answers again.
    assert shop.label() == "engine_cache"
    assert shop.totals() == AS_WRITTEN


def test_nor_where_a_file_changed_while_the_server_was_down(shop):
    assert shop.totals() == AS_WRITTEN
    shop.write("ac.yaml", OTHER)
    shop.restart()
    assert shop.label() == "engine_backend"
    assert shop.totals() == AS_OTHER


@pytest.mark.parametrize(
    "change",
    [
        ("column: amount}\n", "column: amount}\n    filter: town = 'North'\n"),
        ("[{operator: SUM, a_block: []}]\n    cache", "[{operator: SUM}]\n    fill: 0\n    cache"),
        ("name: shop\nschemas", "name: shop\ntimezone: Europe/Berlin\nschemas"),
        ("to: town, via: shops}", "to: town, via: {schema: shops, from: shop, to: shop}}"),
        ("cost: cost}", "cost: amount}"),
    ],
    ids=["filter", "fill", "zone", "edge", "column"],
)
def test_whatever_a_number_rests_on_makes_it_another_entry(shop, change):
    shop.opened.reloader.warms = False
    shop.answer()
    assert shop.label() == "engine_cache"
    old, new = change
    assert old in AC
    assert shop.reload(AC.replace(old, new, 1)).succeeded
    assert shop.label() == "engine_backend"


def test_entries_of_families_that_did_not_change_are_served_on(shop):
    shop.opened.reloader.warms = False
    shop.answer(COSTS)
    assert shop.reload(OTHER).succeeded
    assert shop.label(COSTS) == "engine_cache"
    assert shop.reload(
        OTHER + '  - {name: more, derived: {formula: "costs + 1", inputs: [costs]}}\n'
    )
    assert shop.label(COSTS) == "engine_cache"
    shop.restart()
    assert shop.label(COSTS) == "engine_cache"


def test_a_table_of_totals_is_compared_anew_with_a_family_that_changed(shop):
    """What was found of the former family says nothing of this one, also on the disk."""
    totals = "  - {name: totals, grain: [shop], columns: {shop: shop, amount: amount}}\n"
    sibling = "    siblings: [{schema: totals, column: amount, operator: SUM}]\n    cache_hint"

    def with_totals(text):
        return text.replace("dimension_families", totals + "dimension_families").replace(
            "    cache_hint", sibling
        )

    shop.opened.reloader.warms = False
    assert shop.reload(with_totals(AC)).succeeded
    assert shop.totals() == AS_WRITTEN
    plan = explain(Request(BY_TOWN, freshness=Freshness(no_cache=True)), shop.opened.runtime).table
    assert "totals" in str(plan["source"].to_pylist())
    assert shop.reload(with_totals(OTHER)).succeeded
    assert shop.totals() == AS_OTHER
    shop.restart()
    assert shop.totals("SELECT town, taken AS total AT town WHERE town <> 'x'") == AS_OTHER


def test_a_formula_follows_its_file_and_not_its_entries(shop):
    source = "SELECT town, left AS total AT town"
    assert shop.totals(source) == {
        "North": AS_WRITTEN["North"] - 18,
        "South": AS_WRITTEN["South"] - 13,
    }
    shop.reload(AC.replace("taken - costs", "taken + costs"))
    assert shop.totals(source) == {
        "North": AS_WRITTEN["North"] + 18,
        "South": AS_WRITTEN["South"] + 13,
    }


def test_words_and_hints_change_no_identity():
    plain = read_collection(AC)
    worded = read_collection(
        AC.replace("What customers paid.", "Paid.").replace("[[town]]", "[[town], [shop]]")
    )
    assert worded.content_hash == plain.content_hash
    assert worded.family_hashes == plain.family_hashes
    assert worded.source_hash != plain.source_hash
    other = read_collection(OTHER)
    assert other.structure_hash == plain.structure_hash
    assert other.definition_hash("costs") == plain.definition_hash("costs")
    assert other.definition_hash("taken") != plain.definition_hash("taken")
    assert plain.definition_hash("rows(sales)") == plain.structure_hash


def test_a_question_under_way_is_answered_by_what_it_began_with(shop, monkeypatch):
    """The definitions are replaced while its statement waits; the next has the new ones."""
    shop.opened.reloader.warms = False
    begun, go_on = threading.Event(), threading.Event()
    collect = shop.opened.runtime.statements.collect

    def waits(*arguments, **options):
        begun.set()
        assert go_on.wait(30)
        return collect(*arguments, **options)

    monkeypatch.setattr(shop.opened.runtime.statements, "collect", waits)
    found = []
    asking = threading.Thread(target=lambda: found.append(shop.totals()))
    asking.start()
    assert begun.wait(30)
    assert shop.reload(OTHER).succeeded
    assert shop.opened.runtime.sets.former == 1
    go_on.set()
    asking.join(30)
    assert found == [AS_WRITTEN]
    assert shop.totals() == AS_OTHER
    assert shop.opened.runtime.sets.former == 0


def test_a_text_of_sql_means_what_it_meant_when_it_came(shop, monkeypatch):
    """Its tables are looked up and its rows are read by one set of definitions."""
    runtime = shop.opened.runtime
    tables = PublishedTables(runtime)
    source = 'SELECT * FROM "sales"'
    before = answer_text(Request(source), runtime, tables).schema.names
    answered = []

    def swapped(self, pinned):
        """Replace the definitions as soon as the tables of a question are looked up."""
        if not answered:
            answered.append(True)
            shop.reload(
                AC.replace("cost: cost", "price: cost").replace("column: cost", "column: price")
            )
        return PublishedTables(pinned, self._made)

    monkeypatch.setattr(PublishedTables, "on", swapped)
    assert answer_text(Request(source), runtime, tables, SERVER_CALL).schema.names == before
    after = answer_text(Request(source), runtime, tables, SERVER_CALL).schema.names
    assert before != after
    assert "price" in " ".join(after)


def test_hot_answers_are_of_one_engine(shop):
    shop.opened.reloader.warms = False
    shop.answer()
    hot = shop.answer()
    assert hot.hot
    assert shop.answer() is hot
    # The content is the same; what is written beside it is not.
    shop.reload(AC.replace("What customers paid.", "Paid."))
    again = shop.answer()
    assert again is not hot
    assert again.table == hot.table
