"""The judge of a moving world: what it must call wrong, stale and refused, it does."""

import time

import pytest
from moving_clients import right
from moving_data import QUESTIONS, Version
from moving_timeline import STILL_SECONDS, Timeline

TOTAL, *_, LOOK_UP, BESIDE = QUESTIONS


@pytest.fixture
def timeline():
    """Two files: one of sales and one of shops, each first of value 2."""
    found = Timeline({"sales": ("sales",), "shops": ("shops",)})
    for file in ("sales", "shops"):
        with found.moving(file, Version(2)):
            pass
    return found


def moved(timeline, file, version, **how):
    """Move a file, and return the moments before, during and after it."""
    before = time.monotonic()
    with timeline.moving(file, version, **how):
        during = time.monotonic()
    return before, during, time.monotonic()


def values(timeline, tables, asked, got):
    return [
        tuple(at[table].value for table in tables) for at in timeline.may_be(tables, asked, got)
    ]


def test_an_answer_is_of_what_stood_between_question_and_answer(timeline):
    before, during, after = moved(timeline, "sales", Version(3))
    assert values(timeline, ["sales"], before, before) == [(2,)]
    assert values(timeline, ["sales"], before, after) == [(2,), (3,)]
    assert values(timeline, ["sales"], during, during) == [(2,), (3,)]
    assert values(timeline, ["sales"], after, after) == [(3,)]


def test_two_files_are_of_versions_that_stood_together(timeline):
    before, _, _ = moved(timeline, "sales", Version(3))
    _, _, after = moved(timeline, "shops", Version(5))
    both = ["sales", "shops"]
    assert values(timeline, both, before, after) == [(2, 2), (3, 2), (3, 5)]
    assert values(timeline, both, after, after) == [(3, 5)]


def test_nothing_is_right_while_nothing_stands_there(timeline):
    _, _, gone = moved(timeline, "sales", None)
    assert timeline.now("sales") is None
    assert values(timeline, ["sales"], gone, gone) == []
    _, _, back = moved(timeline, "sales", Version(2))
    assert values(timeline, ["sales"], back, back) == [(2,)]


def test_a_step_that_was_not_made_leaves_everything_as_it_was(timeline):
    with pytest.raises(OSError, match="full"), timeline.moving("sales", Version(3)):
        raise OSError("full")
    assert values(timeline, ["sales"], time.monotonic(), time.monotonic()) == [(2,)]
    assert timeline.now("sales").version == Version(2)


def test_a_refusal_is_a_fault_once_nothing_has_moved_for_a_second(timeline):
    now = time.monotonic()
    later = now + STILL_SECONDS + 0.1
    assert not timeline.still(now + STILL_SECONDS / 2, later)
    assert timeline.still(later, later + 1)
    moved(timeline, "sales", Version(3), whole=False)
    assert not timeline.still(later + 1, later + 2), "what stands there is not whole"
    with timeline.moving("sales", Version(3)):
        assert not timeline.still(later + 1, later + 2)


def test_right_answers_by_hand():
    """Of 240 sales 60 stand at each shop, 80 at each kind; S0 and S2 are in the east."""
    at = {"sales": Version(3), "shops": Version(7), "lines": Version(5)}
    assert right(TOTAL, at) == [(720, 240_720)]
    assert right(LOOK_UP, at) == [("east 7", 360, 120_360), ("west 7", 360, 120_360)]
    assert right(BESIDE, at) == [(720, 350_000)]
    more = {**at, "sales": Version(3, 241)}
    assert right(LOOK_UP, more) == [("east 7", 363, 121_363), ("west 7", 360, 120_360)]
