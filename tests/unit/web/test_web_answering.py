"""Answers made in threads: no answer is left open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from starlette.requests import Request

from flightframe_server.web.answering import Handover, Threads

SECONDS = 30


class Made:
    """What the work returns."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


async def silent() -> dict[str, object]:
    await asyncio.sleep(SECONDS)
    return {"type": "http.disconnect"}


def request() -> Request:
    return Request({"type": "http", "headers": []}, silent)


def test_what_the_work_returns_is_the_callers() -> None:
    made = Made()
    assert asyncio.run(Threads(1).run(request(), lambda gone: made)) is made
    assert not made.closed.is_set()


@pytest.mark.parametrize("patience", [0.0, 0.2], ids=["before it is watched", "while watched"])
def test_what_comes_after_its_request_was_cancelled_is_closed(patience: float) -> None:
    made, started, go_on = Made(), threading.Event(), threading.Event()

    def work(gone: Callable[[], bool]) -> Made:
        started.set()
        assert go_on.wait(SECONDS)
        assert gone()
        return made

    async def cancelled() -> None:
        task = asyncio.create_task(Threads(1).run(request(), work))
        while not started.is_set():
            await asyncio.sleep(0.001)
        await asyncio.sleep(patience)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

    asyncio.run(cancelled())
    assert made.closed.wait(SECONDS)


def test_what_came_and_was_not_taken_is_closed() -> None:
    made = Made()
    handover = Handover[Made]()
    handover.give(lambda gone: made, lambda: False)
    handover.leave()
    assert made.closed.is_set()


def test_work_that_fails_tells_its_request() -> None:
    def work(gone: Callable[[], bool]) -> Made:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(Threads(1).run(request(), work))
