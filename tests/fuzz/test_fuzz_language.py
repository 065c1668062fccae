"""Does any text at all give a tree or a typed error, in bounded time?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightframe_server.errors import ECHO_LIMIT, FlightframeError
from flightframe_server.language import format_expression, format_statement, parse, parse_expression
from flightframe_server.language.syntax import Expression, Statement

QUERIES = [
    "SELECT region, SUM(revenue) AS total_revenue AT region",
    "EXPLAIN SELECT * FROM transactions WHERE NOT (a = 1 OR b <> 'x') AND c IN (-1, ?, NULL) AT ()",
    "SELECT AVG((revenue - cost) @ {day, region}) AT (calendar.month) HAVING x > 1e3 "
    "ORDER BY x DESC NULLS LAST, y LIMIT 5 OFFSET 2 PER (a, b); -- done",
    "SELECT COUNT(DISTINCT c) FILTER (WHERE d BETWEEN DATE '2024-01-01' AND $to) / COUNT(*) r, "
    '"odd ""name" AT r WHERE e IS NOT DISTINCT FROM TIMESTAMP \'2024-01-01 00:00\' /* why */',
    "SELECT CASE WHEN a THEN 'x' || b ELSE CAST(c AS decimal(12,2)) END AS end, "
    "CASE a WHEN EXTRACT(month FROM day) THEN 1 END + 1 case AT (case, end) ORDER BY case - end",
    "SELECT -x % +2.50 AT date WHERE order NOT LIKE 'O''B%' AND first IS NULL",
]
WORDS = r"""
    SELECT FROM WHERE AT HAVING ORDER BY LIMIT AS AND OR NOT IN IS LIKE BETWEEN DISTINCT TRUE FALSE
    NULL EXPLAIN PER OFFSET NULLS FIRST LAST ASC DESC DATE TIMESTAMP FILTER GROUP JOIN CASE WHEN
    THEN ELSE END CAST( CAST EXTRACT( EXTRACT ||
    OVER UNION SELET WERE region revenue a x SUM COUNT 1 -1 2.5 1e3 .5 5. 1x 'a' '' 'it''s
    '2024-01-01' "a" "" " ' ? $p $ ( ) { } [ ] , . ; * + - / % @ = <> != < <= ! -- /* */ \ é 😀
"""
TOKENS = [*WORDS.split(), *"\0\n\r\t \u00a0\ufeff\u017f\u212a\u0663\ud800"]

anything = st.text(st.characters(), max_size=60)
soup = st.lists(st.sampled_from(TOKENS), max_size=25).flatmap(
    lambda words: st.sampled_from(["", " ", " ", "\n"]).map(lambda gap: gap.join(words))
)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """Cut, double, swap or replace a few pieces of a valid query."""
    text = draw(st.sampled_from(QUERIES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        piece = draw(st.sampled_from(["", text[start:end] * 2, *TOKENS, " "]) | st.text(max_size=3))
        text = text[:start] + piece + text[end:]
    return text


def attempt(text: str) -> None:
    """Read a text both ways; what is read must be written and read again to the same tree."""
    try:
        statement = parse(text)
    except FlightframeError as error:
        check(error, text)
    else:
        assert isinstance(statement, Statement)
        assert parse(format_statement(statement)) == statement
    try:
        expression = parse_expression(text)
    except FlightframeError as error:
        check(error, text)
    else:
        assert isinstance(expression, Expression)
        assert parse_expression(format_expression(expression)) == expression


def check(error: FlightframeError, text: str) -> None:
    """An error has its code, a place inside the text, a caret, and text that any wire carries."""
    assert error.code in ("PARSE", "LIMIT_EXCEEDED")
    assert error.place is not None
    assert 0 <= error.place.start <= error.place.end <= len(text)
    before = text[: error.place.start].split("\n")
    assert (error.place.line, error.place.column) == (len(before), len(before[-1]) + 1)
    assert error.message.isprintable()
    assert len(error.message) < 3 * ECHO_LIMIT
    assert str(error).encode()
    error.caret(text)


@settings(max_examples=200, deadline=2000)
@given(anything)
def test_any_text(text):
    attempt(text)


@settings(max_examples=400, deadline=2000)
@given(soup)
@pytest.mark.slow
def test_words_of_the_language_in_any_order(text):
    attempt(text)


@settings(max_examples=400, deadline=2000)
@given(mutants())
@pytest.mark.slow
def test_valid_queries_with_pieces_changed(text):
    attempt(text)


@settings(max_examples=200, deadline=2000)
@given(st.sampled_from(QUERIES), st.data())
def test_a_control_character_outside_a_literal_is_never_read(query, data):
    # Every query holds its literals as '...': an even count of quotes before means outside.
    outside = [at for at in range(len(query) + 1) if query[:at].count("'") % 2 == 0]
    at = data.draw(st.sampled_from(outside))
    control = data.draw(st.sampled_from([chr(code) for code in (0, 1, 8, 11, 12, 27, 31, 127)]))
    with pytest.raises(FlightframeError) as caught:
        parse(query[:at] + control + query[at:])
    assert caught.value.code == "PARSE"


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_that_are_mutated_are_valid(query):
    assert format_statement(parse(query)) == format_statement(parse(format_statement(parse(query))))


@pytest.mark.parametrize("query", QUERIES)
def test_every_beginning_of_a_query_gives_a_tree_or_an_error(query):
    for end in range(len(query)):
        attempt(query[:end])
