"""Chips say a statement whole: the same chips come back, and the same question."""

from ac_yaml import model_and_collection
from asked import questions
from budget import LIGHT
from hypothesis import given
from hypothesis import strategies as st
from rig import typed_of
from worlds import shapes

from flightframe_server.completion.shelf import read_shelf, shelf_of, statement_text
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve


@st.composite
def asked(draw):
    """A world and a question over it."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    return shape, draw(questions(model))


@LIGHT
@given(asked())
def test_a_shelf_comes_back_and_asks_the_same(given):
    shape, question = given
    statement = parse(str(question))
    shelf = shelf_of(statement)
    cut = question.limit is not None and (question.limit[1] or question.limit[2])
    assert (shelf is None) == bool(cut)
    if shelf is not None:
        said = parse(statement_text(shelf))
        assert shelf_of(said) == shelf
        assert read_shelf(shelf.to_json()) == shelf
        assert resolve(said, typed_of(shape)) == resolve(statement, typed_of(shape))
