"""Look-ups along unique columns join the table itself: every answer is as it is by the map."""

import pytest
from oracle_cases import answered, check, documents, parametrized
from subjects import Subject

from flightframe_server.engine import facts


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """The collections, with no table so small that the map of an edge is read all the same."""
    made = {}
    folder = tmp_path_factory.mktemp("direct")

    def subject_of(name):
        if name not in made:
            made[name] = Subject(name, folder)
        return made[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "MAP_ROWS", -1)
        yield subject_of
        for subject in made.values():
            subject.close()


@pytest.mark.parametrize(("name", "case"), parametrized(answered))
def test_an_answer_is_the_same_by_the_table_itself(name, case, direct):
    subject = direct(name)
    ask = subject.asker(subject.forgetful)
    # The first makes known what is unique, where that was not known.
    for _ in range(2):
        found = ask(case["query"], case.get("parameters", ()))
        check(found.table, subject.expected(case), case.get("ordered", False))


def test_the_shops_look_ups_join_its_tables(direct):
    subject = direct("shop")
    ask = subject.asker(subject.forgetful)
    ask("SELECT region, category, revenue AT (region, category)", ())
    unique = subject.forgetful.snapshot().facts.known.unique
    assert unique == {("stores", "store"), ("products", "product")}
    assert set(documents()) > {"shop"}
