"""Is CURRENT_DATE the day on which one asks, and is no answer of yesterday given today?"""

import datetime

import pytest

from flightframe_server import answer as answering
from flightframe_server.answer import Request, Runtime, explain
from flightframe_server.errors import NOWHERE, NotSupported
from flightframe_server.resolver.values import Binding

QUERY = "SELECT revenue WHERE day >= CURRENT_DATE - 1 AT ()"


@pytest.fixture
def clock(monkeypatch):
    """Sets the moment at which questions are asked."""

    def at(*moment):
        now = datetime.datetime(*moment, tzinfo=datetime.UTC)
        monkeypatch.setattr(answering, "utc_now", lambda: now)

    return at


def test_each_day_has_its_own_answer_in_one_running_server(subjects, clock):
    subject = subjects("shop")
    subject.forget()
    ask = subject.asker(subject.remembering)

    def told():
        found = ask(QUERY)
        (row,) = found.table.to_pylist()
        return str(row["revenue"]), str(found.provenance.served_from)

    clock(2024, 2, 2, 23, 59)
    # 0.10 + 0.20 of the first, 5 + 7 + 9 of the second, 1 of the third of February.
    assert told() == ("22.30", "engine_backend")
    assert told() == ("22.30", "engine_cache")
    assert told() == ("22.30", "engine_cache")
    clock(2024, 2, 3)
    assert told() == ("22.00", "engine_backend")
    assert told() == ("22.00", "engine_cache")
    clock(2024, 2, 2)
    assert told() == ("22.30", "engine_cache")


def test_it_is_a_date_like_any_other(subjects, clock):
    subject = subjects("shop")
    ask = subject.asker(subject.forgetful)
    clock(2024, 2, 2)
    recent = "SELECT age, sales AT (CURRENT_DATE - day AS age) ORDER BY age"
    assert ask(recent).table.to_pydict() == {"age": [-1, 0, 1, 2, 3], "sales": [1, 3, 3, 2, 1]}
    query = "SELECT sales WHERE day BETWEEN current_date - ? AND CURRENT_DATE AT ()"
    assert ask(query, (1,)).table.to_pydict() == {"sales": [6]}


def test_the_plan_says_which_day_it_is(subjects, clock):
    subject = subjects("shop")
    runtime = Runtime("test", {"shop": subject.remembering})
    clock(2024, 2, 2)
    steps = explain(Request(QUERY), runtime).table.to_pylist()
    (note,) = [step for step in steps if step["column"] == "CURRENT_DATE"]
    assert note["source"].startswith("2024-02-02")


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", 1), ("Pacific/Auckland", 2), ("America/New_York", 1)]
)
def test_the_day_is_that_of_the_collections_clock(zone, day):
    now = datetime.datetime(2024, 6, 1, 12, 30, tzinfo=datetime.UTC)
    assert Binding(now=now).day_asked(zone, NOWHERE).value == datetime.date(2024, 6, day)


def test_what_is_asked_at_no_moment_has_no_day():
    with pytest.raises(NotSupported):
        Binding().day_asked("UTC", NOWHERE)
