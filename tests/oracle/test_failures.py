"""Does a failure of the database or of a number say what it was about, and no value of the data?"""

import pytest
from test_promises import shop

from flightframe_server.answer import Request, answer
from flightframe_server.errors import ArithmeticOverflow, BackendError

__all__ = ["shop"]

LARGEST = "ALTER TABLE inv ALTER on_hand TYPE BIGINT; UPDATE inv SET on_hand = 9223372036854775807;"
FAILING = """
ALTER TABLE inv RENAME TO kept;
CREATE VIEW inv AS SELECT store, month,
    CASE WHEN on_hand = 80 THEN CAST(error('secret 80') AS INTEGER) ELSE on_hand END AS on_hand
FROM kept;
"""


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ("SELECT on_hand AT month", "SUM(on_hand) of inv.on_hand"),
        ("SELECT AVG(on_hand) AS a AT month", "AVG(on_hand) of inv.on_hand"),
        ("SELECT on_hand, COUNT(on_hand) AS n AT month", "SUM(on_hand) of inv.on_hand"),
        ("SELECT MAX(on_hand) * 2 AS d AT month", "column d"),
        ("SELECT revenue, MAX(on_hand) + 1 AS more AT month", "column more"),
        ("SELECT COUNT(on_hand) AS n AT month HAVING MAX(on_hand) * 2 > 1", "HAVING"),
        ("SELECT COUNT(on_hand) AS n AT month ORDER BY MAX(on_hand) * 2", "ORDER BY"),
    ],
)
@pytest.mark.parametrize("stream_rows", [1_000_000, -1])
def test_what_does_not_fit_names_the_metric_or_the_column(shop, query, subject, stream_rows):
    made = shop(LARGEST)
    made.engine.stream_rows = stream_rows
    with pytest.raises(ArithmeticOverflow) as found:
        list(answer(Request(query), made.serving).open())
    told = str(found.value)
    if stream_rows < 0 and subject == "ORDER BY":
        subject = "on_hand"  # The database orders, and fails over what it orders by.
    assert subject in told
    assert "9223372036854775807" not in told


@pytest.mark.parametrize("stream_rows", [1_000_000, -1])
@pytest.mark.parametrize("warm", [(), ("SELECT COUNT(on_hand) AS n AT (store, month)",)])
def test_a_condition_that_computes_what_does_not_fit_is_named_by_its_levels(
    shop, warm, stream_rows
):
    made = shop()
    for text in warm:
        made.ask(text)
    made.engine.stream_rows = stream_rows
    text = "SELECT COUNT(on_hand) AS n WHERE CAST(store AS date) < '2024-01-01' AT month"
    with pytest.raises(ArithmeticOverflow, match=r"\(in WHERE on store\)") as found:
        list(answer(Request(text), made.serving).open())
    # What there is to be read is no date: 's1', 's2' and 's3'.
    assert "s1" not in str(found.value).casefold()


def test_what_does_not_fit_in_a_rollup_names_its_metric(shop):
    made = shop(LARGEST)
    made.ask("SELECT on_hand AT (store, month)")
    with pytest.raises(ArithmeticOverflow, match=r"\(in SUM\(on_hand\) of inv\.on_hand\)"):
        made.ask("SELECT on_hand AT month")


@pytest.mark.parametrize("stream_rows", [1_000_000, -1])
def test_a_statement_that_the_database_refuses_names_what_it_was_for(shop, stream_rows):
    made = shop(FAILING)
    made.engine.stream_rows = stream_rows
    with pytest.raises(BackendError) as found:
        list(answer(Request("SELECT MAX(on_hand) AS m AT store"), made.serving).open())
    assert found.value.code == "BACKEND"
    assert "MAX(on_hand) of inv.on_hand" in str(found.value)
    assert "secret" not in str(found.value)


def test_a_number_of_the_callers_own_is_named(shop):
    number = "9" * 39
    with pytest.raises(ArithmeticOverflow, match=number):
        shop().ask(f"SELECT revenue AT () HAVING revenue > {number}")
