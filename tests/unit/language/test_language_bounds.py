"""Is every text either taken whole or refused, in time, and is every tree safe to walk?"""

import sys
import threading
import time

import pytest

from flightframe_server.errors import FlightframeError, FrameQLSyntaxError, LimitExceeded
from flightframe_server.language import (
    canonical_name,
    format_expression,
    parse,
    parse_expression,
)
from flightframe_server.language.bounds import MAX_BYTES, MAX_DEPTH, MAX_NESTING, MAX_TOKENS
from flightframe_server.language.syntax import Junction, Literal

QUERY = "SELECT a AT a WHERE "


def padded(size: int) -> str:
    return QUERY + "a" + " " * (size - len(QUERY) - 1)


def test_a_text_of_one_mebibyte_is_the_longest():
    assert MAX_BYTES == 1024 * 1024
    assert parse(padded(MAX_BYTES)) == parse(QUERY + "a")
    with pytest.raises(LimitExceeded, match="1 MiB"):
        parse(padded(MAX_BYTES + 1))


def test_length_counts_bytes_not_letters():
    half = MAX_BYTES // 2
    with pytest.raises(LimitExceeded, match="1 MiB"):
        parse(QUERY + "a = '" + "é" * half + "'")
    assert parse(QUERY + "a = '" + "é" * (half - 100) + "'")


@pytest.mark.slow
def test_fifty_thousand_tokens_are_the_most():
    # SELECT a AT a WHERE, then x OR x OR ... x.
    words = (MAX_TOKENS - 5) // 2 + 1
    text = QUERY + " OR ".join(["x"] * words)
    tokens = 5 + 2 * words - 1
    assert tokens == MAX_TOKENS
    where = parse(text).where
    assert isinstance(where, Junction)
    assert len(where.operands) == words
    with pytest.raises(LimitExceeded, match="50,000") as caught:
        parse(text + " ;")
    assert caught.value.place is not None
    assert caught.value.place.start == len(text) + 1


def test_parentheses_nest_a_thousand_deep():
    assert MAX_NESTING == 1000
    deepest = "(" * 1000 + "a" + ")" * 1000
    assert parse_expression(deepest) == parse_expression("a")
    with pytest.raises(LimitExceeded, match="1,000 deep") as caught:
        parse_expression(f"({deepest})")
    assert caught.value.place is not None
    assert caught.value.place.start == 1000


# Each makes an expression that is `levels` deep, of the fewest words.
CHAINS = {
    "signs": lambda levels: "- " * (levels - 1) + "a",
    "negations": lambda levels: "NOT " * (levels - 1) + "a",
    "sums": lambda levels: "a" + " + a" * (levels - 1),
    "products": lambda levels: "a" + " / a" * (levels - 1),
    "calls": lambda levels: "ABS(" * (levels - 1) + "a" + ")" * (levels - 1),
    "anchors": lambda levels: "(" * (levels - 1) + "a" + " @ b)" * (levels - 1),
    "alternating": lambda levels: (
        "(" * (levels - 1)
        + "a"
        + "".join(" OR b)" if level % 2 else " AND b)" for level in range(levels - 1))
    ),
    "filters": lambda levels: "SUM(a) FILTER (WHERE " * (levels - 1) + "a" + ")" * (levels - 1),
    # A CASE and its WHEN are a level each.
    "results": lambda levels: (
        "NOT " * ((levels - 1) % 2)
        + "CASE WHEN a THEN " * ((levels - 1) // 2)
        + "a"
        + " END" * ((levels - 1) // 2)
    ),
    "operands": lambda levels: "CASE " * (levels - 2) + "a" + " WHEN 1 THEN 2 END" * (levels - 2),
    "casts": lambda levels: "CAST(" * (levels - 1) + "a" + " AS text)" * (levels - 1),
    "fields": lambda levels: "EXTRACT(day FROM " * (levels - 1) + "a" + ")" * (levels - 1),
    "tests": lambda levels: "(" * (levels - 1) + "a" + " IS NULL)" * (levels - 1),
}


@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS.keys())
def test_trees_are_no_deeper_than_the_bound(make):
    assert parse_expression(make(MAX_DEPTH)) is not None
    with pytest.raises(LimitExceeded, match="levels deep") as caught:
        parse(QUERY + make(MAX_DEPTH + 1))
    assert caught.value.place is not None


@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS.keys())
def test_the_deepest_tree_is_safe_to_walk_in_a_small_thread_under_a_deep_stack(make):
    text = make(MAX_DEPTH)
    failures: list[BaseException] = []

    def walk() -> None:
        one, two = parse_expression(text), parse_expression(text)
        assert one == two
        assert hash(one) == hash(two)
        assert repr(one) == repr(two)
        assert parse_expression(format_expression(one)) == one
        assert canonical_name(one)

    def descend(frames: int) -> None:
        if frames:
            descend(frames - 1)
        else:
            walk()

    def run() -> None:
        try:
            descend(300)
        except BaseException as error:
            failures.append(error)

    assert sys.getrecursionlimit() == 1000
    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert failures == []


@pytest.mark.slow
def test_chains_of_one_kind_of_and_or_are_one_level():
    text = " AND ".join(["(a OR b OR c)"] * 4000)
    tree = parse_expression(text)
    assert isinstance(tree, Junction)
    assert len(tree.operands) == 4000


def test_signs_before_a_number_are_no_levels():
    tree = parse_expression("- " * 4001 + "7")
    assert isinstance(tree, Literal)
    assert tree.value == -7


SIZE = MAX_BYTES - 200
HOSTILE = {
    "long chains": "a" + "+a" * 20_000,
    "many signs": "- " * 40_000 + "a",
    "flattening": "(" * 900 + " OR ".join(["a"] * 10_000) + " OR b)" * 900,
    "open parentheses": "(" * 1000,
    "spaces after order": "a order" + " " * SIZE + "x",
    "comments after order": "a order" + "/**/" * (SIZE // 4) + "x",
    "comments after filter": "a filter" + "/**/" * (SIZE // 4) + "x",
    "many orders": "a " + "order " * (SIZE // 6),
    "an open comment of stars": "/*" + "*" * SIZE,
    "an open comment of comments": "/* " + "/* " * (SIZE // 3),
    "line comments": "--\n" * (SIZE // 9),
    "an open text": "a = '" + "''" * (SIZE // 2),
    "an open name": '"' + '""' * (SIZE // 2),
    "digits": "1" * SIZE,
    "digits before a letter": "1" * SIZE + "x",
    "a fraction before a letter": "1." + "1" * SIZE + "x",
    "an exponent": "1e" + "9" * SIZE,
    "a word": "a" * SIZE,
    "a misspelled word": "a " + "wher" * (SIZE // 4),
    "lines": "\n" * SIZE + "'",
    "dots": "a" + ".a" * 20_000,
    "members": "a IN (" + "1," * 20_000 + "b)",
}


@pytest.mark.slow
@pytest.mark.parametrize("tail", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_take_no_more_than_linear_time(tail):
    # A quadratic step over a mebibyte takes an hour of this thread; these take a second or so.
    started = time.thread_time()
    message = ""
    try:
        parse(QUERY + tail)
    except FlightframeError as error:
        message = str(error)
    assert len(message) < 500
    assert time.thread_time() - started < 30


@pytest.mark.parametrize("text", ["\ud800", "'\udfff'", '"\ud800\udc00"', "-- \udead"])
def test_half_a_surrogate_pair_is_refused_even_as_data(text):
    with pytest.raises(FrameQLSyntaxError, match="surrogate"):
        parse(QUERY + text)


def test_what_a_short_text_stands_for_is_bounded():
    # Each BETWEEN compares its operand twice: thirty of them are a thousand million comparisons.
    for nest in ("(# BETWEEN TRUE AND FALSE)", "CASE # WHEN 1 THEN 2 WHEN 3 THEN 4 END"):
        text = "a"
        for _ in range(30):
            text = nest.replace("#", text)
        started = time.process_time()
        with pytest.raises(LimitExceeded, match="100,000 operations"):
            parse_expression(text)
        assert time.process_time() - started < 1


def test_a_long_case_is_within_the_bounds():
    whens = " ".join(f"WHEN {number} THEN {number}" for number in range(5_000))
    assert len(parse_expression(f"CASE a {whens} ELSE 0 END").whens) == 5_000


@pytest.mark.slow
def test_case_words_that_are_names_take_linear_time():
    text = "SELECT " + "case + " * 20_000 + "case AT r"
    started = time.process_time()
    with pytest.raises(LimitExceeded):  # of depth: it is read all the same
        parse(text)
    assert time.process_time() - started < 20
