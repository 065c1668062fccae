"""A statement as chips: what they say, what they cannot say, and that they say it back."""

import pytest

from flightframe_server.completion.shelf import Shelf, read_shelf, shelf_of, statement_text
from flightframe_server.errors import FrameQLSyntaxError
from flightframe_server.language import parse


@pytest.mark.parametrize(
    ("text", "shelf"),
    [
        (
            "SELECT region, SUM(revenue) AS total AT region",
            Shelf(("SUM(revenue) AS total",), ("region",)),
        ),
        (
            "select revenue, cost from tx where a = 1 and (b = 2 or c) at (x, y)"
            " having revenue > 1 and not z order by revenue desc nulls last, x limit 3",
            Shelf(
                ("revenue", "cost"),
                ("x", "y"),
                ("a = 1", "b = 2 OR c"),
                ("revenue > 1", "NOT z"),
                ("revenue DESC NULLS LAST", "x"),
                3,
                "tx",
            ),
        ),
        ("SELECT revenue AT ()", Shelf(("revenue",), ())),
        ("SELECT region FROM stores AT region", Shelf((), ("region",), source="stores")),
        # Where the columns would not begin with the anchor's levels, SELECT says them all.
        ("SELECT revenue, region AT region", Shelf(("revenue", "region"), ("region",))),
        ("SELECT y, x, revenue AT (x, y)", Shelf(("y", "x", "revenue"), ("x", "y"))),
        ("SELECT region AS r, revenue AT region", Shelf(("region AS r", "revenue"), ("region",))),
        ("SELECT *, region AT region", Shelf(("*", "region"), ("region",))),
        ("SELECT region, * AT region", Shelf(("region", "*"), ("region",))),
        (
            "SELECT region, place.region AT region",
            Shelf(("region", "place.region"), ("region",)),
        ),
        (
            "SELECT band, m AT (LOWER(x) AS band) ORDER BY band",
            Shelf(("m",), ("LOWER(x) AS band",), order=("band",)),
        ),
        ("SELECT band AT (LOWER(x) AS band)", Shelf((), ("LOWER(x) AS band",))),
        ("SELECT x, x, m AT (x, x)", Shelf(("x", "x", "m"), ("x", "x"))),
        ('SELECT "a b" AT "select"', Shelf(('"a b"',), ('"select"',))),
    ],
)
def test_a_statement_is_shown_as_chips_and_said_back(text, shelf):
    found = shelf_of(parse(text))
    assert found == shelf
    said = statement_text(found)
    assert shelf_of(parse(said)) == shelf
    assert statement_text(read_shelf(found.to_json())) == said


@pytest.mark.parametrize(
    "text",
    [
        "EXPLAIN SELECT m AT ()",
        "SELECT m AT x LIMIT 3 OFFSET 1",
        "SELECT m AT x LIMIT 3 PER (x)",
        "SELECT m AT x LIMIT ?",
        "SELECT m AT x LIMIT $n",
    ],
)
def test_what_chips_cannot_say_has_no_shelf(text):
    assert shelf_of(parse(text)) is None


def test_no_anchor_chosen_is_the_total_and_several_conditions_in_a_chip_are_several():
    shelf = Shelf(("m",), None, ("a = 1 AND b = 2", "c OR d"))
    assert statement_text(shelf) == "SELECT m WHERE a = 1 AND b = 2 AND (c OR d) AT ()"


@pytest.mark.parametrize(
    "shelf",
    [
        Shelf(),
        Shelf((), ()),
        Shelf(("a, b",), ()),
        Shelf(("a AT region --",), ()),
        Shelf(("a /*",), ()),
        Shelf(("",), ()),
        Shelf(("a FROM b",), ()),
        Shelf(("a",), ("",)),
        Shelf(("a",), ("x, y",)),
        Shelf(("a",), ("x) HAVING (y",)),
        Shelf(("a",), (), ("x) OR (y",)),
        Shelf(("a",), (), ("",)),
        Shelf(("a",), (), order=("x LIMIT 3",)),
        Shelf(("a",), (), order=("x, y",)),
        Shelf(("a",), (), source="b WHERE c"),
        Shelf(("a",), (), ("x = ?", "y = $z")),
    ],
)
def test_a_chip_says_one_thing_of_its_clause_and_nothing_else(shelf):
    with pytest.raises(FrameQLSyntaxError):
        statement_text(shelf)


def test_a_comment_in_a_chip_ends_with_it():
    shelf = Shelf(("a -- b",), ("x -- y",), order=("a -- c",))
    assert statement_text(shelf) == "SELECT a AT x ORDER BY a"


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": []},
        {"metrics": "revenue"},
        {"metrics": [1]},
        {"limit": True},
        {"limit": -1},
        {"limit": "3"},
        {"from": ["x"]},
        {"where": {}},
    ],
)
def test_what_is_no_shelf_is_refused(fields):
    with pytest.raises(FrameQLSyntaxError, match="no shelf"):
        read_shelf(fields)
