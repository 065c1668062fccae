"""Each rule of what may be asked: what it refuses, under which code, and what it says to do."""

import pytest
from resolver_shop import refused, resolved, scope, typed

from flightframe_server.errors import QueryError
from flightframe_server.language import parse
from flightframe_server.resolver.legality import (
    check_metric,
    check_nested,
    check_reach,
    filter_levels,
    is_finer,
)
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.values import Binding

SALES = "sales reaches day, month, quarter, region, sale, season, store, week, year"
ONE_MOMENT = (
    "; what was there at the end is a SUM declared with a snapshot, and the last value of each"
    " {} is another number, which counts those that ended before"
)


def told(query, *values):
    """The code, the text and the hint of a refusal."""
    error = refused(query, *values)
    return error.code, error.message, error.hint


def term(text):
    """What an item means."""
    return MetricNames(scope()).leaf(parse(f"SELECT {text} AS x AT ()").items[0].expression)


def metric(text):
    """The one metric of an item."""
    (need,) = needs_of(term(text), (), ())
    return need.metric


def passes(check, *what):
    """Whether a check refuses nothing."""
    try:
        check(typed(), *what)
    except QueryError:
        return False
    return True


# Reach: every level of the anchor, of WHERE, of FILTER, and the one that is counted.


@pytest.mark.parametrize(
    ("query", "code", "said", "hint"),
    [
        (
            "SELECT amount AT meter",
            "UNREACHABLE_ANCHOR",
            "SUM(amount) cannot be asked at meter: no declared edge leads there",
            SALES,
        ),
        # Tags hold no numbers: they link stores with tags.
        (
            "SELECT amount AT (region, tag)",
            "FAN_OUT",
            "SUM(amount) cannot be asked at tag: tags links them many to many, and facts would"
            " count more than once",
            SALES,
        ),
        # Daily sums hold numbers of their own: it is not they that were meant as a link.
        (
            "SELECT on_hand AT day",
            "FAN_OUT",
            "SUM(on_hand) cannot be asked at day: no edge leads there from stock, and through"
            " daily facts would count more than once",
            "stock reaches month, quarter, region, season, store, year",
        ),
        (
            "SELECT amount AT region HAVING level > 1",
            "UNREACHABLE_ANCHOR",
            "SUM(level) cannot be asked at region: no declared edge leads there",
            "readings reaches hour, meter",
        ),
        (
            "SELECT amount FROM daily AT sale",
            "FAN_OUT",
            "SUM(amount) of daily cannot be asked at sale: no edge leads there from daily, and"
            " through sales facts would count more than once",
            "daily reaches day, month, quarter, region, season, store, week, year",
        ),
        (
            "SELECT region, meter FROM stores AT (region, meter)",
            "UNREACHABLE_ANCHOR",
            "the members of stores cannot be asked at meter: no declared edge leads there",
            "stores reaches region, store",
        ),
    ],
)
def test_an_anchor_that_the_rows_do_not_reach(query, code, said, hint):
    assert told(query) == (code, said, hint)


@pytest.mark.parametrize(
    ("query", "who", "level", "hint"),
    [
        ("SELECT amount AT region WHERE hour = 1", "SUM(amount)", "hour", SALES),
        ("SELECT amount AT region WHERE tag = 'x' OR store = 'S1'", "SUM(amount)", "tag", SALES),
        (
            "SELECT SUM(amount) FILTER (WHERE tag = 'x') AS x AT region",
            "SUM(amount where eq(tag,'x'))",
            "tag",
            SALES,
        ),
        (
            "SELECT amount AT region HAVING COUNT(amount) FILTER (WHERE meter = 'm') > 0",
            "COUNT(amount where eq(meter,'m'))",
            "meter",
            SALES,
        ),
        (
            "SELECT amount AT region ORDER BY AVG(on_hand) FILTER (WHERE day IS NULL)",
            "AVG(on_hand)",
            "day",
            "stock reaches month, quarter, region, season, store, year",
        ),
        (
            "SELECT MAX(SUM(amount) FILTER (WHERE hour = 1) @ day) AS x AT region",
            "SUM(amount where eq(hour,1))",
            "hour",
            SALES,
        ),
        (
            "SELECT COUNT(*) FILTER (WHERE week IS NULL) AS x FROM stock AT region",
            "COUNT(rows(stock) where is_null(week))",
            "week",
            "stock reaches month, quarter, region, season, store, year",
        ),
        (
            "SELECT amount FROM daily AT region WHERE sale = 1",
            "SUM(amount) of daily",
            "sale",
            "daily reaches day, month, quarter, region, season, store, week, year",
        ),
        (
            "SELECT region FROM stores AT region WHERE day IS NULL",
            "the members of stores",
            "day",
            "stores reaches region, store",
        ),
    ],
)
def test_a_filter_that_the_rows_do_not_reach(query, who, level, hint):
    said = f"{who} cannot be filtered by {level}: its rows do not reach it"
    assert told(query) == ("FILTER_UNREACHABLE", said, hint)


@pytest.mark.parametrize("counted", ["{}", "DISTINCT {}"])
@pytest.mark.parametrize(
    ("level", "schema", "code", "said"),
    [
        ("hour", "sales", "UNREACHABLE_ANCHOR", "no declared edge leads there"),
        ("tag", "sales", "FAN_OUT", "tags links them many to many"),
        ("day", "stock", "FAN_OUT", "no edge leads there from stock, and through daily"),
    ],
)
def test_a_level_that_the_counted_rows_do_not_reach(counted, level, schema, code, said):
    query = f"SELECT COUNT({counted.format(level)}) AS n FROM {schema} AT store"
    found, message, hint = told(query)
    assert found == code
    assert message.startswith(f"{level} cannot be counted in {schema}: {said}")
    assert hint.startswith(f"{schema} reaches ")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT amount AT (sale, store, region, day, week, month, quarter, season)",
        "SELECT amount AT region WHERE quarter = '2024-01-01' AND season = 'winter'",
        "SELECT SUM(amount) FILTER (WHERE season = 'winter') AS x AT region",
        "SELECT COUNT(season) AS n, COUNT(DISTINCT region) AS m FROM stock AT store",
        "SELECT amount FROM daily AT (store, week)",
        "SELECT amount, on_hand AT (region, month)",
    ],
)
def test_what_the_rows_reach_is_answered(query):
    assert resolved(query).anchor


def test_reach_is_judged_of_the_schema_that_is_named():
    assert passes(check_reach, "stock", "stock", ("region", "season"), ())
    assert not passes(check_reach, "stock", "stock", ("day",), ())


# Blocked levels: each own level of a blocked family stands in the anchor or is pinned in WHERE.


@pytest.mark.parametrize(
    ("query", "family", "level", "other"),
    [
        ("SELECT on_hand AT store", "calendar", "month", ONE_MOMENT.format("point")),
        ("SELECT on_hand AT ()", "calendar", "month", ONE_MOMENT.format("store")),
        # A quarter is of the family, and leaves three months to add up.
        ("SELECT on_hand AT (region, quarter)", "calendar", "month", ONE_MOMENT.format("store")),
        ("SELECT on_hand AT (store, season)", "calendar", "month", ONE_MOMENT.format("point")),
        ("SELECT level AT meter", "clock", "hour", ""),
        # A claim has a region of its own, whatever the region of its store is.
        ("SELECT size AT store", "location", "region", ""),
        ("SELECT size AT region", "location", "store", ""),
        ("SELECT size AT claim", "location", "store", ""),
        ("SELECT level AT meter HAVING level > 1", "clock", "hour", ""),
        ("SELECT MAX(level) AS x AT meter ORDER BY level", "clock", "hour", ""),
    ],
)
def test_a_level_of_a_blocked_family_is_left_out(query, family, level, other):
    code, message, hint = told(query)
    assert code == "BLOCKED_REDUCTION"
    assert f"may not aggregate over {family}, and the anchor leaves out {level}" in message
    assert hint == f"add {level} to AT, or pin it in WHERE{other}"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT on_hand AT month",
        "SELECT on_hand AT (region, month)",
        "SELECT size AT (store, region)",
        "SELECT size AT store WHERE region = 'East'",
        # Only the reducer that declares the block is blocked.
        "SELECT MAX(on_hand) AS x, AVG(on_hand) AS y, COUNT(on_hand) AS z AT region",
        # A moment of its own is what the snapshot picks.
        "SELECT balance AT region",
    ],
)
def test_what_collapses_no_blocked_level_is_answered(query):
    assert resolved(query).needs


@pytest.mark.parametrize(
    ("condition", "values", "pins"),
    [
        ("hour = 3", (), True),
        ("3 = hour", (), True),
        ("hour = 3.0", (), True),
        ("hour = '3'", (), True),
        ("hour IS NULL", (), True),
        ("hour = 3 AND meter <> 'm'", (), True),
        ("hour = ?", (3,), True),
        # There are no rows, so that none are added up.
        ("hour = NULL", (), True),
        ("hour = ?", (None,), True),
        # Whole numbers past 2^53 share a double.
        pytest.param("hour = 3e0", (), False, id="a double"),
        ("3e0 = hour", (), False),
        ("hour = ?", (3.0,), False),
        ("hour = 3 OR hour = 4", (), False),
        ("hour IN (3)", (), True),
        ("hour IN (3, 3)", (), True),
        ("hour IN (3, 4)", (), False),
        ("NOT hour IN (3)", (), False),
        ("hour IN (?)", (3.0,), False),
        ("hour >= 3 AND hour <= 3", (), False),
        ("hour <> 3", (), False),
        ("NOT hour = 3", (), False),
        ("hour IS NOT NULL", (), False),
        ("COALESCE(hour, 0) = 3", (), False),
        ("meter = 'm'", (), False),
    ],
)
def test_a_level_is_pinned_by_a_condition_that_leaves_one_member(condition, values, pins):
    query = f"SELECT level AT meter WHERE {condition}"
    if pins:
        assert resolved(query, *values).needs
    else:
        assert refused(query, *values).code == "BLOCKED_REDUCTION"


def test_a_filter_of_the_metric_alone_pins_nothing():
    query = "SELECT SUM(level) FILTER (WHERE hour = 3) AS x AT meter"
    assert refused(query).code == "BLOCKED_REDUCTION"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT on_hand AT region WHERE month = ?",
        "SELECT LAST(on_hand) AS x AT region WHERE store = $store",
        "SELECT SUM(LAST(on_hand) @ (store, quarter)) AS x AT region WHERE quarter = ?",
    ],
)
def test_a_parameter_that_is_not_bound_yet_pins_its_level(query):
    """A statement is prepared before its values are there, and legal for every one of them."""
    assert resolve(parse(query), typed(), Binding(None)).needs


# FIRST and LAST: the anchor and the order leave no level of the grain open.


@pytest.mark.parametrize("name", ["FIRST", "LAST"])
@pytest.mark.parametrize("anchor", ["region", "(region, month)", "()"])
def test_an_ordered_reducer_that_leaves_a_level_of_the_grain_open(name, anchor):
    assert told(f"SELECT {name}(on_hand) AS x AT {anchor}") == (
        "BLOCKED_REDUCTION",
        f"{name}(on_hand) has no single row at this anchor: store is left open",
        f"add store to AT: each has a {name.lower()} value of its own, and those of several are not"
        " all of one moment",
    )


@pytest.mark.parametrize(
    "rest",
    ["store", "(store, quarter)", "(store, month)", "region WHERE store = 'S1'"],
)
def test_an_ordered_reducer_that_leaves_none_open_is_answered(rest):
    assert resolved(f"SELECT LAST(on_hand) AS x AT {rest}").needs


# Reducers over cells: there are several cells, and no SUM over what does not add up.


@pytest.mark.parametrize(
    ("query", "inner", "point"),
    [
        ("SELECT SUM(amount @ region) AS x AT region", "(region)", "(region)"),
        # A store has one region, and a day one month.
        ("SELECT AVG(amount @ region) AS x AT store", "(region)", "(store)"),
        ("SELECT MAX(amount @ (month, region)) AS x AT (day, store)", "(month, region)", None),
        ("SELECT amount / SUM(amount @ ()) AS x AT region", "()", "(region)"),
        ("SELECT MAX(SUM(amount @ day) @ day) AS x AT region", "(day)", "(day, region)"),
        ("SELECT amount AT region HAVING SUM(amount @ ()) > 1", "()", "(region)"),
    ],
)
def test_cells_that_are_no_finer_than_the_point(query, inner, point):
    code, message, hint = told(query)
    assert code == "NOT_FINER"
    assert f"@ {inner} adds no level to the anchor" in message
    assert point is None or f"at each point of {point}," in message
    alone = "" if point == "(day, region)" else "; take the reducer away to have x itself there"
    assert hint == f"name a level after @ that the anchor leaves open{alone}"


def test_cells_are_finer_where_the_rows_of_some_metric_split_the_point():
    assert is_finer(typed(), term("SUM(amount @ day)"), ("month",))
    assert not is_finer(typed(), term("SUM(amount @ month)"), ("day",))
    # A claim's region is a column of its own: its store does not say it.
    assert is_finer(typed(), term("SUM(MAX(weight) @ region)"), ("store",))


@pytest.mark.parametrize(
    ("query", "metric_", "level"),
    [
        ("SELECT SUM(on_hand @ month) AS x AT region", "SUM(on_hand)", "month"),
        ("SELECT SUM(LAST(on_hand) @ (store, quarter)) AS x AT region", None, "quarter"),
        ("SELECT SUM(LAST(on_hand) @ (store, season)) AS x AT region", None, "season"),
        # Years are time as well, though the family that is blocked does not list them.
        ("SELECT SUM(LAST(on_hand) @ (store, year)) AS x AT region", None, "year"),
        pytest.param(
            "SELECT SUM(MAX(on_hand) @ year) AS x AT region",
            "MAX(on_hand)",
            "year",
            id="the years of its months",
        ),
        ("SELECT MAX(SUM(on_hand @ month) @ store) AS x AT region", "SUM(on_hand)", "month"),
        ("SELECT SUM(AVG(on_hand @ (month, store)) @ month) AS x AT region", None, "month"),
        ("SELECT SUM((on_hand - 1) @ month) AS x AT region", "SUM(on_hand)", "month"),
        ("SELECT amount AT region HAVING SUM(on_hand @ month) > 1", "SUM(on_hand)", "month"),
        ("SELECT amount AT region ORDER BY SUM(on_hand @ month)", "SUM(on_hand)", "month"),
    ],
)
def test_an_outer_sum_over_what_does_not_add_up(query, metric_, level):
    code, message, hint = told(query)
    assert code == "BLOCKED_REDUCTION"
    assert message.endswith(f" up over {level}, and on_hand does not add up over calendar")
    assert message.startswith(f"SUM would add {metric_ or ''}")
    assert hint == f"keep {level} in AT; AVG, MIN and MAX over it are other numbers"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT AVG(on_hand @ month) AS x, MAX(on_hand @ month) AS y AT region",
        "SELECT SUM(on_hand @ (store, month)) AS x AT month",
        "SELECT SUM(LAST(on_hand) @ store) AS x AT region",
        "SELECT SUM(MAX(on_hand @ month) @ store) AS x AT region",
        "SELECT SUM(MAX(on_hand) @ store) AS x AT (region, season)",
        "SELECT SUM(on_hand @ month) AS x AT region WHERE month = '2024-01-01'",
        # The month that is left says its quarter and its season.
        "SELECT SUM(MAX(on_hand) @ season) AS x AT region WHERE month = '2024-01-01'",
        "SELECT SUM(amount @ month) AS x AT region",
    ],
)
def test_an_outer_reducer_that_adds_up_nothing_blocked_is_answered(query):
    assert resolved(query).needs


def test_the_checks_are_of_one_metric_at_one_anchor():
    """What `SELECT *` and discovery ask: the same rules, without a question around them."""
    stock = metric("on_hand")
    assert passes(check_metric, stock, ("month", "region"), ())
    assert not passes(check_metric, stock, ("region",), ())
    summed = term("SUM(on_hand @ month)")
    assert not passes(check_nested, summed, ("region",), ())
    assert passes(check_nested, term("AVG(on_hand @ month)"), ("region",), ())


@pytest.mark.parametrize(
    ("schema", "level", "known", "found"),
    [
        ("sales", "store", {"store"}, True),
        ("sales", "region", {"store"}, True),
        ("sales", "store", {"region"}, False),
        ("sales", "quarter", {"day"}, True),
        ("sales", "quarter", {"month"}, True),
        # Weeks and months are had from days, neither from the other.
        ("sales", "month", {"week"}, False),
        ("stock", "season", {"month"}, True),
        # Its own column may say otherwise than the edge.
        ("claims", "region", {"store"}, False),
        ("claims", "region", {"region"}, True),
        ("sales", "hour", {"store", "day"}, False),
    ],
)
def test_a_level_is_settled_along_the_edges_that_the_rows_take(schema, level, known, found):
    assert typed().graph.settled(schema, level, known) is found


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("SUM(amount)", set()),
        ("SUM(amount) FILTER (WHERE region = 'East' AND day IS NULL)", {"region", "day"}),
        ("eastern", {"region"}),
        ("LAST(on_hand)", {"month"}),
        ("balance", {"month", "store"}),
    ],
)
def test_the_levels_that_a_metric_reads_beside_its_anchor(text, levels):
    assert filter_levels(metric(text)) == levels


def test_the_level_that_is_counted_is_read():
    asked = parse("SELECT COUNT(DISTINCT week) AS n FROM sales AT ()")
    (need,) = resolve(asked, typed(), Binding()).needs
    assert filter_levels(need.metric) == {"week"}
