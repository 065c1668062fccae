"""What may stand at a place of a text: by position, and only what can be finished."""

import time

import pytest
from resolving import code_of, completed, inserted, options

from flightframe_server.call_context import CallContext
from flightframe_server.completion.complete import complete
from flightframe_server.errors import BackendCancelled, LimitExceeded, UnknownName


def legal(found):
    return {label for label, option in found.items() if option.legal}


def refused(found):
    return {label: option.code for label, option in found.items() if not option.legal}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("|", {"SELECT", "EXPLAIN"}),
        ("SE|", {"SELECT"}),
        ("EXPLAIN |", {"SELECT"}),
        ("SELECT revenue AT region |", {"WHERE", "HAVING", "ORDER BY", "LIMIT"}),
        ("SELECT revenue AT region ORDER |", {"ORDER BY"}),
        ("SELECT revenue AT region ORDER BY revenue DESC |", {"NULLS", "LIMIT"}),
        ("SELECT revenue AT region ORDER BY revenue NULLS |", {"FIRST", "LAST"}),
        ("SELECT revenue AT region LIMIT 3 |", {"OFFSET", "PER"}),
        ("SELECT revenue AT region WHERE region |", {"NOT", "IN", "IS", "LIKE", "BETWEEN"}
            | {"HAVING", "ORDER BY", "LIMIT"}),
        ("SELECT revenue AT region WHERE region IS |", {"NOT", "NULL", "DISTINCT", "KNOWN"}),
        ("SELECT revenue AT region WHERE day BETWEEN ? |", {"AND"}),
        ("SELECT CASE WHEN revenue > 1 |", {"THEN", "AND", "OR"}),
        ("SELECT CASE WHEN revenue > 1 THEN 2 |", {"WHEN", "ELSE", "END"}),
    ],
)  # fmt: skip
def test_keywords_are_those_that_the_grammar_accepts(shop, written, words):
    found = options(shop, written, "keyword")
    assert words <= legal(found)
    if "CASE" not in written:
        assert legal(found) == words


def test_keywords_come_in_the_case_of_the_text(shop):
    assert options(shop, "select revenue at region o|")["ORDER BY"].insert == "order by"
    assert options(shop, "SELECT revenue AT region o|")["ORDER BY"].insert == "order by"
    assert options(shop, "SELECT revenue AT region |")["ORDER BY"].insert == "ORDER BY"


def test_a_clause_that_is_written_is_refused_a_second_time(shop):
    found = options(shop, "SELECT revenue WHERE region = 'East' AT region |", "keyword")
    assert refused(found) == {"WHERE": "PARSE"}
    assert "given twice" in found["WHERE"].reason
    assert refused(options(shop, "SELECT revenue | AT region", "keyword"))["AT"] == "PARSE"


def test_select_lists_metrics_levels_reducers_and_functions(shop):
    found = options(shop, "SELECT |")
    assert {"revenue", "price", "on_hand", "store", "month"} <= legal(found)
    assert {"SUM", "COUNT", "MAX", "AVG", "ABS", "CASE"} <= legal(found)
    assert refused(found)["FIRST"] == "REDUCER_NOT_DECLARED"
    assert (found["revenue"].type, found["month"].type) == ("decimal(38,2)", "date")


def test_a_metric_must_fit_the_anchor_that_is_written(shop):
    found = options(shop, "SELECT | AT region")
    assert refused(options(shop, "SELECT | AT region", "metric")) == {
        "on_hand": "BLOCKED_REDUCTION"
    }
    assert "month" in found["on_hand"].reason
    assert refused(options(shop, "SELECT | AT month", "metric")) == {}
    assert legal(options(shop, "SELECT | AT (region, month)", "level")) == {"region", "month"}
    assert refused(found)["month"] == "LEVEL_NOT_IN_ANCHOR"


def test_a_reducer_takes_what_it_may_reduce(shop):
    found = options(shop, "SELECT SUM(|")
    assert {"revenue", "on_hand"} <= legal(found)
    assert refused(found)["price"] == "REDUCER_NOT_DECLARED"
    assert refused(found)["region"] == "REDUCER_NOT_DECLARED"
    assert {"price", "region"} <= legal(options(shop, "SELECT COUNT(|"))
    assert refused(options(shop, "SELECT SUM(|", "keyword"))["DISTINCT"] == "NOT_SUPPORTED"
    assert "DISTINCT" in legal(options(shop, "SELECT COUNT(|", "keyword"))


def test_after_at_stand_the_levels_that_the_metrics_reach(shop):
    bare = options(shop, "SELECT on_hand AT |", "level")
    assert legal(bare) == {"month"}
    assert refused(bare) == {
        "store": "BLOCKED_REDUCTION",
        "region": "BLOCKED_REDUCTION",
        "zone": "BLOCKED_REDUCTION",
        "day": "FAN_OUT",
        "txn": "FAN_OUT",
    }
    assert "leaves out month" in bare["region"].reason
    # In parentheses month may still follow.
    several = options(shop, "SELECT on_hand AT (|", "level")
    assert legal(several) == {"month", "store", "region", "zone"}
    assert legal(options(shop, "SELECT on_hand AT (month, |)", "level")) == {
        "store",
        "region",
        "zone",
    }


def test_at_offers_all_that_select_lists(shop):
    found = options(shop, "SELECT region, month, revenue AT |")
    assert found["(region, month)"].legal
    assert refused(found)["region"] == "LEVEL_NOT_IN_ANCHOR"


def test_from_leaves_out_schemas_that_lack_a_metric_or_a_level(shop):
    found = options(shop, "SELECT revenue FROM |", "schema")
    assert legal(found) == {"tx", "daily", "metrics"}
    assert refused(found)["inv"] == "UNKNOWN_NAME"
    found = options(shop, "SELECT revenue FROM | AT txn", "schema")
    assert legal(found) == {"tx", "metrics"}
    assert refused(found)["daily"] == "FAN_OUT"


def test_where_takes_levels_and_says_where_a_metric_belongs(shop):
    found = options(shop, "SELECT on_hand AT month WHERE |")
    assert {"store", "region", "month"} <= legal(found)
    assert refused(found)["day"] == "FILTER_UNREACHABLE"
    assert refused(found)["revenue"] == "UNKNOWN_NAME"
    pinned = options(shop, "SELECT on_hand AT region WHERE |", "level")
    assert legal(pinned) == {"store", "region", "zone", "month"}
    assert legal(options(shop, "SELECT SUM(revenue) FILTER (WHERE |", "level")) >= {"region"}


def test_a_cell_is_finer_than_where_it_stands(shop):
    found = options(shop, "SELECT AVG(revenue @ |) AT region", "level")
    assert {"store", "day"} <= legal(found)
    assert refused(found)["region"] == "NOT_FINER"


def test_having_and_order_by_take_outputs(shop):
    having = options(shop, "SELECT region, SUM(revenue) AS total AT region HAVING |")
    assert {"total", "price", "region"} <= legal(having)
    assert refused(having)["on_hand"] == "BLOCKED_REDUCTION"
    order = options(shop, "SELECT SUM(revenue) AS total AT region ORDER BY |")
    assert {"total", "region", "price"} <= legal(order)
    assert "month" not in order


def test_an_ad_hoc_level_is_offered_where_it_may_be_named_and_reads_levels(shop):
    anchor = "AT (UPPER(region) AS loud, month)"
    for written in ("SELECT |", "SELECT revenue WHERE |"):
        assert "loud" in legal(options(shop, f"{written} {anchor}", "level")), written
    for clause in ("HAVING", "ORDER BY"):
        assert "loud" in legal(options(shop, f"SELECT revenue {anchor} {clause} |", "level"))
    assert "region" in legal(options(shop, "SELECT revenue AT (UPPER(|", "level"))
    assert refused(options(shop, "SELECT revenue AT (UPPER(reve|", "metric")) != {}
    assert options(shop, "SELECT revenue AT (UPPER(region) AS |", "level") == {}
    assert "AS" in options(shop, "SELECT revenue AT (UPPER(region) |", "keyword")


def test_an_ad_hoc_level_may_begin_with_a_function_that_a_level_fits(shop):
    for written in ("SELECT revenue AT (|", "SELECT AVG(revenue @ (|", "SELECT revenue AT (upp|"):
        assert "UPPER" in legal(options(shop, written, "function")), written
    offered = options(shop, "SELECT revenue AT (|")
    assert {"LEFT", "REPLACE", "COALESCE"} <= legal(offered)
    assert refused(options(shop, "SELECT revenue AT (SQ|", "function")) == {"SQRT": "TYPE"}
    kinds = [one.kind for one in completed(shop, "SELECT revenue AT (|").options if one.legal]
    assert kinds.index("function") > kinds.index("level")
    assert "level" not in kinds[kinds.index("function") :]
    for written in ("SELECT revenue AT |", "SELECT revenue AT region LIMIT 1 PER (|"):
        assert options(shop, written, "function") == {}, written


def test_words_that_stand_for_a_value_are_offered_where_they_do(shop):
    assert "CURRENT_DATE" in legal(options(shop, "SELECT revenue WHERE day < CURR|"))
    assert options(shop, "SELECT revenue AT (CURR|") == {}
    assert "REALISED" in legal(options(shop, "SELECT revenue AT region HAVING |"))
    assert options(shop, "SELECT revenue WHERE REAL|") == {}


def test_an_interval_is_offered_beside_a_date_and_has_units(shop):
    written = "SELECT revenue WHERE day > day - "
    assert "INTERVAL" in legal(options(shop, f"{written}int|", "keyword"))
    assert "INTERVAL" in refused(options(shop, "SELECT revenue WHERE int|", "keyword"))
    assert {"month", "week"} <= legal(options(shop, f"{written}INTERVAL 1 |", "keyword"))
    assert legal(options(shop, f"{written}INTERVAL 1 q|", "keyword")) == {"quarter"}


def test_names_are_offered_behind_a_qualifier(shop):
    assert "revenue" in legal(
        options(shop, "SELECT m.rev| FROM metrics AS m AT m.region", "metric")
    )
    assert "region" in legal(options(shop, "SELECT m.revenue FROM metrics AS m AT m.|", "level"))
    assert "metrics" in legal(options(shop, "SELECT revenue FROM met|", "schema"))


def test_position_is_one_option(shop):
    for written in ("SELECT |", "SELECT revenue WHERE |", "SELECT revenue AT (|"):
        labels = [one.label for one in completed(shop, written).options]
        assert labels.count("POSITION") == 1, written
    assert refused(options(shop, "SELECT SUM(pos|", "keyword")).keys() == {"POSITION"}


def test_per_takes_levels_of_the_anchor(shop):
    found = options(shop, "SELECT revenue AT (region, day) LIMIT 3 PER (|", "level")
    assert legal(found) == {"region", "day"}


def polled_members(runtime, written):
    """The members at the `|`: where the machine is busy, a call may end before it has any."""
    end = time.monotonic() + 60
    while True:
        found = completed(runtime, written)
        members = [option for option in found.options if option.kind == "member"]
        if members or time.monotonic() > end:
            return found, members


@pytest.mark.parametrize(
    ("written", "insert", "replaced"),
    [
        ("SELECT revenue WHERE region = '|", "'East'", "'"),
        ("SELECT revenue WHERE region = 'Ea|' AT region", "'East'", "'Ea'"),
        ("SELECT revenue WHERE region = | AT region", "'East'", ""),
        ("SELECT revenue AT region WHERE region IN ('West', |)", "'East'", ""),
        ("SELECT revenue AT region WHERE region IN ('e|", "'East'", "'e"),
        ("SELECT revenue AT region WHERE month <> '2024-02|'", "'2024-02-01'", "'2024-02'"),
        ("SELECT revenue AT region WHERE txn = |", "3", ""),
    ],
)
def test_members_of_the_level_that_is_compared(shop, written, insert, replaced):
    found, members = polled_members(shop, written)
    assert insert in [option.insert for option in members]
    assert written.replace("|", "")[found.start : found.end] == replaced
    for option in members:
        text, rest = inserted(written, found, option)
        closed = text + rest + (")" if "IN (" in written and ")" not in rest else "")
        assert code_of(shop, closed + ("" if " AT " in closed else " AT region")) is None


def test_parameters_do_not_mix(shop):
    found = options(shop, "SELECT revenue AT region WHERE region = |", "parameter")
    assert legal(found) == {"$region", "?"}
    found = options(shop, "SELECT revenue AT region WHERE region = $x AND day > |", "parameter")
    assert legal(found) == {"$x", "$day"}
    assert refused(found) == {"?": "PARSE"}
    found = options(shop, "SELECT revenue AT region WHERE region = ? AND day > $|", "parameter")
    assert refused(found) == {"$day": "PARSE"}


@pytest.mark.parametrize(
    "written",
    [
        "SELECT revenue -- AT |",
        "SELECT revenue /* AT |",
        "SELECT revenue AT region LIMIT 1|",
        "SELECT revenue AT region [|",
        "SELECT revenue AS |",
        "SELECT revenue WHERE region LIKE '|",
    ],
)
def test_where_nothing_can_be_chosen_nothing_is_offered(shop, written):
    assert not [one for one in completed(shop, written).options if one.kind != "keyword"]


def test_a_comment_before_the_cursor_is_no_hindrance(shop):
    assert options(shop, "SELECT /* a 'b */ rev|")["revenue"].legal
    assert options(shop, "SELECT -- 'x\n rev|")["revenue"].legal


@pytest.mark.parametrize(
    ("written", "replaced"),
    [
        ("SELECT reve|nue AT region", "revenue"),
        ("SELECT REVENUE| AT region", "REVENUE"),
        ('SELECT "reven| AT region', '"reven'),
        ('SELECT "reven|ue" AT region', '"revenue"'),
    ],
)
def test_the_word_around_the_cursor_is_replaced(shop, written, replaced):
    found = completed(shop, written)
    assert written.replace("|", "")[found.start : found.end] == replaced
    assert [option.insert for option in found.options if option.legal] == ["revenue"]


@pytest.mark.parametrize(
    "written",
    [
        "SELECT , | AT region",
        "SELECT nonsense, | AT region",
        "SELECT nonsense FROM nowhere WHERE nothing = 1 AND | AT nowhere",
        "SELECT (((|",
        "SELECT revenue AT ) |",
        "AT |",
        "SELECT a b c |",
        "SELECT revenue AT region HAVING ( |",
        "SELECT CASE |",
        "SELECT CASE WHEN | THEN",
        ";|",
        "SELECT revenue AT region; |",
        "SELECT \N{SNOWMAN} |",
    ],
)
def test_what_is_wrong_elsewhere_is_no_hindrance(shop, written):
    completed(shop, written)
    if "nonsense" in written:
        assert legal(options(shop, written, "level")) or legal(options(shop, written, "metric"))


def test_an_offset_outside_of_the_text_is_its_nearer_end(shop):
    assert complete("SELECT revenue", 99, shop).end == len("SELECT revenue")
    assert complete("SELECT revenue", -1, shop).start == 0


def test_lawful_options_come_first_and_those_that_begin_so_before_others(shop):
    found = completed(shop, "SELECT on_hand AT r|").options
    assert [option.legal for option in found] == sorted((o.legal for o in found), reverse=True)
    found = completed(shop, "SELECT revenue AT o|").options
    labels = [option.label for option in found if option.legal]
    assert labels.index("month") < len(labels)
    assert all("o" in label.casefold() for label in labels)


def test_an_unknown_collection_and_a_text_past_the_bounds_are_refused(shop):
    with pytest.raises(UnknownName):
        complete("SELECT ", 7, shop, "shopp")
    with pytest.raises(LimitExceeded):
        complete("x" * (1024 * 1024 + 1), 3, shop)


def test_a_call_that_waits_no_more_ends(shop):
    (engine,) = shop.engines.values()
    gone = CallContext(is_cancelled=lambda: True)
    with pytest.raises(BackendCancelled):
        complete("SELECT revenue WHERE zone = '", 29, shop, context=gone)
    assert engine.snapshot() is not None


POSITIONS = [
    ("SELECT |", [" AT ()", " AT month", " FROM tx AT {0}"]),
    ("SELECT | AT region", ["", " FROM tx"]),
    ("SELECT | AT (region, month)", ["", " FROM tx", ", month FROM tx", ", region FROM tx"]),
    ("SELECT SUM(|", [") AT month"]),
    ("SELECT COUNT(|", [") FROM tx AT month", ") AT month"]),
    ("SELECT revenue AT |", [""]),
    ("SELECT on_hand AT |", [""]),
    ("SELECT on_hand AT (|", [")", ", month)"]),
    ("SELECT price, on_hand AT (|", [")", ", month)"]),
    ("SELECT LAST(on_hand) AT (|", [")", ", store)", ", store, month)"]),
    ("SELECT region, revenue AT (|", [")", ", region)"]),
    ("SELECT revenue FROM |", [" AT ()"]),
    ("SELECT revenue WHERE | AT region", [" IS NULL"]),
    ("SELECT on_hand WHERE | AT region", [" IS NULL", " IS NULL AND month = ?"]),
    ("SELECT revenue WHERE month = | AT region", [""]),
    ("SELECT AVG(revenue @ |) AT region", [""]),
    ("SELECT SUM(revenue) FILTER (WHERE |", [" IS NULL) AT ()"]),
    ("SELECT revenue AS r AT region HAVING |", [" IS NULL"]),
    ("SELECT revenue AS r AT region ORDER BY |", [""]),
    ("SELECT CASE WHEN | THEN revenue END AT region", [" IS NULL"]),
    ("SELECT revenue AT (region, day) LIMIT 2 PER |", [""]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "endings"), POSITIONS)
def test_every_lawful_name_resolves_once_the_statement_is_finished(shop, written, endings):
    found = completed(shop, written)
    names = [one for one in found.options if one.kind in ("metric", "level", "schema", "member")]
    assert [one for one in names if one.legal]
    for option in names:
        text, rest = inserted(written, found, option)
        codes = [code_of(shop, text + ending.format(option.label) + rest) for ending in endings]
        if option.legal:
            assert None in codes, (option, codes)
        else:
            assert None not in codes, option
            assert option.code in codes, (option, codes)
