"""Does a refusal name the mistake, at its place, in words that help?

In each case `¦` stands before the character that is to blame.
"""

import pytest

from flightframe_server.errors import ECHO_LIMIT, FrameQLSyntaxError, LimitExceeded
from flightframe_server.language import parse, parse_expression

GRAIN = "a query names its grain: AT level, or AT () for the grand total"


def refusal(marked: str, read=parse) -> FrameQLSyntaxError:
    """Parse the text without its mark, and check that the error stands at the mark."""
    offset = marked.index("¦")
    text = marked.replace("¦", "")
    with pytest.raises(FrameQLSyntaxError) as caught:
        read(text)
    place = caught.value.place
    assert place is not None
    lines = text[:offset].split("\n")
    assert (place.line, place.column, place.start) == (len(lines), len(lines[-1]) + 1, offset)
    assert caught.value.code == "PARSE"
    return caught.value


@pytest.mark.parametrize(
    ("marked", "suggestion"),
    [
        ("¦SELET region AT region", "SELECT"),
        ("¦EXPLIAN SELECT region AT region", "EXPLAIN"),
        ("EXPLAIN ¦SLECT region AT region", "SELECT"),
        ("SELECT region AT region ¦ORDR BY x", "ORDER BY"),
        ("SELECT region AT region ¦ORDER region", "ORDER BY"),
        ("SELECT region ¦FORM t AT region", "FROM"),
        ("SELECT region ¦WERE x = 1 AT region", "WHERE"),
        ("SELECT region, SUM(x) ¦WHER x = 1 AT region", "WHERE"),
        ("SELECT region AT region\n¦HAVNG x > 1", "HAVING"),
        ("SELECT region AT region HAVING x > 1 ¦LIMT 5", "LIMIT"),
        ("SELECT region AT region ORDER BY x ¦DSC", "DESC"),
        ("SELECT region WHERE x ¦BETWEN 1 AND 2 AT region", "BETWEEN"),
        ("SELECT region WHERE x ¦LKE 'a' AT region", "LIKE"),
    ],
)
def test_misspelled_keywords(marked, suggestion):
    hint = refusal(marked).hint
    assert hint is not None
    assert hint.startswith("did you mean ")
    assert suggestion in hint


def test_an_alias_that_is_far_from_any_keyword_is_not_corrected():
    assert refusal("SELECT x total ¦y AT region").hint == GRAIN


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("SELECT r, SUM(x) FROM t ¦GROUP BY r", "there is no GROUP BY: the anchor after AT is"),
        ("SELECT r, SUM(x) AT r ¦GROUP BY r", "there is no GROUP BY"),
        ("SELECT r, SUM(x) group ¦BY r", "there is no GROUP BY"),
        ("SELECT r FROM t ¦JOIN u ON a = b AT r", "there is no JOIN"),
        ("SELECT r FROM t ¦left join u ON a = b AT r", "there is no JOIN"),
        ("SELECT r AT () WHERE day = (¦SELECT max(day) FROM tx)", "there are no subqueries"),
        ("SELECT r AT r WHERE r IN (¦SELECT a FROM t)", "there are no subqueries"),
        ("SELECT r FROM ¦(SELECT a FROM t) AT r", "found `(`"),
        ("SELECT r AT r; ¦DROP TABLE r", "one statement at a time"),
        ("SELECT r AT r;¦;", "one statement at a time"),
        ("SELECT r AT r ¦UNION SELECT r AT r", "there are no set operations"),
        ("SELECT SUM(x) OVER ¦(PARTITION BY r) AT r", "there are no window functions"),
        ("SELECT ¦DISTINCT r AT r", "there is no SELECT DISTINCT"),
        ("SELECT ¦CASE WHEN a THEN b AT r", "the CASE opened here lacks END"),
        ("SELECT ¦CASE WHEN a ELSE b END AT r", "the CASE opened here lacks THEN"),
        ("SELECT (¦CASE a WHEN 1 THEN 2) AT r", "the CASE opened here lacks END"),
        ("SELECT CAST(a¦, int) AT r", "CAST names a type after AS"),
        ("SELECT CAST(a¦) AT r", "CAST names a type after AS"),
        ("SELECT EXTRACT(year¦, day) AT r", "EXTRACT names a field before FROM"),
        ("SELECT EXTRACT(¦'year' FROM day) AT r", "EXTRACT names a field before FROM"),
        ("¦DELETE FROM t", "Frame-QL only reads: there is no DELETE"),
        ("SELECT r WHERE x =¦= 1 AT r", "a comparison is one of = <> < <= > >="),
        ("SELECT r FROM t¦, u AT r", "FROM names one schema"),
        ("SELECT r AT r¦, day", "several levels stand in parentheses"),
        ("SELECT r AT calendar.month¦, day", "several levels stand in parentheses"),
        ("SELECT calendar.month¦(x) AT r", "the name of a function has no dots"),
        ("SELECT SUM(revenue ¦AT day) AT r", "AT stands outside parentheses"),
    ],
)
def test_habits_of_sql(marked, message):
    assert refusal(marked).message.startswith(message)


@pytest.mark.parametrize(
    "marked",
    [
        "SELECT region, revenue¦",
        "SELECT region, revenue ¦;",
        "SELECT region, SUM(revenue) FROM t WHERE x = 1¦",
        "SELECT region, SUM(revenue) FROM t WHERE x = 1 ¦ORDER BY x",
        "SELECT region, revenue ¦HAVING revenue > 1",
        "SELECT region, revenue FROM t ¦LIMIT 5 -- AT region",
        "SELECT region, revenue¦ -- AT region\n",
    ],
)
def test_a_missing_grain(marked):
    assert refusal(marked).message == GRAIN


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("SELECT r WHERE x = 1 AT r ¦WHERE y = 2", "WHERE given twice"),
        ("SELECT r WHERE x = 1\n¦WHERE y = 2 AT r", "WHERE given twice"),
        ("SELECT r AT r WHERE x = 1 ¦WHERE y = 2", "WHERE given twice"),
        ("SELECT r AT r ¦AT r", "AT given twice"),
        ("SELECT r FROM t ¦FROM u AT r", "FROM given twice"),
        ("SELECT r ¦SELECT s AT r", "SELECT given twice"),
        ("SELECT r AT r LIMIT 1 ¦LIMIT 2", "LIMIT given twice"),
        ("SELECT r AT r LIMIT 1 ¦ORDER BY r", "ORDER BY comes too late"),
        ("SELECT r AT r ORDER BY r ¦HAVING r", "HAVING comes too late"),
        ("SELECT r AT r ¦FROM t", "FROM comes too late"),
    ],
)
def test_clauses_twice_or_out_of_order(marked, message):
    assert refusal(marked).message == message


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("SELECT ¦AT ()", "SELECT names nothing"),
        ("SELECT¦", "SELECT names nothing"),
        ("SELECT ¦FROM t AT r", "SELECT names nothing"),
        ("SELECT ¦, r AT r", "SELECT names nothing"),
        ("SELECT r¦, AT r", "nothing follows the comma"),
        ("SELECT r AT (r¦,)", "nothing follows the comma"),
        ("SELECT COALESCE(r¦,) AT r", "nothing follows the comma"),
        ("SELECT r AT r ORDER BY r¦,", "nothing follows the comma"),
        ("SELECT r ¦AT", "AT names no level"),
        ("SELECT r ¦AT WHERE x = 1", "AT names no level"),
        ("SELECT r ¦WHERE AT r", "WHERE says nothing"),
        ("SELECT r AT r ¦HAVING", "HAVING says nothing"),
        ("SELECT r AT r ¦ORDER BY", "ORDER BY says nothing"),
        ("SELECT r AT r ¦LIMIT", "LIMIT says nothing"),
        ("SELECT r ¦FROM AT r", "FROM says nothing"),
        ("SELECT r AT r WHERE x ¦=", "nothing follows `=`"),
        ("SELECT r WHERE x ¦= AT r", "nothing follows `=`"),
        ("SELECT r WHERE x = 1 ¦AND AT r", "nothing follows `AND`"),
        ("SELECT (r ¦+) AT r", "nothing follows `+`"),
        ("SELECT r AT r WHERE x IN (¦)", "the list after IN is empty"),
        ("SELECT ¦COUNT() AT r", "COUNT() is given nothing"),
        ("SELECT ¦version()", "version() is given nothing"),
        ("SELECT r WHERE day > ¦now() AT r", "now() is given nothing"),
    ],
)
def test_what_is_left_out_is_named_where_it_is_missing(marked, message):
    assert refusal(marked).message.startswith(message)


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("SELECT r AT r WHERE x IN (¦West, East)", "West"),
        ("SELECT r AT r WHERE x IN ('East', ¦West)", "West"),
        ('SELECT r AT r WHERE x LIKE ¦"West"', "West"),
        ("SELECT r WHERE x = New ¦York AT r", "New York"),
        ("SELECT r WHERE x <> New ¦York AT r", "New York"),
    ],
)
def test_a_text_without_quotes_is_told_how_it_is_written(marked, text):
    assert refusal(marked).hint == f"a text stands in single quotes: '{text}'"


@pytest.mark.parametrize("marked", ["SELECT r AT r ¦s", "SELECT r AT calendar.month ¦day"])
def test_several_levels_without_parentheses(marked):
    assert refusal(marked).message == "several levels stand in parentheses"


def test_the_from_of_a_comparison_is_no_clause():
    statement = parse("SELECT a IS DISTINCT FROM b AS c FROM t AT r")
    assert statement.source is not None
    assert refusal("SELECT a IS DISTINCT FROM b AT r ¦FROM t").message == "FROM comes too late"


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("SELECT r AT r WHERE x = ¦'abc", "the text opened here is never closed"),
        ("SELECT r AT r WHERE x = ¦'abc''", "the text opened here is never closed"),
        ("SELECT r AT r WHERE d = DATE ¦'2024", "the text opened here is never closed"),
        ('SELECT ¦"abc AT r', "the quoted name opened here is never closed"),
        ('SELECT ¦"abc AT r\nWHERE "b" = 1', "the quoted name opened here is not closed on its"),
        ('SELECT ¦"" AT r', "a quoted name is empty"),
        ("SELECT r AT r ¦/* never\nclosed", "the comment opened here is never closed"),
        ("SELECT r ¦/* never * / AT r", "the comment opened here is never closed"),
        ("SELECT SUM¦(r AT r", "the `(` opened here is never closed"),
        ("SELECT r AT ¦(r, s", "the `(` opened here is never closed"),
        ("SELECT r AT ¦{r, s", "the `{` opened here is never closed"),
        ("SELECT ABS¦(SUM(r) AT r", "the `(` opened here is never closed"),
        ("SELECT ABS(SUM¦(r AT r", "the `(` opened here is never closed"),
        ("SELECT r¦) AT r", "`)` closes nothing that is open"),
        ("SELECT r AT {r¦)", "`)` closes nothing that is open"),
    ],
)
def test_what_is_opened_and_not_closed(marked, message):
    assert refusal(marked).message.startswith(message)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("SELECT ¦\0r AT r", "a control character (U+0000) cannot stand here"),
        ("SELECT r -- ¦\0\nAT r", "a control character (U+0000) cannot stand here"),
        ("SELECT r /* ¦\x1b */ AT r", "a control character (U+001B) cannot stand here"),
        ('SELECT "r¦\0" AT r', "a control character (U+0000) cannot stand here"),
        ("SELECT¦\x0cr AT r", "a control character (U+000C) cannot stand here"),
        ("SELECT¦\u00a0r AT r", "a character (U+00A0, no-break space) cannot stand here"),
        ("¦\ufeffSELECT r AT r", "a character (U+FEFF, zero width no-break space) cannot"),
        ("SELECT r AT r WHERE x = '¦\ud800'", "the query holds half of a surrogate pair"),
        ("SELECT gr¦öße AT r", "`ö` means nothing here"),
        ("SELECT r AT r LIMIT ¦\u0663", "`\u0663` means nothing here"),
        ("¦\u017fELECT r AT r", "`\u017f` means nothing here"),
        ("SELECT ¦`r` AT r", "``` means nothing here"),
        ("SELECT r ¦| s AT r", "`|` means nothing here"),
        ("SELECT r AT r WHERE x = ¦$1", "a parameter is written $name, or ?"),
        ("SELECT r AT r WHERE x = ¦1abc", "`1abc` is neither a number nor a name"),
        ("SELECT r AT r WHERE x = 1.5¦.x", "found `.`"),
        ("SELECT r AT r WHERE x = ¦1.x", "`1.x` is neither a number nor a name"),
        ("SELECT r AT r WHERE x = ? AND y = ¦$b", "`?` and `$name` do not mix in one query"),
        ("SELECT r AT r WHERE x = $a AND y = ¦?", "`?` and `$name` do not mix in one query"),
    ],
)
def test_characters_and_parameters(marked, message):
    assert refusal(marked).message.startswith(message)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("¦", "there is no query here"),
        ("SELECT r AT r WHERE x IN (¦y)", "found `y`, expected a literal, a parameter or LAST"),
        ("SELECT r AT r WHERE x LIKE ¦y", "found `y`, expected a text in single quotes or a"),
        ("SELECT r AT r LIMIT ¦-1", "found `-`, expected a whole number or a parameter"),
        ("SELECT r AT r LIMIT ¦1.5", "found `1.5`, expected a whole number or a parameter"),
        ("SELECT r AT r WHERE x IS ¦5", "found `5`, expected NOT, DISTINCT, NULL or KNOWN"),
        ("SELECT r AT r WHERE x BETWEEN 1 ¦OR 2", "found `OR`, expected"),
        ("SELECT r AT ¦5", "found `5`, expected a name, ROLLUP, CUBE, GROUPING SETS or `(`"),
        ("SELECT r AT r ¦OFFSET 5", "found `OFFSET`, expected WHERE, HAVING, ORDER BY, LIMIT or"),
    ],
)
def test_found_and_expected(marked, message):
    assert refusal(marked).message.startswith(message)


def test_a_keyword_used_as_a_name_is_told_about_quotes():
    assert refusal("SELECT ¦in AT r").hint == 'a name spelled like the keyword is written "in"'


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("¦", "found the end of the expression, expected an expression"),
        ("revenue ¦-", "nothing follows `-`"),
        ("revenue ¦cost", "found `cost`, expected an operator or the end of the expression"),
        ("revenue¦;", "found `;`"),
        ("¦SELECT a AT b", "found `SELECT`, expected an expression"),
        ("(¦SELECT a AT b)", "there are no subqueries"),
        ("¦(a", "the `(` opened here is never closed"),
        ("a ¦AT day", "found `AT`, expected"),
    ],
)
def test_expressions_alone(marked, message):
    assert refusal(marked, parse_expression).message.startswith(message)


@pytest.mark.parametrize("tail", ["x" * 5000, "'" + "y" * 5000 + "'", "9" * 5000 + "z"])
def test_an_error_echoes_no_more_than_eighty_characters(tail):
    with pytest.raises((FrameQLSyntaxError, LimitExceeded)) as caught:
        parse("SELECT r AT r r " + tail)
    with pytest.raises(FrameQLSyntaxError) as second:
        parse("SELECT r AT r " + tail)
    for error in (caught.value, second.value):
        longest = max(len(run) for run in str(error).replace("`", " ").split())
        assert longest <= ECHO_LIMIT


def test_an_echo_is_one_line_of_visible_characters():
    message = refusal("SELECT r AT r ¦'a\n\0\u202eb'").message
    assert "'a ··b'" in message
    assert message.isprintable()
    assert refusal("SELECT r AT r WHERE d = ¦DATE '\x1b[2J'").message == "'·[2J' is not a date"


def test_the_caret_stands_under_the_mistake():
    text = "SELECT region\nFROM t\nGROUP BY region"
    with pytest.raises(FrameQLSyntaxError) as caught:
        parse(text)
    assert caught.value.caret(text) == "GROUP BY region\n^"
    text = "SELECT region, SUM(revenue AT region"
    with pytest.raises(FrameQLSyntaxError) as caught:
        parse(text)
    assert caught.value.caret(text) == f"{text}\n{' ' * 18}^"


@pytest.mark.parametrize("text", ["", "\n\n", "SELECT region\n", "SELECT region -- end\n\n"])
def test_the_end_of_a_text_has_a_caret_too(text):
    with pytest.raises(FrameQLSyntaxError) as caught:
        parse(text)
    drawn = caught.value.caret(text)
    assert drawn is not None
    line, caret = drawn.split("\n")
    assert caret.index("^") == len("SELECT region" if line else "")


def test_the_text_of_an_error_is_whole():
    with pytest.raises(FrameQLSyntaxError) as caught:
        parse("SELET region AT region")
    assert str(caught.value) == (
        "PARSE: found `SELET`, expected SELECT (line 1, column 1). Hint: did you mean SELECT?"
    )
