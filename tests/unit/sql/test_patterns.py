"""Patterns of LIKE mean what SQL says, and cost little whatever is sent."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.errors import LimitExceeded
from flightframe_server.sql.patterns import MAX_PATTERN, pattern, same


def fits(written: str, name: str, escape: str = "\\") -> bool:
    """Whether a name is of a pattern, by the definition: one letter after the other."""
    if not written:
        return not name
    if escape and written[0] == escape and len(written) > 1:
        return name[:1] == written[1] and fits(written[2:], name[1:], escape)
    if written[0] == "%":
        return any(fits(written[1:], name[at:], escape) for at in range(len(name) + 1))
    return bool(name) and written[0] in ("_", name[0]) and fits(written[1:], name[1:], escape)


LETTERS = st.text("ab%_.\n", max_size=6)


@given(LETTERS, LETTERS)
def test_a_pattern_is_what_sql_says(written, name):
    assert (pattern(written, any_case=False).fullmatch(name) is not None) == fits(written, name)


@given(st.lists(st.sampled_from(["a", "b", "%", "_", "!%", "!_", "!!"]), max_size=6), LETTERS)
def test_an_escaped_letter_stands_for_itself(pieces, name):
    written = "".join(pieces)
    found = pattern(written, escape="!", any_case=False).fullmatch(name)
    assert (found is not None) == fits(written, name, "!")


def test_letters_match_in_any_case_unless_they_may_not():
    assert pattern("St%").fullmatch("sTORES")
    assert not pattern("St%", any_case=False).fullmatch("stores")
    assert pattern(None).fullmatch("any\nthing")
    assert (same(None, "x"), same("STORES", "stores"), same("", "x")) == (True, True, False)


def test_a_pattern_costs_little_and_is_bounded():
    started = time.process_time()
    assert not pattern("%a" * 400 + "b").fullmatch("a" * 10_000)
    assert time.process_time() - started < 2
    with pytest.raises(LimitExceeded):
        pattern("x" * (MAX_PATTERN + 1))
