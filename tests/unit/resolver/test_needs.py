"""What terms need read, and where: the metrics of a point, and those of the cells under it."""

from resolver_shop import resolved

from flightframe_server.resolver.needs import Shift, needs_of


def told(query, filters=()):
    """The needs of an item, each as its metric and its anchor."""
    question = resolved(query)
    found = needs_of(question.columns[-1].term, question.anchor, filters)
    return [(str(need.metric), need.anchor, need.filter) for need in found]


def test_each_metric_is_needed_once_at_the_sorted_anchor():
    assert told("SELECT profit + SUM(cost) AS x AT (store, day)") == [
        ("SUM(amount)", ("day", "store"), ()),
        ("SUM(cost)", ("day", "store"), ()),
    ]


def test_the_metrics_of_cells_are_needed_at_the_anchor_of_the_cells():
    found = told("SELECT MAX(amount @ (day)) / SUM(cost) AS x AT region")
    assert found == [
        ("SUM(cost)", ("region",), ()),
        ("SUM(amount)", ("day", "region"), ()),
    ]


def test_a_filter_goes_with_every_need():
    filters = resolved("SELECT amount WHERE region = 'East' AT day").filter
    assert told("SELECT MAX(amount @ (store)) AS x AT day", filters) == [
        ("SUM(amount)", ("day", "store"), filters)
    ]


def test_a_shift_tells_what_it_moves_by():
    assert str(Shift("month", months=12)) == "month moved by 12 months"
    assert str(Shift("day", months=-1, days=3)) == "day moved by -1 months and 3 days"
