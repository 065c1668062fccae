"""Is the answer right? Frame-QL beside answers that were had another way, by every route."""

import datetime

import pytest
import yaml
from oracle_cases import KEYS, check, check_types, documents, parametrized

from flightframe_server.errors import FlightframeError


@pytest.mark.parametrize(("name", "case"), parametrized())
def test_case(name, case, subjects):
    subject = subjects(name)
    subject.forget()
    remembering, forgetful = map(subject.asker, (subject.remembering, subject.forgetful))
    for query in case.get("warm", ()):
        remembering(query)
    parameters = case.get("parameters", ())
    if "error" in case:
        for ask in (remembering, forgetful):
            check_refused(ask, case)
        return
    expected = subject.expected(case)
    for turn, ask in enumerate((forgetful, remembering, remembering, remembering)):
        found = ask(case["query"], parameters)
        check(found.table, expected, case.get("ordered", False))
        check_types(found.table, case)
        label = str(found.provenance.served_from)
        if turn == 0:
            assert label == "backend"
        elif turn > 1:
            assert label == "engine_cache"
        elif "served_from" in case:
            assert label == case["served_from"], found.provenance


def check_refused(ask, case):
    with pytest.raises(FlightframeError) as caught:
        ask(case["query"], case.get("parameters", ()))
    error = caught.value
    assert error.code == case["error"], error
    assert case.get("says", "") in str(error)
    if "place" in case:
        assert error.place is not None, error
        assert [error.place.line, error.place.column] == case["place"]


@pytest.mark.parametrize("name", list(documents()))
def test_neutrality(name, subjects):
    """One store for all cases: whatever was asked before, an answer is the same (cases 21, 38)."""
    subject = subjects(name)
    subject.forget()
    ask = subject.asker(subject.remembering)
    cases = [case for case in documents()[name] if "error" not in case]
    for kept, order in ((2, cases), (2, cases[::-1]), (3, cases)):
        for case in order:
            found = ask(case["query"], case.get("parameters", ()))
            check(found.table, subject.expected(case), case.get("ordered", False))
        entries = iter(range(10**6))
        subject.forget(keep=lambda _, entries=entries, kept=kept: next(entries) % kept == 0)
        ask = subject.asker(subject.remembering)


def test_every_case_has_an_answer_from_elsewhere():
    for name, cases in documents().items():
        assert len(cases) >= 50, name
        assert len({case["name"] for case in cases}) == len(cases), name
        for case in cases:
            assert len({"rows", "sql", "error"} & set(case)) == 1, case["name"]
            assert set(case) <= KEYS, case["name"]


def test_dates_in_cases_are_dates():
    assert isinstance(yaml.safe_load("2024-01-30"), datetime.date)
