"""A text around a cursor: its piece, what the grammar accepts there, and how it is filled up."""

import pytest

from flightframe_server.language import format_statement, parse
from flightframe_server.language.draft import END, FILLING, ParseState, read_draft
from flightframe_server.language.parse import new_parser


def draft(written):
    offset = written.index("|")
    return read_draft(written.replace("|", "", 1), offset)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT revenue, SUM(cost) AS x AT region WHERE region = 'East' AND month > $a",
        "SELECT CASE WHEN a > 1 THEN b ELSE c END AT (x, y) ORDER BY a DESC NULLS LAST LIMIT 3",
        "SELECT AVG(m @ {d, e}) FILTER (WHERE a IS NOT DISTINCT FROM b) FROM t AT ()",
        "EXPLAIN SELECT CAST(a AS decimal(3,1)) AT x LIMIT 3 OFFSET 2 PER (x);",
    ],
)
def test_what_is_accepted_is_what_the_parser_accepts(text):
    parser, state = new_parser(text), ParseState.start()
    for token in parser.lexer_thread.lex(None):
        assert state.expected() == parser.accepts()
        parser.feed_token(token)
        state = state.after(token.type)
    assert state.after(END) is not None


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("SELECT |", f"SELECT mark AT {FILLING}"),
        ("SELECT a, SUM(|", f"SELECT a, SUM(mark) AT {FILLING}"),
        ("SELECT | AT x", "SELECT mark AT x"),
        ("SELECT | a AT x", "SELECT mark, a AT x"),
        ("SELECT a AT (x, | HAVING a > 1", "SELECT a AT (x, mark) HAVING a > 1"),
        ("SELECT a WHERE x = 1 AND | AT x", "SELECT a WHERE x = 1 AND mark AT x"),
        ("SELECT CASE WHEN | THEN b END AT x", "SELECT CASE WHEN mark THEN b END AT x"),
        ("SELECT CASE | END AT x", None),
        ("SELECT , | AT x", f"SELECT ${FILLING}, mark AT x"),
        ("SELECT a AT x ORDER BY |, b", "SELECT a AT x ORDER BY mark, b"),
        ("SELECT a HAVING | ", f"SELECT a AT {FILLING} HAVING mark"),
    ],
)
def test_what_is_missing_is_filled_up(written, filled):
    found = draft(written).with_tokens(("WORD", "mark"))
    if filled is not None:
        assert format_statement(found) == format_statement(parse(filled))


@pytest.mark.parametrize(
    ("written", "start", "end", "typed", "quote"),
    [
        ("SELECT re|gion", 7, 13, "re", ""),
        ("SELECT |", 7, 7, "", ""),
        ("SELECT a|, b", 7, 8, "a", ""),
        ("SELECT 'ab|c'", 7, 12, "ab", "'"),
        ("SELECT 'ab|", 7, 10, "ab", "'"),
        ("SELECT 'it''s|'", 7, 14, "it's", "'"),
        ('SELECT "a ""b|', 7, 13, 'a "b', '"'),
        ('SELECT "a b"|', 7, 12, "a b", '"'),
        ("SELECT $na|", 7, 10, "$na", ""),
        ("SELECT $|", 7, 8, "$", ""),
        ("SELECT a ORDER |", 9, 15, "ORDER", ""),
        ("SELECT 'a' |", 11, 11, "", ""),
        ("SELECT 'a'|", 10, 10, "", ""),
    ],
)
def test_the_piece_at_the_cursor(written, start, end, typed, quote):
    found = draft(written)
    assert (found.start, found.end, found.typed, found.quote) == (start, end, typed, quote)


@pytest.mark.parametrize(
    "written", ["-- a|", "/* a|", "SELECT 12|", "SELECT 1.5|", "SELECT [|", 'SELECT "a\nb|']
)
def test_where_nothing_is_written_there_is_no_draft(written):
    assert draft(written) is None


def test_a_soft_keyword_that_would_be_a_name_is_no_keyword():
    assert "ASC" not in set(draft("SELECT a |").state.keywords())
    assert "ASC" in set(draft("SELECT a AT x ORDER BY a |").state.keywords())
    assert "DATE" in set(draft("SELECT a WHERE x = |").state.keywords())
    assert "PER" in set(draft("SELECT a AT x LIMIT 3 |").state.keywords())


def test_parameters_are_numbered_as_the_parser_numbers_them():
    found = draft("SELECT a AT x WHERE y = ? AND z = ? AND |").with_tokens(("WORD", "w"))
    assert format_statement(found) == "SELECT a WHERE y = ? AND z = ? AND w AT x"
    assert [part.right.index for part in found.where.operands[:2]] == [0, 1]
