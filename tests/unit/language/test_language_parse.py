"""Does the parser make the tree that the specification says?"""

import pytest

from flightframe_server.language import parse, parse_expression
from flightframe_server.language.syntax import (
    Anchor,
    Ascribed,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    DistinctFrom,
    Extract,
    IsIn,
    IsNull,
    Item,
    Junction,
    Like,
    Limit,
    Literal,
    LiteralKind,
    Name,
    Not,
    OrderKey,
    Parameter,
    Star,
    Statement,
    Unary,
    When,
)


def name(text: str) -> Name:
    return Name(tuple(text.split(".")))


def text(value: str) -> Literal:
    return Literal(value, LiteralKind.TEXT)


def whole(value: int) -> Literal:
    return Literal(value, LiteralKind.INTEGER)


A, B, C, X, Y = (name(letter) for letter in "abcxy")
EAST = Compare("=", name("region"), text("East"))


def anchor(*levels: str) -> Anchor:
    return Anchor(tuple(name(level) for level in levels))


def test_the_canonical_query():
    assert parse("SELECT region, SUM(revenue) AS total_revenue AT region") == Statement(
        items=(Item(name("region")), Item(Call("SUM", (name("revenue"),)), "total_revenue")),
        anchor=anchor("region"),
    )


def test_every_clause_at_once():
    query = """
        explain select day, profit FROM transactions WHERE region = 'East' AT (day, region)
        HAVING profit > 5 ORDER BY profit DESC NULLS FIRST, day ASC NULLS LAST, region
        LIMIT 10 OFFSET 5 PER (region);
    """
    assert parse(query) == Statement(
        items=(Item(name("day")), Item(name("profit"))),
        source=name("transactions"),
        where=EAST,
        anchor=anchor("day", "region"),
        having=Compare(">", name("profit"), whole(5)),
        order_by=(
            OrderKey(name("profit"), descending=True, nulls_first=True),
            OrderKey(name("day"), nulls_first=False),
            OrderKey(name("region")),
        ),
        limit=Limit(whole(10), whole(5), anchor("region")),
        explain=True,
    )


def test_where_stands_before_or_after_at():
    before = parse("SELECT revenue WHERE region = 'East' AT day")
    assert before == parse("SELECT revenue AT day WHERE region = 'East'")
    assert before.where == EAST


@pytest.mark.parametrize(
    ("written", "levels"),
    [
        ("AT region", ["region"]),
        ("AT calendar.month", ["calendar.month"]),
        ("AT (region)", ["region"]),
        ("AT (day, day)", ["day", "day"]),
        ("AT {day, region}", ["day", "region"]),
        ("AT ()", []),
        ("AT {}", []),
    ],
)
def test_anchors(written, levels):
    assert parse(f"SELECT revenue {written}").anchor == anchor(*levels)


@pytest.mark.parametrize(
    ("written", "item"),
    [
        ("*", Item(Star())),
        ("calendar.month", Item(name("calendar.month"))),
        ("calendar . month", Item(name("calendar.month"))),
        ("revenue r", Item(name("revenue"), "r")),
        ('revenue AS "Net ""R"""', Item(name("revenue"), 'Net "R"')),
        ("revenue offset", Item(name("revenue"), "offset")),
        ("a / b AS c", Item(Binary("/", A, B), "c")),
    ],
)
def test_items(written, item):
    assert parse(f"SELECT {written} AT day").items == (item,)


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("a + b - c", Binary("-", Binary("+", A, B), C)),
        ("a - (b - c)", Binary("-", A, Binary("-", B, C))),
        ("a + b * c", Binary("+", A, Binary("*", B, C))),
        ("(a + b) * c", Binary("*", Binary("+", A, B), C)),
        ("a / b % c", Binary("%", Binary("/", A, B), C)),
        ("-a * b", Binary("*", Unary("-", A), B)),
        ("- -a", Unary("-", Unary("-", A))),
        ("+a", Unary("+", A)),
        ("-a @ day", Unary("-", Ascribed(A, anchor("day")))),
        ("(a - b) @ (day, region)", Ascribed(Binary("-", A, B), anchor("day", "region"))),
        ("a @ ()", Ascribed(A, anchor())),
    ],
)
def test_arithmetic(written, tree):
    assert parse_expression(written) == tree


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("a = b", Compare("=", A, B)),
        ("a != b", Compare("<>", A, B)),
        ("a <> b", Compare("<>", A, B)),
        ("a <= b", Compare("<=", A, B)),
        ("a>=b", Compare(">=", A, B)),
        ("a = NULL", Compare("=", A, Literal(None, LiteralKind.NULL))),
        ("NOT a = b", Not(Compare("=", A, B))),
        ("NOT (region='East')", Not(EAST)),
        ("NOT NOT a", Not(Not(A))),
        ("a OR b AND c", Junction("OR", (A, Junction("AND", (B, C))))),
        ("(a OR b) AND c", Junction("AND", (Junction("OR", (A, B)), C))),
        ("a AND (b AND c) AND x", Junction("AND", (A, B, C, X))),
        ("((a OR b) OR (c OR x)) OR y", Junction("OR", (A, B, C, X, Y))),
        ("a AND NOT b", Junction("AND", (A, Not(B)))),
        ("x IN (-1)", IsIn(X, (whole(-1),))),
        ("x IN (+1, NULL)", IsIn(X, (whole(1), Literal(None, LiteralKind.NULL)))),
        ("x NOT IN (?)", IsIn(X, (Parameter(index=0),), negated=True)),
        ("NOT x IN ('a')", Not(IsIn(X, (text("a"),)))),
        ("x BETWEEN 1 AND 2 AND y", Junction("AND", (Between(X, whole(1), whole(2)), Y))),
        ("x NOT BETWEEN a AND b", Between(X, A, B, negated=True)),
        ("x LIKE 'P%'", Like(X, text("P%"))),
        ("x NOT LIKE $p", Like(X, Parameter(name="p"), negated=True)),
        ("x IS NULL", IsNull(X)),
        ("x IS NOT NULL", IsNull(X, negated=True)),
        ("x IS DISTINCT FROM 1", DistinctFrom(X, whole(1))),
        ("x IS NOT DISTINCT FROM y", DistinctFrom(X, Y, negated=True)),
        ("a + b < c", Compare("<", Binary("+", A, B), C)),
    ],
)
def test_predicates(written, tree):
    assert parse_expression(written) == tree


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("COUNT(*)", Call("COUNT", (Star(),))),
        ("sum(x)", Call("SUM", (X,))),
        ("COUNT(DISTINCT x)", Call("COUNT", (X,), distinct=True)),
        ("QUANTILE(x, 0.5)", Call("QUANTILE", (X, parse_expression("0.5")))),
        ("COALESCE(a, b + c, 0)", Call("COALESCE", (A, Binary("+", B, C), whole(0)))),
        ("AVG((a - b) @ day)", Call("AVG", (Ascribed(Binary("-", A, B), anchor("day")),))),
        ("SUM(x) FILTER (WHERE region = 'East')", Call("SUM", (X,), filter=EAST)),
        ("SUM(x) FILTER(WHERE region='East') / y", Binary("/", Call("SUM", (X,), filter=EAST), Y)),
        ('"my fn"(x)', Call("MY FN", (X,))),
        ("PRIOR(x, month, 2)", Call("PRIOR", (X, name("month"), whole(2)))),
    ],
)
def test_calls(written, tree):
    assert parse_expression(written) == tree


LOOK_ALIKES = (
    "nothing truecount island notes orders fromage atlas ins isnt asset android limits nullable "
    "selected wherever group join"
)
SOFT = "order by date timestamp first last filter per offset nulls asc desc explain"


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("CASE WHEN a THEN 1 END", Case(None, (When(name("a"), whole(1)),))),
        (
            "case a when 1 then 'x' when b then 'y' else c end",
            Case(
                name("a"),
                (When(whole(1), text("x")), When(name("b"), text("y"))),
                name("c"),
            ),
        ),
        ("CASE -a WHEN 1 THEN 2 END", Case(Unary("-", name("a")), (When(whole(1), whole(2)),))),
        ("CASE (a) WHEN 1 THEN 2 END", Case(name("a"), (When(whole(1), whole(2)),))),
        ("CASE end WHEN 1 THEN 2 END", Case(name("end"), (When(whole(1), whole(2)),))),
        (
            "CASE WHEN CASE WHEN a THEN b END THEN case + 1 END",
            Case(
                None,
                (
                    When(
                        Case(None, (When(name("a"), name("b")),)),
                        Binary("+", name("case"), whole(1)),
                    ),
                ),
            ),
        ),
        (
            "CASE WHEN end THEN when ELSE then END",
            Case(None, (When(name("end"), name("when")),), name("then")),
        ),
        (
            "CAST(a + 1 AS DECIMAL ( 12 , 2 ))",
            Cast(Binary("+", name("a"), whole(1)), "decimal(12,2)"),
        ),
        ("CAST(a AS Date)", Cast(name("a"), "date")),
        ("EXTRACT(Month FROM a)", Extract("month", name("a"))),
        ("a || b - c", Binary("-", Binary("||", name("a"), name("b")), name("c"))),
        ("case - case", Binary("-", name("case"), name("case"))),
        ("case(case)", Call("CASE", (name("case"),))),
        ("cast + extract", Binary("+", name("cast"), name("extract"))),
    ],
)
def test_expressions_with_words_of_their_own(written, tree):
    assert parse_expression(written) == tree


@pytest.mark.parametrize(
    "written",
    [
        "SELECT case AT case",
        "SELECT case x AT case",
        "SELECT case when AT case",
        "SELECT case when, end AT case",
        "SELECT case end AT (case, when, then, else, end)",
        "SELECT SUM(case) then FROM end AT else WHERE case = 1 AND when IN (1) HAVING end > 1",
        "SELECT cast, extract AT (cast, extract) ORDER BY case DESC, cast LIMIT 1 PER (case)",
    ],
)
def test_the_words_of_case_cast_and_extract_stay_names(written):
    def leaves(node):
        if isinstance(node, tuple):
            return [leaf for part in node for leaf in leaves(part)]
        assert not isinstance(node, Case | Cast | Extract)
        fields = getattr(type(node), "__dataclass_fields__", {})
        return [leaf for field in fields for leaf in leaves(getattr(node, field))] or [node]

    assert leaves(parse(written))


@pytest.mark.parametrize("word", [*LOOK_ALIKES.split(), *SOFT.split()])
def test_words_that_only_begin_like_a_keyword_and_soft_keywords_are_names(word):
    statement = parse(
        f"SELECT {word}, {word}.{word} AS {word} FROM {word} WHERE {word} = 1 AND NOT {word} "
        f"AT ({word}, {word}.{word}) HAVING {word} ORDER BY {word} DESC LIMIT 1 PER {word}"
    )
    twice = Name((word, word))
    assert statement.items == (Item(name(word)), Item(twice, word))
    assert statement.anchor == Anchor((name(word), twice))
    assert statement.source == name(word)
    assert statement.where == Junction("AND", (Compare("=", name(word), whole(1)), Not(name(word))))
    assert statement.limit == Limit(whole(1), per=anchor(word))


def test_a_test_of_a_name_that_begins_with_not_is_no_negation():
    assert parse_expression("nothing = 1") == Compare("=", name("nothing"), whole(1))


@pytest.mark.parametrize("word", ["select", "From", "AT", "null", "in", "not"])
def test_hard_keywords_are_names_in_quotes_alone(word):
    assert parse(f'SELECT "{word}" AT "{word}"').items == (Item(Name((word,))),)


def test_order_and_by_are_names_apart_from_the_pair():
    statement = parse("SELECT order AS by, by AT (order, by) ORDER BY order, by")
    assert statement.items == (Item(name("order"), "by"), Item(name("by")))
    assert statement.order_by == (OrderKey(name("order")), OrderKey(name("by")))


def test_a_name_keeps_its_letters_and_a_quoted_dot():
    assert parse_expression('Calendar."Mo.nth"') == Name(("Calendar", "Mo.nth"))


@pytest.mark.parametrize(
    "value", ["P1)", "x AND y", "@", "O'Brien", "--", "/* */", "';", '"', "?", "$p", "", "a\nb\0"]
)
def test_what_stands_in_quotes_is_data(value):
    written = value.replace("'", "''")
    statement = parse(f"SELECT revenue AT () WHERE region = '{written}' OR x LIKE '{written}'")
    assert statement.where == Junction(
        "OR", (Compare("=", name("region"), text(value)), Like(X, text(value)))
    )


def test_comments_and_white_space_stand_anywhere():
    query = (
        "-- head\nSELECT/**/region--x\r\n,SUM/* a * b ** */( revenue ) FILTER /**/ (WHERE x)\tAT "
        "region ORDER /* ' */ -- \"\n BY region\r LIMIT 1 -- ; WHERE"
    )
    plain = "SELECT region, SUM(revenue) FILTER (WHERE x) AT region ORDER BY region LIMIT 1"
    assert parse(query) == parse(plain)


@pytest.mark.parametrize("tail", ["", ";", " ; ", ";-- done", "; /* done */ "])
def test_a_trailing_semicolon_is_fine(tail):
    assert parse("SELECT revenue AT ()" + tail) == parse("SELECT revenue AT ()")


def test_positional_parameters_are_numbered_in_order_of_appearance():
    statement = parse(
        "SELECT SUM(x) FILTER (WHERE a = ?) AT b WHERE c IN (?, 1, ?) AND x LIKE ? "
        "HAVING x > ? LIMIT ? OFFSET ?"
    )
    call = statement.items[0].expression
    assert isinstance(call, Call)
    assert call.filter == Compare("=", A, Parameter(index=0))
    assert statement.where == Junction(
        "AND",
        (
            IsIn(C, (Parameter(index=1), whole(1), Parameter(index=2))),
            Like(X, Parameter(index=3)),
        ),
    )
    assert statement.having == Compare(">", X, Parameter(index=4))
    assert statement.limit == Limit(Parameter(index=5), Parameter(index=6))


def test_numbering_starts_anew_with_every_text():
    assert parse_expression("?") == parse_expression("?") == Parameter(index=0)


def test_named_parameters_keep_their_letters_and_may_be_keywords():
    assert parse_expression("$Low + $select + $Low") == Binary(
        "+",
        Binary("+", Parameter(name="Low"), Parameter(name="select")),
        Parameter(name="Low"),
    )


def test_places_point_into_the_text():
    query = "SELECT region,\n  (revenue -\n cost) AS profit\nAT region"
    statement = parse(query)
    item = statement.items[1]
    assert (item.place.line, item.place.column) == (2, 3)
    assert query[item.place.start : item.place.end] == "(revenue -\n cost) AS profit"
    minus = item.expression
    assert isinstance(minus, Binary)
    assert query[minus.right.place.start : minus.right.place.end] == "cost"
    assert (minus.right.place.line, minus.right.place.column) == (3, 2)
    assert query[statement.place.start : statement.place.end] == query
    assert query[statement.anchor.place.start : statement.anchor.place.end] == "region"


def test_places_of_the_rarer_nodes():
    query = "SELECT -x, COUNT(*) FILTER (WHERE a) AT a ORDER BY a DESC NULLS LAST LIMIT 5 PER (a)"
    statement = parse(query)
    nodes = [statement.items[0].expression, statement.items[1].expression]
    shown = [query[node.place.start : node.place.end] for node in nodes]
    assert shown == ["-x", "COUNT(*) FILTER (WHERE a)"]
    key, limit = statement.order_by[0], statement.limit
    assert limit is not None
    assert query[key.place.start : key.place.end] == "a DESC NULLS LAST"
    assert query[limit.place.start : limit.place.end] == "LIMIT 5 PER (a)"
