"""One's own questions under way: listed, cancelled, and never another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from web_shop import CHANGING, TOTAL, Shop

from flightframe_server.call_context import CallContext, Caller
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.statements.questions import SOURCE_LENGTH, RunningQuestions

STATEMENTS = "/runtime/statements"


def soon(condition: Callable[[], object]) -> object:
    until = time.monotonic() + 20
    while not (value := condition()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return value


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every question go on until its call is over."""

    def answer(self: object, ask: object, freshness: object, context: CallContext) -> None:
        while True:
            context.check()
            time.sleep(0.01)

    monkeypatch.setattr(MetricEngine, "answer", answer)


@contextmanager
def asking(shop: Shop, user: str | None, source: str) -> Iterator[list[httpx.Response]]:
    answers: list[httpx.Response] = []

    def ask() -> None:
        with shop.client(user) as client:
            answers.append(client.post("/runtime/query", json={"source": source}))

    thread = threading.Thread(target=ask)
    thread.start()
    yield answers
    thread.join(20)
    assert not thread.is_alive()


def test_a_question_is_listed_and_cancelled_by_its_user_alone(secured, endless):
    source = f"{TOTAL} WHERE town = 'mine'"
    with (
        secured.client("alice", headers=CHANGING) as alice,
        secured.client("bob", headers=CHANGING) as bob,
        asking(secured, "alice", source) as answers,
    ):
        (listed,) = soon(lambda: alice.get(STATEMENTS).json()["statements"])
        assert (listed["source"], listed["state"]) == (source, "running")
        assert listed["seconds"] >= 0
        assert abs(listed["started"] - time.time()) < 60
        assert bob.get(STATEMENTS).json()["statements"] == []
        assert "mine" not in bob.get(STATEMENTS).text
        address = f"{STATEMENTS}/{listed['id']}"
        assert bob.delete(address).status_code == 404
        assert alice.get(STATEMENTS).json()["statements"]
        assert alice.delete(address).json() == {"cancelled": True}
        soon(lambda: answers)
        assert alice.get(STATEMENTS).json()["statements"] == []
        assert alice.delete(address).status_code == 404
    (answer,) = answers
    assert (answer.status_code, answer.json()["error"]["code"]) == (499, "CANCELLED")


def test_a_client_that_hangs_up_is_worked_for_no_longer(open_shop, client, endless):
    with pytest.raises(httpx.ReadTimeout), open_shop.client() as impatient:
        impatient.post("/runtime/query", json={"source": TOTAL}, timeout=0.3)
    soon(lambda: client.get(STATEMENTS).json()["statements"] == [])


def test_totals_are_numbers(client):
    assert client.get(STATEMENTS).json() == {"statements": [], "running": 0, "waiting": 0}


def test_questions_come_and_go():
    questions = RunningQuestions()
    call = CallContext(Caller("alice")).named("q1")
    with questions.running("x" * 5000, call) as watched:
        (listed,) = questions.of("alice")
        assert (listed.query_id, len(listed.source)) == ("q1", SOURCE_LENGTH)
        assert questions.of("bob") == ()
        assert not questions.cancel("q1", "bob")
        assert not watched.is_cancelled()
        assert questions.cancel("q1", "alice")
        assert watched.is_cancelled()
        assert not call.is_cancelled()
    assert questions.of("alice") == ()
    assert not questions.cancel("q1", "alice")


def test_a_question_ends_also_with_its_call():
    gone = threading.Event()
    call = CallContext(is_cancelled=gone.is_set).named("q1")
    with RunningQuestions().running("x", call) as watched:
        gone.set()
        assert watched.is_cancelled()
