"""Questions that are known again: of the same tree, values and types, and of no other."""

import datetime
import gc
import sys
import weakref
from pathlib import Path

import pytest

from flightframe_server.errors import TypeMismatch
from flightframe_server.language import parse
from flightframe_server.request import Request
from flightframe_server.resolved_questions import ResolvedQuestions

sys.path.insert(0, str(Path(__file__).parent / "resolver"))
import resolver_shop

NOW = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)
TEXT = "SELECT amount AT store WHERE store = ?"


@pytest.fixture
def questions():
    return ResolvedQuestions()


def asked(questions, text, *values, statement=None, typed=None, now=NOW):
    request = Request(text, tuple(enumerate(values)))
    return questions.resolve(request, statement or parse(text), typed or resolver_shop.typed(), now)


def test_the_same_tree_with_the_same_values_is_known_again(questions):
    statement = parse(TEXT)
    first = asked(questions, TEXT, "S1", statement=statement)
    assert asked(questions, TEXT, "S1", statement=statement) is first
    other = asked(questions, TEXT, "S2", statement=statement)
    assert other.filter != first.filter
    assert asked(questions, TEXT, "S1", statement=statement) is first


def test_another_tree_of_the_same_text_is_resolved(questions):
    first = asked(questions, TEXT, "S1")
    meant = parse("SELECT amount AT store WHERE store <> ?")
    assert asked(questions, TEXT, "S1", statement=meant).filter != first.filter


def test_an_equal_value_of_another_type_is_another(questions):
    text = "SELECT amount AT store WHERE EXTRACT(month FROM day) = ?"
    statement = parse(text)
    asked(questions, text, 1, statement=statement)
    with pytest.raises(TypeMismatch):
        asked(questions, text, True, statement=statement)


def test_other_types_of_the_data_are_resolved_on(questions):
    statement, others = parse(TEXT), resolver_shop.typed.__wrapped__()
    first = asked(questions, TEXT, "S1", statement=statement)
    assert asked(questions, TEXT, "S1", statement=statement, typed=others) is not first


def test_what_depends_on_the_day_is_resolved_each_time(questions):
    text = "SELECT amount AT store WHERE day = CURRENT_DATE"
    statement = parse(text)
    later = NOW + datetime.timedelta(days=1)
    days = [asked(questions, text, statement=statement, now=now).today for now in (NOW, later)]
    assert days == [datetime.date(2024, 5, 17), datetime.date(2024, 5, 18)]


def test_values_that_nothing_takes_are_refused_each_time(questions):
    statement = parse(TEXT)
    for _ in range(2):
        with pytest.raises(TypeMismatch, match="2 came"):
            asked(questions, TEXT, "S1", "S2", statement=statement)
    assert len(questions) == 0


def test_a_collection_that_is_served_no_more_is_not_kept(questions):
    typed = resolver_shop.typed.__wrapped__()
    asked(questions, TEXT, "S1", typed=typed)
    gone = weakref.ref(typed)
    del typed
    gc.collect()
    assert gone() is None
    assert len(questions) == 1


def test_it_is_bounded_by_its_bytes():
    questions = ResolvedQuestions(max_bytes=1 << 20)
    for number in range(100):
        asked(questions, TEXT, f"S{number}")
    assert 0 < len(questions) < 100
