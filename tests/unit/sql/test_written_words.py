"""What a construct is called in errors: by the word that stands in the text, not by its node."""

import pytest
from sqlglot import exp

from flightframe_server.errors import NotSupported
from flightframe_server.sql.allowed_sql import check, check_outer
from flightframe_server.sql.parse import parse_sql


def refused(check_, text):
    with pytest.raises(NotSupported) as caught:
        check_(parse_sql(f"SELECT {text} FROM metrics").select)
    return caught.value.message.split(" is not answered")[0]


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("STRING_AGG(store, ',')", "STRING_AGG"),
        ("string_agg(DISTINCT (UPPER(store)), ',')", "STRING_AGG"),
        ("GROUP_CONCAT(store)", "GROUP_CONCAT"),
        ("APPROX_COUNT_DISTINCT(store)", "APPROX_COUNT_DISTINCT"),
        ("approx_distinct(store)", "APPROX_DISTINCT"),
        ("MAX_BY(store, day)", "MAX_BY"),
        ("ARG_MAX(store, day)", "ARG_MAX"),
        ("NTH_VALUE(store, 2) OVER (ORDER BY store)", "NTH_VALUE"),
        ("PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY store)", "PERCENTILE_DISC"),
        ("BOOL_AND(store = 'a')", "BOOL_AND"),
        ("POW(2, 3)", "POW"),
        ("POWER(2, 3)", "POWER"),
        ("DECODE(store, 'a', 1)", "DECODE"),
        ("TRY_CAST(store AS INT)", "TRY_CAST"),
        ("store[1]", "[...]"),
        ("SUM(store) & 1", "&"),
        ("store SIMILAR TO 'a'", "SIMILAR TO"),
        ("store RLIKE 'a'", "RLIKE"),
        ("LENGTH(store, 'a')", "LENGTH with these arguments"),
        ("PERCENT_RANK(1) OVER ()", "PERCENT_RANK with these arguments"),
        ("SUM(units ORDER BY store)", "ORDER BY"),
    ],
)
def test_a_construct_is_called_what_its_text_calls_it(written, called):
    assert refused(check_outer, written) == called


@pytest.mark.parametrize(
    ("written", "called"), [("CHAR_LENGTH(store)", "CHAR_LENGTH"), ("a || b", "||"), ("a + b", "+")]
)
def test_over_the_catalogue_as_well(written, called):
    assert refused(check, written) == called


def test_a_node_that_no_text_holds_has_a_word_of_sql():
    made = exp.Select(expressions=[exp.GroupConcat(this=exp.column("a"))])
    with pytest.raises(NotSupported, match="GROUP_CONCAT is not answered"):
        check_outer(made)
