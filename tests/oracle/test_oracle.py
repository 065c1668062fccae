"""Is the answer right? Frame-QL beside answers that were had another way, by every route."""

import datetime
import random

import pytest
import yaml
from oracle_cases import KEYS, answered, check, check_types, documents, parametrized

from flightframe_server.errors import FlightframeError


@pytest.mark.parametrize(("name", "case"), parametrized())
def test_case(name, case, subjects):
    subject = subjects(name)
    subject.forget()
    remembering, forgetful = map(subject.asker, (subject.remembering, subject.forgetful))
    for query in case.get("warm", ()):
        remembering(query)
    if "error" in case:
        for ask in (remembering, forgetful):
            check_refused(ask, case)
        return
    if "warm" in case:
        # Without warm-up the first answer of an empty store comes from the back-end as well.
        check_answer(forgetful, case, subject, "backend")
    for label in (case.get("served_from"), "engine_cache", "engine_cache"):
        check_answer(remembering, case, subject, label)


def check_answer(ask, case, subject, label=None):
    found = ask(case["query"], case.get("parameters", ()))
    check(found.table, subject.expected(case), case.get("ordered", False))
    check_types(found.table, case)
    assert label in (None, str(found.provenance.served_from)), found.provenance


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
    cases = answered(documents()[name])
    chance = random.Random(38)
    for order in (cases, cases[::-1]):
        ask = subject.asker(subject.remembering)
        for case in order:
            check_answer(ask, case, subject)
        subject.forget(keep=lambda _: chance.random() < 0.5)


def test_every_case_has_an_answer_from_elsewhere():
    for name, cases in documents().items():
        assert len(cases) >= 30, name
        assert len({case["name"] for case in cases}) == len(cases), name
        for case in cases:
            assert len({"rows", "sql", "error"} & set(case)) == 1, case["name"]
            assert set(case) <= KEYS, case["name"]


def test_dates_in_cases_are_dates():
    assert isinstance(yaml.safe_load("2024-01-30"), datetime.date)
