"""One call: its deadline only comes nearer, and it ends for one of two reasons."""

import math
import time

import pytest

from flightframe_server.call_context import SERVER_CALL, CallContext, SessionOptions
from flightframe_server.errors import BackendCancelled, BackendTimeout


def left(context: CallContext) -> float:
    return context.deadline - time.monotonic()


def test_a_question_of_the_servers_own_has_all_the_time_there_is() -> None:
    assert SERVER_CALL.deadline == math.inf
    assert SERVER_CALL.over() is None
    assert SERVER_CALL.caller.key == ""


@pytest.mark.parametrize(
    ("session", "given", "seconds"), [(None, 40, 40), (20.0, 40, 20), (60.0, 40, 40)]
)
def test_the_shorter_of_what_a_session_and_a_server_allow_holds(session, given, seconds) -> None:
    context = CallContext(options=SessionOptions(statement_timeout=session)).within(given)
    assert seconds - 10 < left(context) <= seconds


def test_a_deadline_is_never_put_off() -> None:
    first = CallContext().within(20)
    assert first.within(1000).deadline == first.deadline
    assert first.within(5).deadline < first.deadline


def test_a_call_ends_because_its_client_went_or_its_time_is_up() -> None:
    CallContext().within(60).check()
    with pytest.raises(BackendTimeout, match="past its time limit"):
        CallContext().within(0).check()
    gone = CallContext(is_cancelled=lambda: True)
    with pytest.raises(BackendCancelled):
        gone.within(0).check()
